// An attacker who can read and write all of Workers KV: another Worker that binds the namespace, or a token of CI. It can make
// the edge ask the ledger, and nothing else.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, expect } from "./support/journey.mjs";
import { beginLocations, propagate } from "./support/locations.mjs";

const RULES = JSON.stringify([
  {
    host: "api.localhost",
    path: "/*",
    origin: "DEMO",
    permission: { read: "demo:read", write: "demo:write" },
  },
]);

/** A revision that no ledger reaches. */
const HIGH = 9e15;

describe("an attacker who writes KV", () => {
  let at;
  before(async () => {
    // KV of `quiet` is written by its test alone.
    at = await beginLocations(["a", "b", "c", "quiet"], { vars: { RULES } });
  });
  after(() => at.dispose());

  const record = (place, id) => place.worker.kv(`key/${id}`);
  const put = (place, id, text) => place.worker.putKv(`key/${id}`, text);

  /** Gives a place a lease on the account, so that it reads KV for further keys. */
  async function warmUp(place) {
    const { credential } = await at.a.issue();
    expect(await place.call("/", { key: credential }), 200);
  }

  /** A record that grants more than it should, as JSON text without a MAC. */
  function mighty(text, more = {}) {
    const { mac: _, ...own } = JSON.parse(text);
    const limits = { ...own.limits, permissions: ["claviger:verify", "demo:read", "demo:write"] };
    return JSON.stringify({ ...own, limits, state: "active", ...more });
  }

  test("gets no power by a record of its own, with or without another record's MAC", { timeout: 120_000 }, async () => {
    const { b } = at;
    await warmUp(b);
    const { key: other } = await at.a.issue();
    const forgeries = [
      (text) => mighty(text),
      (text) => mighty(text, { revision: HIGH }),
      (text) => JSON.stringify({ mac: JSON.parse(text).mac, ...JSON.parse(mighty(text)) }),
      (text) => text.replace("demo:read", "demo:*"),
      () => record(at.a, other.id),
      (text) => text.slice(0, -1),
      () => "{}",
      () => "x".repeat(100_000),
    ];
    await eventually("it is published", () => record(at.a, other.id));
    for (const [number, forge] of forgeries.entries()) {
      const { credential, key } = await at.a.issue({ permissions: ["demo:read"] });
      const text = await eventually("it is published", () => record(at.a, key.id));
      await put(b, key.id, await forge(text));
      await b.worker.resetCounters();
      expect(await b.call("/", { key: credential, method: "POST" }), 403, "permission_denied");
      const counts = await b.worker.counters();
      assert.deepEqual(
        [counts["KEYS.get"], counts["LEDGER.fetch"]],
        [1, 1],
        `forgery ${number} costs what absence costs`,
      );
      expect(await b.call("/", { key: credential }), 200);
    }
    await at.logged(/KV: the value of key\/\w{18} has (no MAC|a wrong MAC)/);
  });

  test("is noticed by the ledger, which puts its own record again", { timeout: 60_000 }, async () => {
    const { key } = await at.a.issue();
    const text = await eventually("it is published", () => record(at.a, key.id));
    await put(at.a, key.id, mighty(text));
    expect(await at.a.console("POST", `/v1/operator/accounts/${key.id.slice(0, 8)}/rebuild`), 200);
    await eventually("it is as it was", async () => (await record(at.a, key.id)) === text);
  });

  test("revives no key by its own earlier record", { timeout: 120_000 }, async () => {
    const { c } = at;
    const { credential, key } = await at.a.issue();
    const before = await eventually("it is published", () => record(at.a, key.id));
    await at.a.change(key.id, "disable");
    // As settled as can be, and put back: a place that never saw the key reads what it was.
    await propagate(at.a, c);
    await put(c, key.id, before);
    await warmUp(c);
    await c.worker.resetCounters();
    expect(await c.call("/", { key: credential }), 401, "disabled");
    const counts = await c.worker.counters();
    assert.deepEqual([counts["KEYS.get"], counts["LEDGER.fetch"]], [undefined, 1], "KV is not even read");
  });

  test("hides no change from the isolate that made it", { timeout: 120_000 }, async () => {
    const { quiet } = at;
    await warmUp(quiet);
    const { credential, key } = await at.a.issue();
    const text = await eventually("it is published", () => record(at.a, key.id));
    await put(quiet, key.id, mighty(text, { revision: HIGH }));
    expect(await quiet.call("/", { key: credential }), 200);
    await quiet.change(key.id, "disable");
    for (let turn = 0; turn < 20; turn += 1) expect(await quiet.call("/", { key: credential }), 401, "disabled");
  });
});
