// What is promised everywhere, seen from several places whose KV is as late as it likes.
//
// Each test has a deployment of its own and they run side by side: most of their time they wait for
// T.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, test } from "node:test";
import { CALLER, eventually, expect } from "./support/journey.mjs";
import { beginLocations, propagate, said, watch } from "./support/locations.mjs";

/** T, in milliseconds. */
const T = 10_000;

/** The clock of workerd stands while it works, so that what it takes for a time may be a little before it. */
const CLOCK = 100;

/** How late a test may be itself, on a machine that has much to do. */
const SLACK = 2000;

const ELSEWHERE = "192.0.2.9";
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

const slowest = (seen) => seconds(Math.max(...seen.map(({ took }) => took)));

/** Starts the places for one test; the answers are told when it fails. */
async function begin(t, ...options) {
  const at = await beginLocations(...options);
  t.after(() => at.dispose());
  return at;
}

/** Waits until KV where the ledger is holds a key's last change, and gives the record. */
async function published(at, { id, revision }) {
  return eventually("KV holds the last change", async () => {
    const record = await at.a.published(id);
    return record?.revision === revision && record;
  });
}

/** Gives each place a lease, by the call that a new isolate asks the ledger for in any case. */
async function lease(places, { credential }) {
  await Promise.all(places.map(async (place) => expect(await place.call("/", { key: credential }), 200)));
}

/** The first answer from which on nothing else was said than `wanted`; fails where that never came. */
function since(seen, wanted) {
  const other = seen.findLastIndex((answer) => answer.said !== wanted);
  assert.ok(other + 1 < seen.length, `never ${wanted} to the end: ${JSON.stringify(seen.at(-1))}`);
  return seen[other + 1];
}

