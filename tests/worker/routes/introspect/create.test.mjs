// Token introspection (RFC 7662): what a verifier is told of which credential.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FOREIGN, changed, key as forgedKey, sealedParts } from "../../support/forge.mjs";
import { CALLER, CONSOLE, ORIGIN, begin, eventually, expect } from "../../support/journey.mjs";
import { beginLocations } from "../../support/locations.mjs";
import { FORM, OAUTH_RULES, introspect, refused, revoke, token, told } from "../../support/oauth.mjs";

const VERIFIER = { permissions: ["claviger:verify"] };
const INACTIVE = '{"active":false}';
const OUTSIDE = "192.0.2.9";

let at, verifier;
before(async () => {
  at = await begin({ rules: OAUTH_RULES });
  verifier = await at.issue(VERIFIER);
});
after(() => at.dispose());

const seconds = (instant) => Math.floor(Date.parse(instant) / 1000);

/** Issues by program, with a key or, without one, with the service password; `fields` go into the form. */
async function issued(key, fields) {
  const headers = { "content-type": FORM, ...(key && { authorization: `Bearer ${key}` }) };
  const body = new URLSearchParams(fields).toString();
  return expect(await at.ask(CONSOLE, "/issue_service_authorization", { method: "POST", headers, body }), 200).text;
}

async function service() {
  const { body } = expect(await at.console("POST", "/v1/account/service/reveal"), 200);
  return { sid: body.service_id, spw: body.service_password };
}

describe("what is valid", () => {
  /** The members that every answer about a credential of this account has. */
  const always = (client) => ({
    active: true,
    ...(client && { client_id: client.access_key }),
    token_type: "Bearer",
    sub: at.session.account.id,
    iss: ORIGIN,
  });

  test("a key is told with its client and its times, and nobody stores the answer", async () => {
    const plain = await at.issue();
    const { headers, body, text } = expect(await introspect(at, verifier, plain.credential), 200);
    assert.deepEqual(body, { ...always(plain), scope: "demo:read demo:write" });
    assert.equal(headers["content-type"], "application/json");
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers.pragma, "no-cache");
    assert.ok(!headers["set-cookie"]);
    assert.ok(text.startsWith('{"active":true,'));
    const bounded = await at.issue({ permissions: [], not_before: "2026-01-01", expires: "2099-06-30" });
    const { key } = bounded;
    const answer = await told(at, verifier, bounded.credential);
    assert.deepEqual(answer, { ...always(bounded), exp: seconds(key.expires_at), nbf: seconds(key.not_before) });
  });

  test("a token and a short-lived key are told with their issuer, their own ID and the time of issue", async () => {
    const issuable = { permissions: ["demo:read"], networks: [], longest: "30d" };
    const client = await at.issue({ issuable, permissions: ["demo:read", "admin:use"] });
    for (const [text, scope] of [
      [await token(at, client), "admin:use demo:read"],
      [await token(at, client, { scope: "admin:use" }), "admin:use"],
      [await issued(client.credential, { epi: "5m" }), "demo:read"],
    ]) {
      const { claims } = sealedParts(text);
      const { scope: found, ...answer } = await told(at, verifier, text);
      assert.deepEqual(found.split(" ").sort(), scope.split(" "));
      const times = { exp: Math.floor(claims.exp / 1000), iat: Math.floor(claims.iat / 1000) };
      assert.deepEqual(answer, { ...always(client), ...times, jti: claims.id });
    }
    // A stored key that a program issued is a client of its own.
    const stored = await issued(client.credential, { epi: "20d" });
    const answer = await told(at, verifier, stored);
    assert.deepEqual([answer.client_id, answer.scope, answer.jti], [stored.slice(0, 22), "demo:read", undefined]);
    assert.ok(answer.exp - answer.iat === 20 * 86_400, JSON.stringify(answer));
  });

  test("what the service password issued has no client", async () => {
    const text = await issued(undefined, { ...(await service()), epi: "5m" });
    const { claims } = sealedParts(text);
    const { exp, iat, scope, ...answer } = await told(at, verifier, text);
    assert.deepEqual(answer, { ...always(), jti: claims.id });
    assert.equal(exp - iat, 300);
    assert.equal(scope, "*:*");
  });

  test("conditions of use that hold change nothing", async () => {
    const { credential } = await at.issue({ networks: ["203.0.113.0/24"] });
    const plain = await told(at, verifier, credential, { address: CALLER });
    assert.equal(plain.active, true);
    for (const fields of [
      { permission: "demo:read" },
      { interface: "http" },
      { address: `::ffff:${CALLER}` },
      { permission: "demo:write", interface: "http", token_type_hint: "refresh_token", unknown: "x" },
    ])
      assert.deepEqual(await told(at, verifier, credential, { address: CALLER, ...fields }), plain);
  });
});

