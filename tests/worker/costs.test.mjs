// What changes of keys, and doing nothing, cost of the platform: `docs/operating.md` says it, and
// workerd counts.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { begin, eventually, expect } from "./support/journey.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;
/** By then a reading of KV shows what was changed before. */
const SETTLED_MS = 20 * 60 * 1000;

const page = await readFile(new URL("../../docs/operating.md", import.meta.url), "utf8");
const [, table] = /<!-- costs -->\n.*?\n\| ---.*?\n(.*?)\n<!-- \/costs -->/s.exec(page);
/** By what is done: how often the object is called, its alarm rings, rows are read and written, and KV is asked. */
const told = Object.fromEntries(
  table.split("\n").map((line) => {
    const [name, ...numbers] = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    return [name, numbers.map(Number)];
  }),
);

let at;
/** The key that all of it is done to. */
let key;
let ahead_ms = 0;
before(async () => {
  at = await begin();
  for (const name of ["Nightly job", "Laptop", "Phone"]) await at.issue({ name });
  await pass(SETTLED_MS);
  await at.signIn();
});
after(() => at.dispose());

async function goAhead(ms) {
  ahead_ms += ms;
  return (await at.worker.setClock(ahead_ms, at.session.account.id)).due;
}

const now = () => Date.now() + ahead_ms;

/** Waits until the ledger owes nothing that is due; resolves to when it is. An alarm that rings is set anew for 30 s ahead. */
const idle = () =>
  eventually("the ledger is idle", async () => {
    const due = await goAhead(0);
    return due !== null && due > now() + 31_000 && due;
  });

/** Lets time pass for the ledger. */
async function pass(ms) {
  const end = now() + ms;
  for (let due = await idle(); due < end; due = await idle()) await goAhead(due - now() + 1);
  await goAhead(end - now());
}

const changed = async (method, path, body) => {
  const headers = { "if-match": `"${key.revision}"` };
  key = expect(await at.console(method, `/v1/keys/${key.id}${path}`, { headers, body }), 200).body.key;
};

/** In their order: each goes on with what the one before has left. */
const doings = {
  "issue a key": async () => {
    ({ key } = await at.issue({ name: "Build server", networks: "203.0.113.0/24" }));
  },
  "rename it": () => changed("PATCH", "", { name: "Deployment" }),
  "find it by a part of its name": async () => {
    expect(await at.console("GET", "/v1/keys?q=ploy"), 200);
  },
  "restrict it to other networks": () => changed("PATCH", "", { networks: "198.51.100.0/24, 192.0.2.0/24" }),
  "disable it": () => changed("POST", "/disable"),
  "delete it, by a mailed code": () => at.deleteKeys(key.id),
  "see that a change has settled": () => pass(SETTLED_MS),
  "a day of an account with four keys that nobody uses": () => pass(DAY_MS),
};

test("the page tells of each, and of nothing else", () => {
  assert.deepEqual(Object.keys(told), Object.keys(doings));
});

for (const [name, carryOut] of Object.entries(doings)) {
  test(`${name} costs what the page says`, async () => {
    // What is left of the days before is not of this one.
    if (name.startsWith("a day")) await pass(4 * DAY_MS);
    await at.worker.resetCounters();
    await carryOut();
    await idle();
    const counted = { ...(await at.worker.counters()), ...(await at.worker.meters()) };
    const sum = (...names) => names.reduce((sum, name) => sum + (counted[name] ?? 0), 0);
    const seen = [
      sum("LEDGER.fetch"),
      sum("Ledger.alarm"),
      sum("Ledger.rowsRead"),
      // To set an alarm is to write a row.
      sum("Ledger.rowsWritten", "Ledger.setAlarm"),
      sum("KEYS.put", "KEYS.get", "KEYS.list"),
    ];
    for (const [place, number] of told[name].entries()) {
      const fits = seen[place] <= number && seen[place] >= 0.8 * number - 1;
      assert.ok(fits, `${seen.join(", ")}; the page says ${told[name].join(", ")}`);
    }
  });
}