describe("in several places", { concurrency: true }, () => {
  test(
    "a key is accepted everywhere as soon as its issue is answered, though KV says nothing",
    { timeout: 120_000 },
    async (t) => {
      const at = await begin(t);
      // In b by the cold start, in c under a lease that is older than the key.
      const older = await at.a.issue();
      await lease([at.c], older);
      const { credential, key } = await at.a.issue();
      await at.c.worker.resetCounters();
      const answered = Date.now();
      await lease([at.b, at.c], { credential });
      t.diagnostic(`accepted in both after ${seconds(Date.now() - answered)}`);
      // KV was asked, and had nothing.
      const counters = await at.c.worker.counters();
      assert.deepEqual([counters["KEYS.get"], counters["LEDGER.fetch"]], [1, 1]);
      for (const place of [at.b, at.c]) assert.equal(await place.published(key.id), null);
      // What an isolate was told it remembers.
      await at.c.worker.resetCounters();
      expect(await at.c.call("/", { key: credential }), 200);
      assert.deepEqual(await at.c.worker.counters(), { "DEMO.fetch": 1 });
      // Wherever it is issued.
      for (const place of [at.b, at.c]) await lease(at.all, await place.issue());
    },
  );

  test("a change holds at once where it was made, though the ledger is elsewhere", { timeout: 120_000 }, async (t) => {
    const at = await begin(t);
    const { credential, key } = await at.a.issue();
    await published(at, key);
    await propagate(at.a, at.c);
    await lease(at.all, { credential });
    await at.c.change(key.id, "disable");
    expect(await at.c.call("/", { key: credential }), 401, "disabled");
    await at.c.change(key.id, "enable");
    expect(await at.c.call("/", { key: credential }), 200);
    await at.c.change(key.id, "delete");
    expect(await at.c.call("/", { key: credential }), 401, "unknown");
    assert.equal((await at.c.published(key.id)).state, "active");
  });

  test(
    "a change holds everywhere within T, whichever way it goes, though KV stays as it was",
    { timeout: 120_000 },
    async (t) => {
      const at = await begin(t);
      const other = await at.a.issue();
      // What becomes of each key, and what is said to it at last.
      const kinds = {
        disabled: { change: "disable", before: "200", after: "401 disabled" },
        edited: { change: { networks: [`${ELSEWHERE}/32`] }, before: "200", after: "403 network_denied" },
        deleted: { change: "delete", before: "200", after: "401 unknown" },
        enabled: { change: "enable", before: "401 disabled", after: "200" },
        untouched: { before: "200", after: "200" },
      };
      const list = Object.entries(kinds).map(([name, kind]) => ({ name, ...kind }));
      for (const kind of list) Object.assign(kind, await at.a.issue());
      const enabled = list.find(({ name }) => name === "enabled");
      enabled.key = (await at.a.change(enabled.key.id, "disable")).key;
      for (const kind of list) await published(at, kind.key);
      for (const place of [at.b, at.c]) await propagate(at.a, place);
      const old = await Promise.all(list.map(({ key }) => at.b.worker.kv(`key/${key.id}`)));

      // Known on all three: in b and c out of KV, where KV can be trusted, and no isolate asks again.
      await lease([at.b, at.c], other);
      for (const place of [at.b, at.c]) await place.worker.resetCounters();
      for (const place of at.all) {
        for (const { name, credential, before } of list) {
          assert.equal(said(await place.call("/", { key: credential })), before, `${name} in ${place.worker.name}`);
        }
      }
      for (const place of [at.b, at.c]) assert.equal((await place.worker.counters())["KEYS.get"], list.length - 1);

      // b is busy. c is quiet until T has passed, and its lease is as young as can be: a key it never
      // heard of has it refreshed.
      const fresh = await at.a.issue();
      const leased = Date.now();
      await lease([at.c], fresh);
      const credentials = list.map(({ credential }) => credential);
      const busy = watch(at.b, credentials, Date.now() + T + SLACK);
      for (const kind of list) {
        if (kind.change) kind.changed = await at.a.change(kind.key.id, kind.change);
        kind.answered = Date.now();
        // Where it was made it holds from the answer on.
        assert.equal(said(await at.a.call("/", { key: kind.credential })), kind.after, kind.name);
      }
      t.diagnostic(`the lease of c is ${seconds(list[0].answered - leased)} older than the first change`);
      for (const { name, credential } of list)
        t.diagnostic(`${name}: still "${said(await at.c.call("/", { key: credential }))}" in c`);
      const quiet = list.map(async ({ name, credential, answered, after }) => {
        await sleep(answered + T + CLOCK - Date.now());
        const sent = Date.now();
        const answer = await at.c.call("/", { key: credential });
        assert.equal(said(answer), after, `${name} in c, first asked for ${seconds(sent - answered)} after the change`);
      });
      await Promise.all(quiet);

      for (const [index, seen] of (await busy).entries()) {
        const { name, answered, before, after, changed } = list[index];
        for (const answer of seen) assert.ok([before, after].includes(answer.said), `${name} in b: ${answer.said}`);
        if (!changed) continue;
        const { sent } = since(seen, after);
        t.diagnostic(`${name}: in b after ${seconds(sent - answered)}, of ${seen.length} calls`);
        const late = seen.findLast((answer) => answer.said !== after && answer.sent > answered + T + CLOCK);
        assert.equal(late, undefined, `${name} in b: ${late?.said} ${seconds(late?.sent - answered)} after the change`);
        if (changed.bound)
          assert.ok(answered + changed.bound.within_s * 1000 >= sent, "as the answer to the change had promised");
      }

      // Nor does an isolate that begins anew take KV's word for it.
      for (const place of [at.b, at.c]) {
        await place.forget();
        await lease([place], other);
        for (const { name, credential, after } of list) {
          assert.equal(
            said(await place.call("/", { key: credential })),
            after,
            `${name} in ${place.worker.name}, anew`,
          );
        }
        expect(await place.call("/", { key: list[1].credential, ip: ELSEWHERE }), 200);
        expect(await place.call("/", { key: list[1].credential, ip: CALLER }), 403, "network_denied");
      }
      // All that time KV held what it had held before.
      for (const place of [at.b, at.c]) {
        assert.deepEqual(await Promise.all(list.map(({ key }) => place.worker.kv(`key/${key.id}`))), old);
      }
      assert.equal(JSON.parse(old[0]).state, "active");
    },
  );

  // One ledger says no at once, the other nothing at all.
  for (const [how, fault] of [
    ["refuses", { mode: "fail" }],
    ["hangs", { mode: "delay", delay_ms: 60_000 }],
  ]) {
    test(
      `where the ledger ${how}, what is known goes on for T at most, then nobody gets through`,
      { timeout: 120_000 },
      async (t) => {
        const at = await begin(t);
        const revoked = await at.a.issue();
        const untouched = await at.a.issue();
        for (const { key } of [revoked, untouched]) await published(at, key);
        for (const place of [at.b, at.c]) await propagate(at.a, place);
        const leased = Date.now();
        await lease([at.b, at.c], revoked);
        await lease([at.b, at.c], untouched);
        await at.b.worker.setFaults({ on: "LEDGER.fetch", ...fault });
        const cut = Date.now();
        await at.a.change(revoked.key.id, "disable");
        const answered = Date.now();

        const [gone, kept] = await watch(at.b, [revoked.credential, untouched.credential], cut + T + 6000, {
          pause_ms: 100,
        });
        for (const [name, seen] of Object.entries({ revoked: gone, untouched: kept })) {
          const stop = since(seen, "503 unavailable");
          const when = seconds(stop.sent - leased);
          t.diagnostic(
            `${name}: 503 in b ${when} after its lease began, of ${seen.length} calls, the slowest ${slowest(seen)}`,
          );
          assert.ok(stop.sent >= leased + T - SLACK, `${name}: what is known was not used for T`);
          assert.ok(stop.sent <= cut + T + SLACK, `${name}: what is known was used for more than T`);
          for (const answer of seen) assert.equal(answer.retryAfter, answer.said === "200" ? undefined : "2");
          for (const answer of seen) assert.ok(["200", "503 unavailable"].includes(answer.said), answer.said);
        }
        const late = gone.findLast((answer) => answer.said === "200" && answer.sent > answered + T + CLOCK);
        assert.equal(late, undefined, `accepted ${seconds(late?.sent - answered)} after it was disabled`);

        // c has its own way to the ledger.
        expect(await at.c.call("/", { key: untouched.credential }), 200);
        expect(await at.c.call("/", { key: revoked.credential }), 401, "disabled");
        await at.b.worker.setFaults();
        const healed = Date.now();
        await eventually("b is back", async () => said(await at.b.call("/", { key: untouched.credential })) === "200");
        t.diagnostic(`b back after ${seconds(Date.now() - healed)}`);
        expect(await at.b.call("/", { key: revoked.credential }), 401, "disabled");
      },
    );
  }

  test("where KV is down the ledger answers, and a change arrives within T", { timeout: 120_000 }, async (t) => {
    const at = await begin(t);
    const down = ["get", "getWithMetadata", "put", "delete", "list"].map((operation) => ({
      on: `KEYS.${operation}`,
      mode: "fail",
    }));
    const other = await at.a.issue();
    const revoked = await at.a.issue();
    for (const { key } of [other, revoked]) await published(at, key);
    await propagate(at.a, at.b);
    await at.b.worker.setFaults(...down);
    await lease([at.b], other);
    await at.b.worker.resetCounters();
    expect(await at.b.call("/", { key: revoked.credential }), 200);
    const counters = await at.b.worker.counters();
    assert.deepEqual([counters["KEYS.get"], counters["LEDGER.fetch"]], [1, 1]);

    const watched = watch(at.b, [revoked.credential, other.credential], Date.now() + T + SLACK);
    await at.a.change(revoked.key.id, "disable");
    const answered = Date.now();
    const [gone, kept] = await watched;
    const { sent } = since(gone, "401 disabled");
    t.diagnostic(`disabled: in b after ${seconds(sent - answered)}, of ${gone.length} calls`);
    const late = gone.findLast((answer) => answer.said === "200" && answer.sent > answered + T + CLOCK);
    assert.equal(late, undefined, `accepted ${seconds(late?.sent - answered)} after it was disabled`);
    assert.equal(
      kept.find((answer) => answer.said !== "200"),
      undefined,
    );
    await lease([at.b], await at.a.issue());
    await at.b.forget();
    await at.b.worker.setFaults(...down);
    await lease([at.b], other);
    expect(await at.b.call("/", { key: revoked.credential }), 401, "disabled");
  });

  test("a record that KV goes back to does not revive its key", { timeout: 120_000 }, async (t) => {
    const at = await begin(t);
    const other = await at.a.issue();
    const kinds = [
      ["disable", "401 disabled"],
      ["delete", "401 unknown"],
      [{ networks: [`${ELSEWHERE}/32`] }, "403 network_denied"],
    ];
    const list = [];
    for (const [change, after] of kinds) list.push({ change, after, ...(await at.a.issue()) });
    for (const kind of list) kind.old = JSON.stringify(await published(at, kind.key));
    for (const place of [at.b, at.c]) await propagate(at.a, place);
    // b knew the keys before they changed; c hears of them only when KV has gone back.
    await lease([at.b], other);
    for (const { credential } of list) expect(await at.b.call("/", { key: credential }), 200);
    for (const kind of list) {
      const { revision } = JSON.parse(kind.old);
      await at.a.change(kind.key.id, kind.change);
      kind.record = await eventually("KV holds the change", async () => {
        const record = await at.a.published(kind.key.id);
        return record?.revision > revision && record;
      });
    }
    for (const place of [at.b, at.c]) await propagate(at.a, place);
    const answered = Date.now();
    // Each hears of the changes, since a key that it never heard of has its lease refreshed.
    await lease([at.b, at.c], await at.a.issue());
    for (const place of [at.b, at.c]) {
      for (const { key, old } of list) await place.worker.putKv(`key/${key.id}`, old);
    }

    /** No isolate may take the old record, whether it remembers the new one or not. */
    const refused = async (place, when) => {
      for (const { change, credential, after } of list) {
        assert.equal(
          said(await place.call("/", { key: credential })),
          after,
          `${JSON.stringify(change)} in ${place.worker.name}, ${when}`,
        );
      }
    };
    const end = answered + T + SLACK;
    let rounds = 0;
    for (; Date.now() < end; rounds += 1) {
      for (const place of [at.b, at.c]) {
        await refused(place, "under its lease");
        await place.forget();
        await lease([place], other);
        await refused(place, "anew");
      }
      await sleep(500);
    }
    t.diagnostic(`${rounds} rounds in ${seconds(Date.now() - answered)}`);
    for (const place of [at.b, at.c]) {
      for (const { key, old } of list) assert.equal(await place.worker.kv(`key/${key.id}`), old);
    }
  });

  test("a record that was read before a change and comes after it is not kept", { timeout: 120_000 }, async (t) => {
    const at = await begin(t);
    const other = await at.a.issue();
    const { credential, key } = await at.a.issue();
    await published(at, key);
    await propagate(at.a, at.c);
    await lease([at.c], other);
    await at.c.worker.setFaults({ on: "KEYS.get", mode: "delay", delay_ms: 2500, match: key.id, times: 1 });
    const slow = at.c.call("/", { key: credential });
    await eventually("KV is asked", async () => (await at.c.worker.counters())["KEYS.get"] === 1);
    await at.a.change(key.id, "disable");
    // c hears of the change: a key that it never heard of has its lease refreshed.
    await lease([at.c], await at.a.issue());
    expect(await at.c.call("/", { key: credential }), 401, "disabled");
    // The slow one came before the change: it may count on what it was told, and nobody after it.
    t.diagnostic(`the slow one: ${said(await slow)}`);
    for (let calls = 0; calls < 5; calls += 1) expect(await at.c.call("/", { key: credential }), 401, "disabled");
    assert.equal((await at.c.published(key.id)).state, "active");
  });
});