describe("what is not valid is inactive, with the same bytes whatever the reason", () => {
  let plain;
  const draft = {
    disabled: async (key) => at.change(key.key.id, "disable"),
    deleted: async (key) => at.change(key.key.id, "delete"),
  };
  before(async () => (plain = await at.issue({ networks: ["203.0.113.0/24"] })));

  const inactive = async (text, fields) => {
    const answer = expect(await introspect(at, verifier, text, fields), 200);
    assert.equal(answer.text, INACTIVE);
    assert.equal(answer.headers["cache-control"], "no-store");
  };

  test("a text that Claviger never made", async () => {
    for (const text of [
      "x",
      "\0",
      "true",
      `${plain.credential}\0`,
      `${plain.credential}\n`,
      ` ${plain.credential}`,
      `Bearer ${plain.credential}`,
      plain.access_key,
      plain.access_secret,
      changed(plain.credential, 40),
      forgedKey(),
      forgedKey({ id: plain.key.id }),
      forgedKey({ id: plain.key.id, master: FOREIGN }),
      "eyJhbGciOiJub25lIn0.e30.",
      "é".repeat(10_000),
    ])
      await inactive(text, { address: CALLER });
  });

  test("a use that the key does not allow", async () => {
    for (const fields of [
      {},
      { address: OUTSIDE },
      { address: CALLER, permission: "admin:use" },
      { address: CALLER, permission: "claviger:verify" },
      { address: CALLER, interface: "smtp" },
    ])
      await inactive(plain.credential, fields);
  });

  for (const [what, change] of Object.entries(draft))
    test(`a ${what} key, and its token, at once where it was changed`, async () => {
      const key = await at.issue();
      const text = await token(at, key);
      for (const one of [key.credential, text]) assert.equal((await told(at, verifier, one)).active, true);
      await change(key);
      for (const one of [key.credential, text]) await inactive(one);
    });

  test("a key before its begin and after its end", async () => {
    const early = await at.issue({ not_before: "2099-01-01" });
    await inactive(early.credential);
    const short = await at.issue({ expires: "1s" });
    await eventually("it has expired", async () => !(await told(at, verifier, short.credential)).active);
    await inactive(short.credential);
  });

  test("a token that was revoked", async () => {
    const client = await at.issue();
    const [one, two] = [await token(at, client), await token(at, client)];
    expect(await revoke(at, client, one), 200);
    await inactive(one);
    assert.equal((await told(at, verifier, two)).active, true);
  });
});

describe("accounts", () => {
  let second, theirs, customers;
  before(async () => {
    second = await at.secondAccount();
    theirs = await second.issue();
    customers = await second.issue(VERIFIER);
    for (const { key } of [theirs, customers]) await eventually("it is published", () => second.published(key.id));
  });

  test("a verifier sees its own alone, and another's key causes no lookup", async () => {
    const mine = await at.issue();
    assert.equal((await told(at, customers, theirs.credential)).sub, second.session.account.id);
    await at.worker.resetCounters();
    for (const text of [mine.credential, verifier.credential, forgedKey()])
      assert.equal(expect(await introspect(at, customers, text), 200).text, INACTIVE);
    assert.deepEqual(await at.worker.counters(), {});
  });

  test("the operator's sees all, and what is suspended is inactive", async () => {
    const asked = () => told(at, verifier, theirs.credential);
    assert.equal((await asked()).sub, second.session.account.id);
    const path = `/v1/operator/accounts/${second.session.account.id}`;
    expect(await at.console("PATCH", path, { body: { suspended: true } }), 200);
    assert.deepEqual(await asked(), { active: false });
    refused(await introspect(at, customers, theirs.credential), 401, "invalid_client");
    expect(await at.console("PATCH", path, { body: { suspended: false } }), 200);
    assert.equal((await asked()).active, true);
  });
});

describe("what an introspection costs", () => {
  test("nothing, once the isolate knows verifier and key", async () => {
    const plain = await at.issue();
    const text = await token(at, plain);
    for (const one of [plain.credential, text]) await told(at, verifier, one);
    await at.worker.resetCounters();
    for (const one of [plain.credential, text]) assert.equal((await told(at, verifier, one)).active, true);
    assert.deepEqual(await at.worker.counters(), {});
  });

  test("without the ledger it is no false, but 503 with the time to come back", async () => {
    const plain = await at.issue();
    await at.forget();
    await at.worker.setFaults({ on: "LEDGER.fetch", mode: "fail" }, { on: "KEYS.get", mode: "fail" });
    const answer = await introspect(at, verifier, plain.credential);
    refused(answer, 503, "temporarily_unavailable");
    assert.equal(answer.headers["retry-after"], "2");
    await at.worker.setFaults();
    await eventually("the edge asks again", async () => {
      const { status, body } = await introspect(at, verifier, plain.credential);
      return status === 200 && body.active;
    });
  });
});

describe("in several places", () => {
  test(
    "a disabled key is inactive where it was disabled at once, elsewhere within T",
    { timeout: 60_000 },
    async (t) => {
      const places = await beginLocations(["a", "b"], { vars: { RULES: OAUTH_RULES } });
      t.after(() => places.dispose());
      const [asks, client] = [await places.a.issue(VERIFIER), await places.a.issue()];
      const text = await token(places.b, client);
      const both = [client.credential, text];
      for (const place of places.all) for (const one of both) assert.equal((await told(place, asks, one)).active, true);
      await places.a.change(client.key.id, "disable");
      const answered = Date.now();
      for (const one of both) assert.deepEqual(await told(places.a, asks, one), { active: false });
      // What arrives later than T after the answer is never told otherwise.
      const seen = [];
      while (Date.now() < answered + 11_000) {
        const sent = Date.now();
        for (const one of both) seen.push({ sent, active: (await told(places.b, asks, one)).active });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const late = seen.filter(({ sent }) => sent > answered + 10_000);
      assert.ok(late.length > 0);
      assert.deepEqual(
        late.filter(({ active }) => active),
        [],
      );
    },
  );
});
