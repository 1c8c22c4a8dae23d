// Every route of the console's host for a program that calls by a key: a route without a row here takes none.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, test } from "node:test";
import { CALLER, CONSOLE, ORIGIN, OTHER_OWNER, expect } from "../../support/journey.mjs";
import { ROUTES, at, draft, elsewhere, id, useEveryRoute } from "../../support/every-route.mjs";
import { ISSUABLE } from "../../support/issuance.mjs";

useEveryRoute();

const [READ, WRITE, ACTIVITY] = ["claviger:keys-read", "claviger:keys-write", "claviger:activity-read"];

/** The routes that take a key, with the permission that each one demands. */
const TABLE = {
  "GET /v1/keys": READ,
  "POST /v1/keys": WRITE,
  "POST /v1/keys/check": READ,
  "GET /v1/keys/{id}": READ,
  "PATCH /v1/keys/{id}": WRITE,
  "DELETE /v1/keys/{id}": WRITE,
  "GET /v1/keys/{id}/issued": READ,
  "POST /v1/keys/{id}/disable": WRITE,
  "POST /v1/keys/{id}/enable": WRITE,
  "POST /v1/keys/{id}/restore": WRITE,
  "POST /v1/keys/{id}/regenerate": WRITE,
  "POST /v1/keys/{id}/end-overlap": WRITE,
  "GET /v1/activity": ACTIVITY,
};

/** Keys by what they hold, and one with all rights. */
const tokens = {};
let all;

const issueToken = (...permissions) => at.issue({ permissions });

/** Sends a request as a program does: without a cookie, and without the headers of a browser. */
function program(method, path, { token = all, headers, body, ip = CALLER } = {}) {
  const sent = { "cf-connecting-ip": ip, ...(token && { authorization: `Bearer ${token.credential}` }), ...headers };
  if (body !== undefined) sent["content-type"] = "application/json";
  return at.ask(CONSOLE, path, { method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body) });
}

const idempotency = () => ({ "idempotency-key": randomUUID() });
const issueAs = (token, more = {}, headers = idempotency()) =>
  program("POST", "/v1/keys", { token, headers, body: { ...draft, ...more } });
const ifMatch = ({ revision }) => ({ "if-match": `"${revision}"` });

/** The path with `{id}` for its IDs, as the documentation has it. */
function template(path) {
  const [bare] = path.split("?");
  const ids = [id(), at.session.account.id, elsewhere, "0123456789", "0123456789A"];
  return bare
    .split("/")
    .map((segment) => (ids.includes(segment) ? "{id}" : segment))
    .join("/");
}

async function send(route, token, headers) {
  const { method } = route;
  const own = { ...(await route.headers?.()), ...headers };
  delete own["claviger-verifier"];
  return program(method, route.path(), { token, headers: own, body: route.body?.() });
}

