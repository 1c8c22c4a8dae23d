// What testers with a script have found at the gateway, so that it stays mended.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { begin, expect } from "./support/journey.mjs";

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
