// Leases in workerd: what only the platform can show. The rules themselves are tested and simulated
// in Rust.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";
import { begin, eventually, expect } from "./support/journey.mjs";

/** T, in milliseconds. */
const T = 10_000;

let at;
before(async () => {
  at = await begin();
});
after(() => at.dispose());

test("a lease that is used is renewed beside a request, which does not wait", { timeout: 30_000 }, async () => {
  const { credential } = await at.issue();
  expect(await at.call("/", { key: credential }), 200);
  await sleep((T * 3) / 4);
  await at.worker.setFaults({ on: "LEDGER.fetch", mode: "delay", delay_ms: 1000 });
  await at.worker.resetCounters();
  const begun = Date.now();
  for (let calls = 0; calls < 3; calls += 1) expect(await at.call("/", { key: credential }), 200);
  assert.ok(Date.now() - begun < 900);
  await eventually("the ledger was asked, once", async () => (await at.worker.counters())["LEDGER.fetch"] === 1);
  // Past T of the first refresh: without the second the ledger would be waited for.
  await sleep(T / 2);
  await at.worker.setFaults({ on: "LEDGER.fetch", mode: "fail" });
  expect(await at.call("/", { key: credential }), 200);
});
