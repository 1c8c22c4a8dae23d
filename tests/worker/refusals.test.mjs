// A26: whatever is wrong with a key, the caller is told: by status, stable code and words, and
// never in silence.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { FOREIGN, changed, key as forgedKey, mended } from "./support/forge.mjs";
import { API, ORIGIN, begin, eventually, expect } from "./support/journey.mjs";

const rule = (path, members) => ({ host: API, path, origin: "DEMO", ...members });
const RULES = [
  rule("/form/*", { any_key: true, credentials: ["form:u"] }),
  rule("/query/*", { any_key: true, credentials: ["query:u"] }),
  rule("/*", { permission: { read: "demo:read", write: "demo:write" } }),
];

let at;
let good;
let explained;
before(async () => {
  at = await begin({ rules: RULES });
  good = await at.issue();
  explained = await readFile(new URL("../../www/problems.html", import.meta.url), "utf8");
});
after(() => at.dispose());

/** Asserts a refusal that says what it is, and nothing of the key. */
function refused(answer, status, code, more = {}) {
  const { headers, body } = expect(answer, status, code);
  assert.equal(headers["content-type"], "application/problem+json");
  assert.equal(headers["cache-control"], "no-store");
  assert.deepEqual(body, { type: `${ORIGIN}/problems#${code}`, title: body.title, status, code, ...more });
  assert.ok(body.title.length > 10);
  assert.ok(explained.includes(`id="${code}"`));
  assert.doesNotMatch(answer.text, new RegExp(`${good.access_secret}|clv_\\w{20}`));
  return headers["www-authenticate"];
}

const changedTo = (change) => async () => {
  const { key, credential } = await at.issue();
  await at.change(key.id, change);
  return credential;
};
const issuedAs = (draft) => async () => (await at.issue(draft)).credential;
const INVALID = `Bearer realm="${API}", error="invalid_token"`;
const SCOPE = `Bearer realm="${API}", error="insufficient_scope"`;

describe("A26 a key that does not count any more, or not here, is refused by name", () => {
  for (const [what, credential, status, code, challenge] of [
    [
      "expired",
      async () => {
        const { key, credential } = await at.issue({ expires: "1s" });
        await eventually("it has expired", async () => (await at.show(key.id)).status === "expired");
        return credential;
      },
      401,
      "expired",
      INVALID,
    ],
    ["not valid yet", issuedAs({ not_before: "2099-01-01" }), 401, "not_yet_valid", INVALID],
    ["disabled", changedTo("disable"), 401, "disabled", INVALID],
    ["from elsewhere", issuedAs({ networks: ["192.0.2.0/24"] }), 403, "network_denied", SCOPE],
    [
      "without the permission",
      issuedAs({ permissions: ["demo:write"] }),
      403,
      "permission_denied",
      `${SCOPE}, scope="demo:read"`,
    ],
    ["of another deployment", async () => forgedKey({ master: FOREIGN }), 401, "unknown", INVALID],
    ["with another tag", async () => mended(changed(good.credential, 70)), 401, "unknown", INVALID],
    ["mistyped", async () => changed(good.credential, 30), 401, "malformed", INVALID],
    ["cut short", async () => good.credential.slice(0, -1), 401, "malformed", INVALID],
    ["another's", async () => "eyJhbGciOiJIUzI1NiJ9.e30.x", 401, "malformed", INVALID],
  ]) {
    test(what, async () => {
      const text = await credential();
      assert.equal(refused(await at.call("/a", { key: text }), status, code), challenge);
      assert.equal(refused(await at.call("/a", { headers: { "x-api-key": text } }), status, code), challenge);
    });
  }
});

describe("A26 a key in the wrong place is missing, and its sender is told where it stands and where it should", () => {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const DEFAULT = ["authorization", "x-api-key"];
  for (const [what, path, init, places, elsewhere] of [
    ["nowhere", () => "/a", () => ({}), DEFAULT],
    ["in the query", () => `/a?x=1&u=${good.credential}`, () => ({}), DEFAULT, "query:u"],
    ["in another parameter", () => `/query/a?key=${good.credential}`, () => ({}), ["query:u"], "query:key"],
    ["in another header", () => "/a", () => ({ headers: { "api-key": good.credential } }), DEFAULT, "header:api-key"],
    ["in a cookie", () => "/a", () => ({ headers: { cookie: `key=${good.credential}` } }), DEFAULT, "header:cookie"],
    [
      "in a form, where the rule names none",
      () => "/a",
      () => ({ method: "POST", headers: form, body: `u=${good.credential}` }),
      DEFAULT,
    ],
    [
      "in another field",
      () => "/form/a",
      () => ({ method: "POST", headers: form, body: `key=${good.credential}` }),
      ["form:u"],
    ],
    [
      "in the query, where the rule names a field",
      () => `/form/a?u=${good.credential}`,
      () => ({ method: "POST", headers: form, body: "x=1" }),
      ["form:u"],
      "query:u",
    ],
    ["in the path", () => `/${good.credential}`, () => ({}), DEFAULT],
  ]) {
    test(what, async () => {
      await at.worker.resetCounters();
      const answer = await at.call(path(), init());
      const challenge = refused(answer, 401, "missing", { places, ...(elsewhere && { elsewhere }) });
      assert.equal(challenge, `Bearer realm="${API}"`);
      assert.deepEqual(await at.worker.counters(), {}, "it is not looked up");
    });
  }

  test("whether it is valid or was never made", async () => {
    const hint = async (text) => (await at.call(`/a?u=${text}`)).body;
    assert.deepEqual(await hint(good.credential), await hint(forgedKey({ master: FOREIGN })));
    assert.deepEqual(await hint(good.credential), await hint("clv_x"));
    assert.equal((await hint("x")).elsewhere, undefined);
  });

  test("in a header that always counts, it counts", async () => {
    expect(await at.call("/query/a", { key: good.credential }), 200);
  });
});
