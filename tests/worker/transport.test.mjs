// How a request comes: its host, the asterisk form, and whether TLS protects it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { API, CALLER, OWNER, begin, expect } from "./support/journey.mjs";
import { rawOrigin } from "./support/raw-origin.mjs";

/** Hosts that are not this machine's. */
const PUBLIC = "api.example";

let at;
let key;
let origin;
before(async () => {
  origin = await rawOrigin();
  const rule = (host, path, more) => ({ host, path, origin: "DEMO", ...more });
  at = await begin({
    setUp: false,
    rules: [
      ...[API, PUBLIC].flatMap((host) => [
        rule(host, "/*", { any_key: true }),
        rule(host, "/public/*", { public: true }),
        rule(host, "/url/*", { any_key: true, origin: origin.base }),
      ]),
      { host: PUBLIC, path: "/issue", serves: "issuance" },
    ],
  });
  await at.setUp();
  key = (await at.issue()).credential;
});
after(async () => {
  await at?.dispose();
  await origin.close();
});

/** Sends a request as the platform's front hands it on after TLS. */
const overTls = (host, path, { headers = {}, ...init } = {}) =>
  at.ask(host, path, { ...init, headers: { "test-scheme": "https:", "cf-connecting-ip": CALLER, ...headers } });

/** Resolves to status and code of the answer to these bytes. */
async function raw(line, host, ...headers) {
  const head = [`${line} HTTP/1.1`, `Host: ${host}`, "Connection: close", ...headers];
  const text = await at.worker.raw(`${head.join("\r\n")}\r\n\r\n`);
  return [text.split(" ")[1], /"code":"(\w+)"/.exec(text)?.[1]].filter(Boolean).join(" ");
}

describe("a request without TLS", () => {
  const bearer = () => ({ authorization: `Bearer ${key}` });

  test("is refused with and without a key, and nothing is looked up", async () => {
    await at.worker.resetCounters();
    for (const [path, init] of [
      ["/a", { headers: bearer() }],
      ["/a", {}],
      ["/public/a", { headers: bearer() }],
      ["/public/a", { method: "POST", body: "x" }],
      ["/issue", { method: "POST", body: "sid=1&spw=2" }],
      ["/a", { method: "OPTIONS" }],
    ]) {
      const refused = expect(await at.ask(PUBLIC, path, init), 403, "https_required");
      assert.match(refused.body.title, /replace it/);
      assert.equal(refused.headers["strict-transport-security"], undefined);
      assert.equal(refused.headers["www-authenticate"], undefined);
    }
    assert.deepEqual(await at.worker.counters(), {});
  });

  test("is counted, and the log says so without the key", async () => {
    const before = expect(await at.console("GET", "/v1/counters"), 200).body.isolate.unencrypted;
    expect(await at.ask(PUBLIC, "/a", { headers: bearer() }), 403);
    const after = expect(await at.console("GET", "/v1/counters"), 200).body.isolate.unencrypted;
    assert.equal(after, before + 1);
    await at.worker.logged(/warn: refused without TLS: \d+ since the last such line/);
    assert.doesNotMatch(at.worker.log().join("\n"), new RegExp(key.slice(4, 22)));
  });

  test("for a public page without a secret is sent on", async () => {
    const { status, headers } = await at.ask(PUBLIC, "/public/a?b=c", {});
    assert.deepEqual([status, headers.location], [308, `https://${PUBLIC}/public/a?b=c`]);
    assert.equal(headers["cache-control"], "no-store");
  });

  test("is served on the own machine", async () => {
    expect(await at.call("/a", { key }), 200);
    expect(await at.ask("127.0.0.1", "/a", {}), 404, "no_route");
  });

  test("is no WebSocket either", { timeout: 5000 }, async () => {
    await assert.rejects(at.worker.webSocket(PUBLIC, "/socket", bearer()), { status: 403 });
  });
});

