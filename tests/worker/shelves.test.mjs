// Leases that rest on copies of what the ledger has said: its documents in KV, and what isolates of
// one data centre share.
//
// Each test has a deployment of its own and they run side by side: most of their time they wait for
// T.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RULES, eventually, expect } from "./support/journey.mjs";
import { beginLocations, propagate, said, watch } from "./support/locations.mjs";

/** T, in milliseconds. */
const T = 10_000;

/** How late a test may be itself, on a machine that has much to do. */
const SLACK = 2000;

const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

async function begin(t, vars, options = {}) {
  const at = await beginLocations(["a", "b", "c"], { vars: { RULES, ...vars }, ...options });
  t.after(() => at.dispose());
  return at;
}

/** The lease document that KV holds in a place. */
async function documentIn(place, account) {
  return JSON.parse(await place.worker.kv(`lease/${account}`));
}

/** Waits until the document where the ledger is tells of a key's change. */
async function documented(at, { id, revision }) {
  return eventually("the document tells of it", async () => {
    const document = await documentIn(at.a, id.slice(0, 8));
    return document?.revision >= revision && document;
  });
}

const published = (at, { id, revision }) =>
  eventually("KV holds the last change", async () => (await at.a.published(id))?.revision === revision);

describe("copies of what the ledger says", { concurrency: true }, () => {
  test(
    "eventual: a place that knows only KV refuses within T of the document's coming, without the ledger",
    { timeout: 120_000 },
    async (t) => {
      const at = await begin(t, { FRESHNESS: "eventual" });
      const { credential, key } = await at.a.issue();
      const other = await at.a.issue();
      for (const one of [key, other.key]) await published(at, one);
      await documented(at, other.key);
      for (const place of [at.b, at.c]) await propagate(at.a, place);
      await at.b.worker.resetCounters();
      for (const one of [credential, other.credential]) expect(await at.b.call("/", { key: one }), 200);
      const cold = await at.b.worker.counters();
      assert.deepEqual([cold["KEYS.get"], cold["LEDGER.fetch"]], [3, undefined], "a document and two records");

      const changed = Date.now();
      const { bound, key: disabled } = await at.a.change(key.id, "disable");
      assert.deepEqual(bound, { at: null, within_s: null }, "nobody says when");
      expect(await at.a.call("/", { key: credential }), 401, "disabled");
      await documented(at, disabled);
      // KV is late by as much as it likes: so is b.
      const late = await watch(at.b, [credential], changed + T + SLACK);
      assert.deepEqual([...new Set(late[0].map((answer) => answer.said))], ["200"]);
      const before = await documentIn(at.b, key.id.slice(0, 8));
      // The document comes, the record still does not.
      const came = Date.now();
      await at.b.worker.putKv(
        `lease/${key.id.slice(0, 8)}`,
        JSON.stringify(await documentIn(at.a, key.id.slice(0, 8))),
      );
      const [gone, kept] = await watch(at.b, [credential, other.credential], came + T + SLACK);
      const first = gone.find((answer) => answer.said === "401 disabled");
      t.diagnostic(
        `refused in b ${seconds(first.sent - came)} after the document came, ${seconds(first.sent - changed)} after the change`,
      );
      assert.ok(first.sent - came <= T + SLACK);
      assert.equal(
        gone.findLast((answer) => answer.said !== "401 disabled").sent < first.sent,
        true,
        "and never again let through",
      );
      assert.deepEqual([...new Set(kept.map((answer) => answer.said))], ["200"]);
      assert.equal((await at.b.published(key.id)).state, "active");

      // KV goes back: the isolate does not.
      await at.b.worker.putKv(`lease/${key.id.slice(0, 8)}`, JSON.stringify(before));
      const [back] = await watch(at.b, [credential], Date.now() + T + SLACK);
      assert.deepEqual([...new Set(back.map((answer) => answer.said))], ["401 disabled"]);
      // Only of the key that KV may have wrong the ledger was asked, once.
      const { isolate } = (await at.b.console("GET", "/v1/counters")).body;
      assert.equal(isolate.refreshes, 1, JSON.stringify(isolate));
      const { document_reads, kv_reads } = isolate;
      t.diagnostic(
        `b: ${document_reads} documents, ${kv_reads} records, 1 answer of the ledger in ${seconds(Date.now() - changed)}`,
      );
    },
  );

  test(
    "eventual: a new key works everywhere at once, and where there is no document the ledger answers",
    { timeout: 60_000 },
    async (t) => {
      const at = await begin(t, { FRESHNESS: "eventual" });
      const { credential } = await at.a.issue();
      for (const place of at.all) expect(await place.call("/", { key: credential }), 200);
      await at.a.forget();
      const newer = await at.b.issue();
      for (const place of at.all) expect(await place.call("/", { key: newer.credential }), 200);
      const session = await at.a.console("GET", "/v1/session");
      assert.equal(session.body.account.freshness, "eventual");
    },
  );

  test(
    "grace: a cold isolate goes by the document while the ledger is away, for so long and no longer",
    { timeout: 60_000 },
    async (t) => {
      const grace = 6000;
      const at = await begin(t, { OUTAGE: `grace:${grace / 1000}` });
      const { credential, key } = await at.a.issue();
      const verifier = await at.a.issue({ permissions: ["claviger:verify"] });
      for (const one of [key, verifier.key]) await published(at, one);
      await documented(at, verifier.key);
      await propagate(at.a, at.b);
      // b has never heard of the account, and the ledger does not answer there.
      await at.b.worker.setFaults({ on: "LEDGER.fetch", mode: "fail" });
      const begun = Date.now();
      expect(await at.b.call("/", { key: credential }), 200);
      const check = { credential };
      const verdict = await at.b.console("POST", "/v1/verify", {
        body: check,
        headers: { "claviger-verifier": verifier.credential },
        cookie: null,
        origin: null,
      });
      assert.equal(verdict.body.verdict, "valid");
      const { stale, lease, source } = verdict.body.evidence;
      assert.deepEqual({ stale, lease, source }, { stale: true, lease: "document", source: "memory" });
      const [seen] = await watch(at.b, [credential], begun + grace + SLACK);
      const last = seen.findLast((answer) => answer.said === "200");
      t.diagnostic(`let through for ${seconds(last.sent - begun)}, of ${seconds(grace)}`);
      assert.ok(last.sent - begun <= grace + SLACK);
      assert.equal(seen.at(-1).said, "503 unavailable");
      await at.b.worker.setFaults();
      await eventually("b is back", async () => said(await at.b.call("/", { key: credential })) === "200");
      const { bound } = await at.a.change(key.id, "disable");
      assert.equal(bound.within_s, (T + grace) / 1000, "the grace is in what is promised");
    },
  );

  test(
    "sharing: a new isolate begins with what its neighbour was told, within T, and another place does not",
    { timeout: 60_000 },
    async (t) => {
      const at = await begin(t, {}, { sharing: true });
      const { credential, key } = await at.a.issue();
      await published(at, key);
      for (const place of [at.b, at.c]) await propagate(at.a, place);
      expect(await at.b.call("/", { key: credential }), 200);
      await eventually("it is shared", async () => (await at.b.worker.counters())["CACHE.put"] === 1);
      await at.b.forget();
      await at.b.worker.resetCounters();
      expect(await at.b.call("/", { key: credential }), 200);
      assert.deepEqual(await at.b.worker.counters(), { "CACHE.match": 1, "KEYS.get": 1, "DEMO.fetch": 1 });
      await at.c.worker.resetCounters();
      expect(await at.c.call("/", { key: credential }), 200);
      assert.equal((await at.c.worker.counters())["LEDGER.fetch"], 1);

      // A change is no later for it.
      const changed = Date.now();
      await at.a.change(key.id, "disable");
      let isolates = 0;
      let seen = "200";
      for (; seen === "200" && Date.now() < changed + T + SLACK; isolates += 1) {
        await at.b.forget();
        seen = said(await at.b.call("/", { key: credential }));
      }
      assert.equal(seen, "401 disabled");
      t.diagnostic(`refused after ${seconds(Date.now() - changed)}, by isolate ${isolates} since the change`);
      // What the owner sees of it.
      const { body } = await at.b.console("GET", "/v1/counters");
      assert.ok(body.isolate.shared_reads >= 1, JSON.stringify(body));
      expect(await at.b.console("GET", "/v1/counters", { cookie: null }), 401, "not_signed_in");
    },
  );
});
