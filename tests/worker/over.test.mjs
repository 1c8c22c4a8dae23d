// What was made once and is over since: it costs a call per isolate at most, then memory.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { earlierToken, token } from "./support/forge.mjs";
import { OWNER, begin, expect, setupToken } from "./support/journey.mjs";

const HOUR_MS = 60 * 60 * 1000;
/** `OVER_FOR` of src/control/admin/refused.rs. */
const OVER_FOR_MS = 100_000;

let at;
before(async () => (at = await begin()));
after(() => at.dispose());

const session = (cookie) => at.console("GET", "/v1/session", { cookie });
const asCookie = (text) => `__Host-claviger=${text}`;
/** Sends the same many times, one after the other, and gives what it cost. */
async function costOf(times, send) {
  await at.worker.resetCounters();
  for (let turn = 0; turn < times; turn += 1) await send();
  return at.worker.counters();
}

describe("a session", () => {
  test("that was signed out costs nothing where it was signed out", async () => {
    await at.signIn();
    const { cookie } = at;
    expect(await at.console("DELETE", "/v1/session"), 204);
    const cost = await costOf(30, async () => expect(await session(cookie), 401, "not_signed_in"));
    assert.deepEqual(cost, {});
    expect(await at.console("DELETE", "/v1/session", { cookie }), 204);
    assert.deepEqual(await at.worker.counters(), {}, "signing out once more neither");
    await at.signIn();
  });

  test("that its ledger does not know costs one call, whatever it asks for", async () => {
    const cookie = asCookie(token("S", { account: at.session.account.id }));
    const cost = await costOf(30, async () => {
      expect(await session(cookie), 401, "not_signed_in");
      expect(await at.console("GET", "/v1/keys", { cookie }), 401, "not_signed_in");
    });
    assert.deepEqual(cost, { "LEDGER.fetch": 1 });
    // A living one is not taken along.
    expect(await session(at.cookie), 200);
  });

  test("of an account that never was costs one call", async () => {
    const cookie = asCookie(token("S"));
    const cost = await costOf(30, async () => expect(await session(cookie), 401, "not_signed_in"));
    assert.deepEqual(cost, { "LEDGER.fetch": 1 });
  });

  test("that is asked about again after a while costs one call more", async () => {
    const cookie = asCookie(token("S", { account: at.session.account.id }));
    expect(await session(cookie), 401);
    await at.worker.setClock(OVER_FOR_MS + 1_000);
    const cost = await costOf(5, async () => expect(await session(cookie), 401, "not_signed_in"));
    await at.worker.setClock(0);
    assert.deepEqual(cost, { "LEDGER.fetch": 1 });
  });

  for (const [what, cookie] of [
    [
      "a second too old",
      () => asCookie(token("S", { account: at.session.account.id, at: Date.now() - 12 * HOUR_MS - 1_000 })),
    ],
    ["of the future", () => asCookie(token("S", { account: at.session.account.id, at: Date.now() + 90_000 }))],
    ["of a release before ages stood in them", () => asCookie(earlierToken("S", { account: at.session.account.id }))],
  ]) {
    test(`${what} costs nothing at all`, async () => {
      const cost = await costOf(10, async () => expect(await session(cookie()), 401, "not_signed_in"));
      assert.deepEqual(cost, {});
    });
  }

  test("that is real is over by its own text after half a day", async () => {
    expect(await session(at.cookie), 200);
    await at.worker.setClock(12 * HOUR_MS + 1_000);
    const cost = await costOf(10, async () => expect(await session(at.cookie), 401, "not_signed_in"));
    await at.worker.setClock(0);
    assert.deepEqual(cost, {});
  });
});

describe("a set-up link", () => {
  const form = { account_name: "Other GmbH", time_zone: "UTC", language: "en", ...OWNER, email: "mine@example.org" };
  const use = (text, ip) => at.console("POST", "/v1/setup", { body: { token: text, ...form }, cookie: null, ip });

  test("that was used costs the directory one call", async () => {
    const cost = await costOf(30, async () => expect(await use(setupToken(), "192.0.2.8"), 409, "setup_done"));
    assert.deepEqual(cost, { "ADDRESS.fetch": 1, "DIRECTORY.fetch": 1 });
  });

  test("that is a day old costs nothing, and no more does one with 64 bits of tag", async () => {
    const old = token("U", { at: Date.now() - 24 * HOUR_MS - 1_000 });
    const cost = await costOf(10, async () => {
      expect(await use(old, "192.0.2.9"), 401, "setup_refused");
      expect(await use(earlierToken("U"), "192.0.2.9"), 401, "setup_refused");
    });
    assert.deepEqual(cost, {});
  });
});