describe("programs", () => {
  before(async () => {
    all = await issueToken(READ, WRITE, ACTIVITY);
    for (const permission of [READ, WRITE, ACTIVITY]) tokens[permission] = await issueToken(permission);
    tokens["*:*"] = await issueToken("*:*");
  });

  describe("every route", () => {
    test("has a row or takes no key", () => {
      const routes = ROUTES.map(({ method, path }) => `${method} ${template(path())}`);
      assert.deepEqual(
        Object.keys(TABLE).filter((route) => !routes.includes(route)),
        [],
      );
    });

    for (const held of [READ, WRITE, ACTIVITY, "*:*"]) {
      test(`for a key with ${held}`, async () => {
        for (const route of ROUTES) {
          const name = `${route.method} ${template(route.path())}`;
          const answer = await send(route, tokens[held]);
          if (TABLE[name] === held) {
            expect(answer, route.good[0], route.good[1]);
          } else if (TABLE[name]) {
            expect(answer, 403, "permission_denied");
            assert.match(answer.headers["www-authenticate"], new RegExp(`scope="${TABLE[name]}"`), name);
          } else if (name === "POST /v1/verify") {
            expect(answer, 401, "missing");
          } else if (route.changes) {
            expect(answer, 403, "cross_site");
            // A program that says it is the console's page has no session either.
            if (route.session) expect(await send(route, tokens[held], { origin: ORIGIN }), 401, "not_signed_in");
          } else if (route.session) {
            expect(answer, 401, "not_signed_in");
          } else {
            expect(answer, ...route.good);
          }
        }
      });
    }
  });

  test("a key is taken in each of its forms, and every act stands in its name", async () => {
    const { credential, access_key: user, access_secret: password } = all;
    const basic = Buffer.from(`${user}:${password}`).toString("base64");
    for (const headers of [
      { authorization: `Bearer ${credential}` },
      { authorization: credential },
      { authorization: `Basic ${basic}` },
      { "x-api-key": credential },
    ]) {
      expect(await program("GET", "/v1/keys?limit=1", { token: null, headers }), 200);
    }
    const issued = expect(await issueAs(all, { name: "by a program" }), 201).body;
    assert.ok(issued.credential.startsWith(issued.access_key));
    expect(await at.call("/any", { key: issued.credential }), 200);
    const path = `/v1/keys/${issued.key.id}`;
    const shown = expect(await program("GET", path), 200).body;
    assert.equal(JSON.stringify(shown).includes(issued.access_secret), false);
    const edited = await program("PATCH", path, { headers: ifMatch(shown), body: { name: "edited" } });
    expect(edited, 200);
    expect(await program("POST", `${path}/disable`, { headers: ifMatch(edited.body.key) }), 200);
    expect(await at.call("/any", { key: issued.credential }), 401, "disabled");
    const { entries } = expect(await program("GET", `/v1/activity?key=${issued.key.id}`), 200).body;
    assert.deepEqual(
      entries.map(({ action, by, address }) => [action, by.kind, by.id, address]),
      ["disabled", "edited", "issued"].map((done) => [`key_${done}`, "key", all.key.id, CALLER]),
    );
    const head = await program("HEAD", "/v1/keys");
    assert.deepEqual([head.status, head.text], [200, ""]);
    expect(await program("OPTIONS", "/v1/keys"), 405);
  });

  test("one idempotency key is one request of one program", async () => {
    const other = await issueToken(WRITE);
    const headers = idempotency();
    const answers = await Promise.all([1, 2, 3].map(() => issueAs(all, {}, headers)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409]);
    expect(await issueAs(other, {}, headers), 201);
  });

  test("a program makes no stronger program, and touches none", async () => {
    const verifier = await issueToken("claviger:verify");
    const plain = expect(await issueAs(all), 201).body.key;
    for (const permission of [READ, WRITE, ACTIVITY, "claviger:verify", "claviger:other"]) {
      const permissions = [permission];
      const refused = [
        await issueAs(all, { permissions }),
        await program("PATCH", `/v1/keys/${plain.id}`, { headers: ifMatch(plain), body: { permissions } }),
        await issueAs(all, { issuable: { ...ISSUABLE, permissions } }),
      ];
      for (const answer of refused) expect(answer, 422, "invalid");
    }
    for (const { key } of [verifier, all, tokens[WRITE]]) {
      const path = `/v1/keys/${key.id}`;
      const headers = ifMatch(key);
      const refused = [
        await program("PATCH", path, { headers, body: { permissions: [] } }),
        await program("PATCH", path, { headers, body: { expires: "90d" } }),
        await program("POST", `${path}/regenerate`, { headers: { ...headers, ...idempotency() }, body: {} }),
        await program("POST", `${path}/enable`, { headers }),
        await program("DELETE", path, { headers }),
      ];
      if (key.id !== all.key.id) refused.push(await program("POST", `${path}/disable`, { headers }));
      for (const answer of refused) expect(answer, 403, "not_permitted");
    }
    // What it holds is still what the owner gave.
    assert.deepEqual((await at.show(verifier.key.id)).permissions, ["claviger:verify"]);
  });

  test("keys of another account are not there", async () => {
    const other = await at.secondAccount({ owner: { ...OTHER_OWNER, email: "else@example.org" } });
    const { key } = await other.issue();
    const path = `/v1/keys/${key.id}`;
    expect(await program("GET", path), 404, "not_found");
    expect(await program("PATCH", path, { headers: ifMatch(key), body: { name: "x" } }), 404, "not_found");
    for (const act of ["disable", "enable", "restore", "end-overlap"])
      expect(await program("POST", `${path}/${act}`, { headers: ifMatch(key) }), 404, "not_found");
    assert.equal((await other.show(key.id)).revision, key.revision);
  });

  test("a key that was issued by program is no token, stored or sealed", async () => {
    const issuable = { ...ISSUABLE, permissions: ["*:*"] };
    const issuer = await at.issue({ issuable });
    for (const [expiry, form] of [
      ["1h", /^clvs_/],
      ["7d", /^clv_/],
    ]) {
      const answer = await at.ask("api.localhost", "/issue_service_authorization", {
        method: "POST",
        headers: {
          "cf-connecting-ip": CALLER,
          authorization: `Bearer ${issuer.credential}`,
          "content-type": "application/x-www-form-urlencoded",
        },
        body: new URLSearchParams({ epi: expiry }).toString(),
      });
      assert.match(expect(answer, 200).text, form);
      expect(await program("GET", "/v1/keys", { token: { credential: answer.text } }), 403, "permission_denied");
    }
  });

  test("a key that is over, or elsewhere, is refused as at an API", async () => {
    const near = await at.issue({ permissions: [READ], networks: ["192.0.2.0/24"] });
    expect(await program("GET", "/v1/keys", { token: near, ip: "192.0.2.1" }), 200);
    const far = expect(await program("GET", "/v1/keys", { token: near }), 403, "network_denied");
    assert.equal(far.headers["www-authenticate"], 'Bearer realm="localhost", error="insufficient_scope"');
    const [one, other] = [await issueToken(READ, WRITE), await issueToken(READ)];
    expect(await program("GET", "/v1/keys", { token: one }), 200);
    const shown = await at.show(one.key.id);
    expect(await at.console("POST", `/v1/keys/${one.key.id}/disable`, { headers: ifMatch(shown) }), 200);
    const over = expect(await program("GET", "/v1/keys", { token: one }), 401, "disabled");
    assert.equal(over.headers["www-authenticate"], 'Bearer realm="localhost", error="invalid_token"');
    expect(await program("GET", "/v1/keys", { token: other }), 200);
    const wrong = `${other.credential.slice(0, -1)}${other.credential.endsWith("0") ? "1" : "0"}`;
    assert.equal((await program("GET", "/v1/keys", { token: { credential: wrong } })).status, 401);
    expect(await program("GET", "/v1/keys", { token: { credential: "something else" } }), 401);
  });

  test("a cookie and a key together are ambiguous, and nothing else names a caller", async () => {
    const { cookie } = at;
    for (const path of ["/v1/keys", `/v1/keys/${id()}`, "/v1/activity"]) {
      const answer = await program("GET", path, { headers: { cookie } });
      expect(answer, 400, "ambiguous_credential");
    }
    const path = "/v1/keys";
    const two = { headers: { "x-api-key": tokens[READ].credential } };
    expect(await program("GET", path, two), 400, "ambiguous_credential");
    const none = { token: null };
    expect(await program("GET", `${path}?api_key=${all.credential}&access_token=${all.credential}`, none), 401);
    const body = { ...draft, credential: all.credential };
    expect(await program("POST", path, { ...none, headers: idempotency(), body }), 403, "cross_site");
    for (const name of ["claviger-caller", "Claviger_Caller", "CLAVIGER-CALLER"]) {
      const headers = { [name]: `key ${all.key.id}` };
      expect(await program("GET", path, { ...none, headers }), 401, "not_signed_in");
      expect(await program("POST", path, { ...none, headers: { ...headers, ...idempotency() }, body: draft }), 403);
      expect(await program("POST", path, { token: tokens[READ], headers, body: draft }), 403, "permission_denied");
      const own = expect(await program("GET", path, { ...none, headers: { ...headers, cookie } }), 200);
      assert.ok(own.body.keys.length > 0);
    }
  });

  test("each program has its own rate limit, which parallel requests do not pass", async () => {
    const [token, other] = [await issueToken(WRITE), await issueToken(WRITE)];
    const headers = { "if-match": '"0"' };
    const act = (by) => program("POST", `/v1/keys/${id()}/disable`, { token: by, headers });
    const answers = await Promise.all(Array.from({ length: 150 }, () => act(token)));
    const by = (status) => answers.filter((answer) => answer.status === status);
    assert.deepEqual([by(412).length, by(429).length], [120, 30]);
    for (const answer of by(429)) {
      expect(answer, 429, "rate_limited");
      const wait = Number(answer.headers["retry-after"]);
      assert.ok(wait >= 1 && wait <= 60, `${wait}`);
      assert.ok(Date.parse(answer.body.until) > Date.now());
    }
    expect(await act(other), 412, "changed_meanwhile");
    expect(await at.console("GET", "/v1/keys"), 200);
  });
});
