// What testers with a script have found at the gateway, so that it stays mended.
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { API, CONSOLE, begin, expect } from "./support/journey.mjs";

describe("the gateway", () => {
  let at, key;
  before(async () => {
    at = await begin();
    key = (await at.issue({ permissions: ["demo:read"] })).credential;
  });
  after(() => at.dispose());

  for (const path of [
    "/public/..%3B/admin/users",
    "/public/..%3bx=1/admin",
    "/public/..%09/admin",
    "/public/%252e%252e/admin",
  ]) {
    test(`${path} is not read in a second way`, async () => {
      expect(await at.call(path), 400, "ambiguous_path");
    });
  }

  for (const path of ["/%61dmin/users", "/admin%2Ex", "/admin/", "/adm%69n/"]) {
    test(`${path} is what it means`, async () => {
      const plain = decodeURIComponent(path).startsWith("/admin/") ? 403 : 200;
      expect(await at.call(path, { key }), plain);
    });
  }

  for (const [what, init] of [
    ["a length of 0", { headers: { "content-length": "0" } }],
    ["a body", { body: "x" }],
    ["a body of no announced length", { headers: { "transfer-encoding": "chunked" }, body: "" }],
  ]) {
    test(`a GET with ${what} goes on`, async () => {
      expect(await at.call("/public/a", { method: "GET", ...init }), 200);
    });
  }

  for (const cookie of [
    "a=b, __Host-claviger=S",
    '"__Host-claviger"=S',
    "__HOST-claviger=S",
    "a=b; __Host-claviger=S",
  ]) {
    test(`the console's cookie as ${cookie} does not travel on`, async () => {
      const { text } = expect(await at.call("/public/a", { headers: { cookie } }), 200);
      assert.doesNotMatch(text, /claviger=S/i);
    });
  }

  test("names of headers that some servers fold into ours do not travel on", async () => {
    const headers = { "Claviger.Account": "x", "Claviger~Account": "x", Claviger_Account: "x" };
    assert.doesNotMatch(expect(await at.call("/public/a", { headers }), 200).text, /claviger.account/i);
  });

  test("a key in Basic that only a lenient server reads does not travel on", async () => {
    for (const basic of [
      Buffer.from(`a:${key}`).toString("base64url"),
      Buffer.from(`\xff:${key}`, "latin1").toString("base64"),
    ]) {
      for (const authorization of [`Basic ${basic}`, `Basic\t${basic}`]) {
        const { body } = expect(await at.call("/public/a", { headers: { authorization } }), 200);
        assert.equal(Object.fromEntries(body.headers).authorization, undefined);
      }
    }
  });
});

test("a Host that makes no URL brings no key into the log", async () => {
  const at = await begin({ isObserved: false });
  try {
    const key = (await at.issue()).credential;
    for (const host of [`${API}:99999`, `${API}:80:80`, `${CONSOLE}:99999`, "[::1"]) {
      for (const path of ["/public/a", "/any/a", "/query/a"]) {
        const request = `GET ${path}?u=${key}&token=${key} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
        assert.doesNotMatch(await at.worker.raw(request), /^HTTP\/1.1 2/, host);
      }
    }
    const log = at.worker.log().join("\n");
    assert.ok(!log.includes(key.slice(4)) && !log.includes("token="), log);
  } finally {
    await at.dispose();
  }
});

describe("uploads that break off", () => {
  let at, key;
  before(async () => {
    const rules = [
      { host: API, path: "/form", origin: "DEMO", any_key: true, credentials: ["authorization", "form:u"] },
      { host: API, path: "/received", origin: "DEMO", any_key: true },
    ];
    at = await begin({ rules, isObserved: false });
    key = (await at.issue()).credential;
  });
  after(() => at.dispose());

  for (const [what, path, head] of [
    ["before a key is found", "/form", ""],
    ["on their way to an origin", "/received", "authorization"],
  ]) {
    test(`${what} are no errors of ours`, async () => {
      const before = at.worker.log().length;
      const upload = async () => {
        const credential = head ? `${head}: Bearer ${key}\r\n` : "";
        const type = "multipart/form-data; boundary=b";
        const bytes = `POST ${path} HTTP/1.1\r\nHost: ${API}\r\n${credential}Content-Type: ${type}\r\nContent-Length: 100000\r\n\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx`;
        await breakOff(at.worker.port, bytes);
      };
      await Promise.all(Array.from({ length: 20 }, upload));
      await new Promise((resolve) => setTimeout(resolve, 500));
      // The Worker goes on.
      expect(await at.call("/received", { key, method: "POST", body: "x" }), 200);
      const errors = at.worker
        .log()
        .slice(before)
        .filter((line) => !line.startsWith("warn"));
      assert.deepEqual(errors, []);
      if (!head) assert.deepEqual(at.worker.log().slice(before), []);
    });
  }
});

/** Sends bytes, and ends the connection a moment later. */
const breakOff = (port, bytes) =>
  new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.write(bytes, () => setTimeout(() => socket.destroy(), 100));
    });
    socket.on("error", resolve);
    socket.on("close", resolve);
  });