describe("browsers are asked to come by TLS always", () => {
  const HSTS = "strict-transport-security";

  test("by every answer by https", async () => {
    for (const [path, init, status] of [
      ["/a", { headers: { authorization: `Bearer ${key}` } }, 200],
      ["/url/a", { headers: { authorization: `Bearer ${key}` } }, 200],
      ["/a", {}, 401],
      ["/a", { headers: { authorization: "Bearer clv_x" } }, 401],
      ["/a", { headers: { authorization: "Bearer clv_x" } }, 401],
      ["/a//b", {}, 400],
      ["/public/a", {}, 200],
      ["/issue", { method: "POST", body: "x" }, 415],
    ]) {
      const answer = expect(await overTls(PUBLIC, path, init), status);
      assert.equal(answer.headers[HSTS], "max-age=31536000", path);
    }
    expect(await overTls("unknown.example", "/", {}), 404, "no_route");
  });

  test("unless the origin asks for it itself", async () => {
    const own = encodeURIComponent("max-age=5; preload");
    const headers = { authorization: `Bearer ${key}` };
    const answer = await overTls(PUBLIC, `/says?name=${HSTS}&value=${own}`, { headers });
    assert.equal(answer.headers[HSTS], "max-age=5; preload");
  });

  test("but not by http, and not on the own machine", async () => {
    assert.equal((await at.call("/a", { key })).headers[HSTS], undefined);
    const local = await overTls(API, "/a", { headers: { authorization: `Bearer ${key}` } });
    assert.equal(expect(local, 200).headers[HSTS], undefined);
  });

  test("a failure of the isolate included", async () => {
    await at.worker.setFaults({ on: "decide", mode: "trap", times: 1 });
    const failed = await overTls(PUBLIC, "/a", {});
    assert.deepEqual([failed.status, failed.headers[HSTS]], [500, "max-age=31536000"]);
    await at.worker.setFaults();
  });

  test("and a WebSocket by wss is carried", { timeout: 5000 }, async () => {
    const headers = { authorization: `Bearer ${key}`, "test-scheme": "https:", "cf-connecting-ip": CALLER };
    const socket = await at.worker.webSocket(PUBLIC, "/socket", headers);
    const reply = new Promise((resolve) => socket.once("message", resolve));
    socket.send("hello");
    assert.equal(String(await reply), "hello");
    socket.close();
  });
});

describe("a host with a dot at its end is the same host", () => {
  test("for the rules, and for what a bound service sees", async () => {
    const answer = expect(await at.ask(`${API}.`, "/a?", { headers: { authorization: `Bearer ${key}` } }), 200);
    assert.equal(answer.body.href, `http://${API}/a?`);
    expect(await at.ask(`${API}.`, "/a", {}), 401, "missing");
    expect(await overTls(`${API}..`, "/a", {}), 404, "no_route");
    expect(await at.ask(`${PUBLIC}.`, "/a", {}), 403, "https_required");
  });

  test("for the console: its pages, its cookies and its check of who asks", async () => {
    const origin = "http://localhost.:8787";
    const dotted = (method, path, init) => at.ask("localhost.", path, { method, ...init });
    expect(await dotted("GET", "/", {}), 200);
    const body = JSON.stringify({ email: OWNER.email, password: OWNER.password });
    const headers = { "content-type": "application/json", "cf-connecting-ip": CALLER };
    expect(
      await dotted("POST", "/v1/session", { headers: { ...headers, origin: "http://localhost.evil:8787" }, body }),
      403,
      "cross_site",
    );
    const signedIn = expect(await dotted("POST", "/v1/session", { headers: { ...headers, origin }, body }), 201);
    const cookie = signedIn.headers["set-cookie"][0].split(";")[0];
    expect(await dotted("GET", "/v1/session", { headers: { cookie } }), 200);
    expect(await dotted("GET", "/v1/verify", {}), 405, "method_not_allowed");
  });
});

describe("a host that no server can have is refused", () => {
  for (const host of [
    `${API}:99999`,
    `${API}:0`,
    `${API}:http`,
    `${API}:80:80`,
    `a:b@${API}`,
    "a b",
    "a*b",
    "localhost:65536",
  ]) {
    test(host, async () => assert.equal(await raw("GET /a", host), "400 malformed_host"));
  }
  test("an empty port is none", async () => assert.equal(await raw("GET /a", `${API}:`), "401 missing"));
});

describe("the asterisk form", () => {
  for (const host of [API, `${API}:8787`, "localhost", "localhost:8787"]) {
    test(`on ${host} is answered, and reaches no origin`, async () => {
      await at.worker.resetCounters();
      assert.equal(await raw("OPTIONS *", host), "204");
      assert.equal(await raw("OPTIONS *", host, `Authorization: Bearer ${key}`), "204");
      assert.equal(await raw("GET *", host), "400 ambiguous_path");
      assert.deepEqual(await at.worker.counters(), {});
    });
  }
  test("without TLS is refused", async () => assert.equal(await raw("OPTIONS *", PUBLIC), "403 https_required"));
});
