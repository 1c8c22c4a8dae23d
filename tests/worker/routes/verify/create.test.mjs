// Verification: of one credential, of keys by their IDs, and of many at once.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FOREIGN, key as forgedKey, random } from "../../support/forge.mjs";
import { assertAnswers } from "../../support/every-route.mjs";
import { CALLER, CONSOLE, begin, eventually, expect } from "../../support/journey.mjs";

let at;
let issued;
let verifier;
before(async () => {
  at = await begin();
  verifier = (await at.issue({ permissions: ["claviger:verify"] })).credential;
  issued = await at.issue({ name: "a long job", networks: ["203.0.113.0/24"], permissions: ["demo:read"] });
});
after(() => at.dispose());

async function ask(body) {
  const sent = { headers: { "claviger-verifier": verifier }, body, cookie: null, origin: null };
  return expect(await at.console("POST", "/v1/verify", sent), 200).body;
}

/** A new isolate that knows the verifier, and with it its account's lease, but no other key. */
async function cold() {
  await at.forget();
  assert.equal((await ask({ credential: "x" })).verdict, "malformed");
  await at.worker.resetCounters();
}

describe("verification", () => {
  let plain;
  let answersBefore;
  before(async () => {
    plain = await at.issue();
    // A test counts calls: none of them may be that of the publication.
    await eventually("it is published", () => at.published(plain.key.id));
    answersBefore = at.answers.length;
  });
  after(() => assertAnswers(at.answers.slice(answersBefore)));

  const ask = (headers, body = { credential: plain.credential }) =>
    at.console("POST", "/v1/verify", { headers, body, cookie: null, origin: null });

  test("wants a verifier, and a session is none", async () => {
    const refused = expect(
      await at.console("POST", "/v1/verify", { body: { credential: plain.credential } }),
      401,
      "missing",
    );
    assert.equal(refused.headers["www-authenticate"], `Bearer realm="${CONSOLE}"`);
    // An empty header is none.
    expect(await ask({ "claviger-verifier": "" }), 401, "missing");
    for (const [value, status, code] of [
      [`${verifier}x`, 401, "malformed"],
      [forgedKey({ master: FOREIGN }), 401, "unknown"],
      [plain.credential, 403, "permission_denied"],
      [`${verifier}, ${verifier}`, 401, "malformed"],
    ]) {
      const answer = expect(await ask({ "claviger-verifier": value }), status, code);
      assert.match(answer.headers["www-authenticate"], /^Bearer realm="localhost", error="/);
    }
    expect(await ask({ authorization: `Bearer ${verifier}` }), 401, "missing");
  });

  test("tells what the gateway would, and nothing of other accounts", async () => {
    const found = async (check) => expect(await ask({ "claviger-verifier": verifier }, check), 200).body;
    const { credential, access_key, access_secret } = plain;
    const valid = await found({ credential, permission: "demo:read" });
    assert.deepEqual([valid.verdict, valid.key, valid.account], ["valid", plain.key.id, at.session.account.id]);
    assert.equal((await found({ access_key, access_secret })).verdict, "valid");
    assert.equal((await found({ credential, permission: "admin:use" })).verdict, "permission_denied");
    assert.equal((await found({ credential, interface: "smtp" })).verdict, "interface_denied");
    assert.equal((await found({ credential: "x" })).verdict, "malformed");
    const checks = Array.from({ length: 100 }, (_, n) => ({ credential: n % 2 ? credential : "x" }));
    const { verdicts } = await found({ checks });
    assert.deepEqual(
      verdicts.map(({ verdict }) => verdict),
      checks.map((_, n) => (n % 2 ? "valid" : "malformed")),
    );
    expect(await ask({ "claviger-verifier": verifier }, { checks: [...checks, {}] }), 400, "malformed_body");
    expect(await ask({ "claviger-verifier": verifier }, {}), 400, "malformed_body");
  });
});

describe("A13 a key is verified again by its ID", () => {
  const again = (more) => ask({ key_id: issued.key.id, address: CALLER, ...more });

  test("with the verdict and evidence that its credential would get", async () => {
    await again();
    for (const more of [
      {},
      { permission: "demo:read" },
      { permission: "demo:write" },
      { address: "198.51.100.1" },
      { interface: "smtp" },
    ]) {
      const byId = await again(more);
      const whole = await ask({ credential: issued.credential, address: CALLER, ...more });
      for (const { evidence } of [byId, whole]) delete evidence.age_ms;
      assert.deepEqual(byId, whole, JSON.stringify(more));
    }
    const { verdict, key, account, permissions, expires_at } = await again({ permission: "demo:read" });
    assert.deepEqual(
      { verdict, key, account, permissions, expires_at },
      {
        verdict: "valid",
        key: issued.key.id,
        account: at.session.account.id,
        permissions: ["demo:read"],
        expires_at: null,
      },
    );
  });

  test("so that a job that resumes learns what has become of it", async () => {
    const job = await at.issue({ name: "another" });
    const verdict = async () => (await ask({ key_id: job.key.id })).verdict;
    assert.equal(await verdict(), "valid");
    await at.change(job.key.id, "disable");
    assert.equal(await verdict(), "disabled");
    await at.change(job.key.id, "enable");
    await at.change(job.key.id, { not_before: "2099-01-01" });
    assert.equal(await verdict(), "not_yet_valid");
    await at.change(job.key.id, { not_before: null, expires: "1s" });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.equal(await verdict(), "expired");
  });

  test("while what is no key's ID, or another account's, costs nothing", async () => {
    await at.worker.resetCounters();
    for (const [key_id, verdict] of [
      [random(18), "unknown"],
      [issued.access_key, "malformed"],
      [issued.credential, "malformed"],
      [`${issued.key.id} `, "malformed"],
      ["", "malformed"],
    ]) {
      assert.deepEqual(await ask({ key_id }), { verdict, evidence: null }, key_id);
    }
    assert.deepEqual(await at.worker.counters(), {});
  });

  test("and one of its own account that never was costs one look, then memory", async () => {
    await cold();
    const key_id = at.session.account.id + random(10);
    for (let times = 0; times < 3; times += 1) assert.equal((await ask({ key_id })).verdict, "unknown");
    assert.deepEqual(await at.worker.counters(), { "KEYS.get": 1, "LEDGER.fetch": 1 });
  });
});

describe("A13 many at once", () => {
  test("100 cold keys of one account are one call to its ledger, in their order", { timeout: 60_000 }, async () => {
    const keys = [];
    for (let count = 0; count < 100; count += 1) keys.push(await at.issue({ name: `key ${count}` }));
    await eventually("KV holds them all", async () =>
      (await Promise.all(keys.map(({ key }) => at.published(key.id)))).every(Boolean),
    );
    const checks = keys.map(({ credential, key }, n) => (n % 2 ? { credential } : { key_id: key.id }));
    for (const [source, faults, counters] of [
      ["ledger", [{ on: "KEYS.get", mode: "fail" }], { "KEYS.get": 1, "LEDGER.fetch": 1 }],
      ["kv", [], { "KEYS.get": 1 }],
    ]) {
      await cold();
      await at.worker.setFaults(...faults);
      const { verdicts } = await ask({ checks });
      await at.worker.setFaults();
      assert.deepEqual(
        verdicts.map(({ verdict, key }) => [verdict, key]),
        keys.map(({ key }) => ["valid", key.id]),
      );
      assert.ok(verdicts.every(({ evidence }) => evidence.source === source));
      assert.deepEqual(await at.worker.counters(), counters);
    }

    await at.worker.resetCounters();
    const warm = await ask({ checks });
    assert.ok(warm.verdicts.every(({ verdict, evidence }) => verdict === "valid" && evidence.source === "memory"));
    assert.deepEqual(await at.worker.counters(), {});
  });

  test("each gets its own verdict, and one that is not of the form spoils all", async () => {
    const checks = [
      { credential: "x" },
      { key_id: issued.key.id, address: CALLER },
      { key_id: issued.key.id },
      { credential: issued.credential, address: CALLER, permission: "demo:write" },
      { key_id: random(18) },
      { access_key: issued.access_key, access_secret: issued.access_secret, address: CALLER },
    ];
    const { verdicts } = await ask({ checks });
    assert.deepEqual(
      verdicts.map(({ verdict }) => verdict),
      ["malformed", "valid", "network_denied", "permission_denied", "unknown", "valid"],
    );
    const sent = (body) =>
      at.console("POST", "/v1/verify", {
        headers: { "claviger-verifier": verifier },
        body,
        cookie: null,
        origin: null,
      });
    for (const bad of [
      {},
      { key_id: issued.key.id, credential: "x" },
      { key_id: 7 },
      { key_id: issued.key.id, address: "x" },
    ]) {
      expect(await sent({ checks: [...checks, bad] }), 400, "malformed_body");
    }
  });

  test("a ledger that does not answer is asked twice, not twice for each", async () => {
    const keys = await Promise.all([1, 2, 3].map(() => at.issue()));
    await cold();
    await at.worker.setFaults({ on: "LEDGER.fetch", mode: "fail" }, { on: "KEYS.get", mode: "fail" });
    const { verdicts } = await ask({ checks: keys.map(({ credential }) => ({ credential })) });
    await at.worker.setFaults();
    assert.deepEqual(
      verdicts.map(({ verdict }) => verdict),
      ["unavailable", "unavailable", "unavailable"],
    );
    assert.equal((await at.worker.counters())["LEDGER.fetch"], 2);
  });
});
