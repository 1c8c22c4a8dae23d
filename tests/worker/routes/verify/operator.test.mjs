// Verification across accounts: the operator's verifier sees all of them, every other its own
// alone.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { key as forgedKey } from "../../support/forge.mjs";
import { CALLER, begin, eventually, expect } from "../../support/journey.mjs";

const VERIFIER = { permissions: ["claviger:verify"] };

describe("a verifier of the operator's account", () => {
  let first, second, mine, theirs, operators, customers;
  before(async () => {
    first = await begin();
    second = await first.secondAccount();
    [mine, theirs] = [await first.issue(), await second.issue({ networks: ["203.0.113.0/24"] })];
    operators = (await first.issue(VERIFIER)).credential;
    customers = (await second.issue(VERIFIER)).credential;
    for (const [at, { key }] of [
      [first, mine],
      [second, theirs],
    ])
      await eventually("it is published", () => at.published(key.id));
  });
  after(() => first.dispose());

  const send = (verifier, body) =>
    first.console("POST", "/v1/verify", {
      headers: { "claviger-verifier": verifier },
      body,
      cookie: null,
      origin: null,
    });
  const ask = async (verifier, body) => expect(await send(verifier, body), 200).body;
  const verdicts = async (verifier, checks) =>
    (await ask(verifier, { checks })).verdicts.map(({ verdict, account }) => [verdict, account]);

  test("gets the verdicts of all accounts, in the order of the checks", async () => {
    const [a, b] = [first, second].map(({ session }) => session.account.id);
    const checks = [
      { credential: theirs.credential, address: CALLER },
      { credential: mine.credential },
      { key_id: theirs.key.id, address: "198.51.100.1" },
      { credential: "x" },
      { key_id: mine.key.id },
      { credential: `${theirs.credential.slice(0, -70)}${mine.credential.slice(-70)}` },
      { credential: forgedKey() },
      { access_key: theirs.access_key, access_secret: theirs.access_secret, address: CALLER },
    ];
    const expected = [
      ["valid", b],
      ["valid", a],
      ["network_denied", undefined],
      ["malformed", undefined],
      ["valid", a],
      ["malformed", undefined],
      ["unknown", undefined],
      ["valid", b],
    ];
    await first.forget();
    assert.deepEqual(await verdicts(operators, checks), expected, "cold");
    assert.deepEqual(await verdicts(operators, checks), expected, "warm");
    const { verdict, account } = await ask(operators, { credential: theirs.credential, address: CALLER });
    assert.deepEqual([verdict, account], ["valid", b]);
  });

  test("is the only one that does: a key of another account is unknown, and causes no lookup", async () => {
    await ask(customers, { credential: theirs.credential, address: CALLER });
    await first.worker.resetCounters();
    const foreign = [
      { credential: mine.credential },
      { key_id: mine.key.id },
      { credential: operators },
      { credential: forgedKey() },
      { key_id: "zzzzzzzz0123456789" },
    ];
    for (const verdict of await verdicts(customers, foreign)) assert.deepEqual(verdict, ["unknown", undefined]);
    assert.deepEqual(await first.worker.counters(), {});
    const [own] = await verdicts(customers, [{ credential: theirs.credential, address: CALLER }, ...foreign]);
    assert.deepEqual(own, ["valid", second.session.account.id]);
  });

  test("is no key of that account without the permission, and no issued one", async () => {
    expect(await send(mine.credential, { credential: theirs.credential }), 403, "permission_denied");
  });

  test("sees nothing more once it is disabled, or its account suspended", async () => {
    const { key, credential } = await first.issue(VERIFIER);
    assert.equal((await ask(credential, { key_id: theirs.key.id, address: CALLER })).verdict, "valid");
    await first.change(key.id, "disable");
    expect(await send(credential, { key_id: theirs.key.id, address: CALLER }), 401, "disabled");
    const suspend = async (suspended) => {
      const path = `/v1/operator/accounts/${first.session.account.id}`;
      expect(await first.console("PATCH", path, { body: { suspended } }), 200);
    };
    await suspend(true);
    expect(await send(operators, { key_id: theirs.key.id, address: CALLER }), 401, "account_suspended");
    await suspend(false);
    assert.equal((await ask(operators, { key_id: theirs.key.id, address: CALLER })).verdict, "valid");
  });

  test("is told that a customer's account is suspended", async () => {
    const path = `/v1/operator/accounts/${second.session.account.id}`;
    expect(await first.console("PATCH", path, { body: { suspended: true } }), 200);
    const { verdict } = await ask(operators, { credential: theirs.credential, address: CALLER });
    assert.equal(verdict, "account_suspended");
    expect(await first.console("PATCH", path, { body: { suspended: false } }), 200);
  });

  test("says that it cannot tell while one account's ledger is out of reach, and answers about the others", async () => {
    await first.forget();
    await ask(operators, { credential: "x" });
    const { id } = second.session.account;
    // The edge calls ledgers by name, and the fault strikes all of them: the first is in memory.
    assert.equal((await ask(operators, { credential: mine.credential })).verdict, "valid");
    await first.worker.setFaults({ on: "LEDGER.fetch", mode: "fail" });
    const found = await verdicts(operators, [
      { credential: theirs.credential, address: CALLER },
      { credential: mine.credential },
    ]);
    await first.worker.setFaults();
    assert.deepEqual(found, [
      ["unavailable", undefined],
      ["valid", first.session.account.id],
    ]);
    await eventually("its ledger is asked again", async () => {
      const { verdict, account } = await ask(operators, { credential: theirs.credential, address: CALLER });
      return verdict === "valid" && account === id;
    });
  });
});

describe("a lease document in KV that nobody signed", () => {
  test("makes no customer's verifier the operator's", async () => {
    const first = await begin({ vars: { FRESHNESS: "eventual" } });
    try {
      const second = await first.secondAccount();
      const { credential } = await second.issue(VERIFIER);
      const mine = await first.issue();
      const { id } = second.session.account;
      const text = await eventually("the document is published", () => first.worker.kv(`lease/${id}`));
      // Whatever its form: the state's own member, in the place of the flag that it has.
      assert.match(text, /"suspended":false/);
      await first.worker.putKv(`lease/${id}`, text.replace('"suspended":false', '"suspended":false,"operator":true'));
      await first.forget();
      const body = { credential: mine.credential };
      const headers = { "claviger-verifier": credential };
      const answer = await first.console("POST", "/v1/verify", { headers, body, cookie: null, origin: null });
      assert.equal(expect(answer, 200).body.verdict, "unknown");
    } finally {
      await first.dispose();
    }
  });
});
