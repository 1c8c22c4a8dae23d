// Activity, taken away as a file.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ORIGIN, begin, expect } from "../../support/journey.mjs";

const HOSTILE = ["=cmd|' /C calc'!A0", '+1,"two"', "@SUM(1,2)", '経理🔑, "引用"', "-1"];

describe("activity", () => {
  let at, keys;
  before(async () => {
    at = await begin();
    keys = [];
    for (const name of HOSTILE) keys.push((await at.issue({ name })).key);
    await at.change(keys[0].id, { networks: ["10.0.0.0/8"], name: "Cron" });
  });
  after(() => at.dispose());

  const read = async (query = "", who = at) => expect(await who.console("GET", `/v1/activity?${query}`), 200).body;
  const file = async (query, who = at) => expect(await who.console("POST", `/v1/activity/export?${query}`), 200);

  test("as JSON Lines is what the pages say", async () => {
    const { entries } = await read();
    const { text, headers } = await file("format=jsonl");
    assert.equal(headers["content-type"], "application/x-ndjson");
    assert.match(headers["content-disposition"], /^attachment; filename="activity-\w{8}\.jsonl"$/);
    assert.equal(headers["cache-control"], "no-store");
    assert.deepEqual(
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
      entries,
    );
    assert.equal((await read()).entries[0].action, "activity_exported", "that it was taken is written down");
  });

  test("as CSV keeps hostile names in their cells, and as text", async () => {
    const { text, headers } = await file("format=csv&action=key_issued");
    assert.match(headers["content-type"], /^text\/csv/);
    assert.equal(headers["claviger-rows-max"], "100000");
    assert.ok(text.startsWith("id,at,action,"), "what decodes takes the byte order mark away");
    const rows = parseCsv(text);
    assert.ok(rows.every((row) => row.length === 10));
    const cells = rows
      .slice(1)
      .map((row) => row[8])
      .reverse();
    assert.deepEqual(
      cells,
      HOSTILE.map((name) => (/^[=+\-@]/.test(name) ? `'${name}` : name)),
    );
    for (const cell of rows.flat()) assert.doesNotMatch(cell, /^[=+\-@\t\r]/);
  });

  test("as CSV begins with a byte order mark", async () => {
    const { body } = await at.worker.fetch("localhost", "/v1/activity/export?format=csv", {
      method: "POST",
      headers: { cookie: at.cookie, origin: ORIGIN },
    });
    const bytes = Buffer.concat(await body.toArray());
    assert.deepEqual([...bytes.subarray(0, 5)], [0xef, 0xbb, 0xbf, 0x69, 0x64]);
  });

  test("is not exported by a request that any page may cause, and the day's exports stay", async () => {
    const exports = async () => (await read("action=activity_exported")).entries.length;
    const before = await exports();
    const path = "/v1/activity/export?format=csv";
    for (const method of ["GET", "HEAD"]) {
      const refused = await at.console(method, path);
      assert.deepEqual([refused.status, refused.headers.allow], [405, "POST"]);
    }
    // More than the exports of a day, as a page of a sibling host would cause them by a form.
    for (let turn = 0; turn < 25; turn += 1) {
      const origin = "http://api.localhost:8787";
      const headers = { "sec-fetch-site": "same-site" };
      expect(await at.console("POST", path, { origin, headers }), 403, "cross_site");
    }
    assert.equal(await exports(), before, "nobody took a file");
    expect(await at.console("POST", path), 200);
    assert.equal(await exports(), before + 1);
  });

  test(
    "of many entries is streamed as a whole, and breaks off when its ledger does",
    { timeout: 120_000 },
    async () => {
      const { key } = await at.issue({ viewable: true });
      for (let batch = 0; batch < 42; batch += 1) {
        await Promise.all(Array.from({ length: 50 }, () => at.console("POST", `/v1/keys/${key.id}/reveal`)));
      }
      await at.worker.resetCounters();
      const lines = (await file(`format=jsonl&key=${key.id}`)).text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.equal(lines.length, 2101);
      assert.equal(new Set(lines.map(({ id }) => id)).size, 2101);
      assert.equal((await at.worker.counters())["LEDGER.fetch"], 5, "500 entries a page");

      // What is searched lies behind all of these.
      await at.worker.resetCounters();
      const found = (await file("format=jsonl&q=sum%281")).text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.deepEqual(
        found.map(({ key }) => key.name),
        [HOSTILE[2]],
      );
      assert.equal((await at.worker.counters())["LEDGER.fetch"], 2, "2,000 entries are looked at for a page");

      const [answered, fails] = [
        { on: "LEDGER.fetch", mode: "delay", times: 1 },
        { on: "LEDGER.fetch", mode: "fail" },
      ];
      await at.worker.setFaults(answered, fails);
      // Where it breaks off before anything of it was sent, there is no answer at all.
      const taken = async () => {
        const begun = await at.worker.fetch("localhost", "/v1/activity/export?format=jsonl", {
          method: "POST",
          headers: { cookie: at.cookie, origin: ORIGIN },
        });
        return begun.text();
      };
      await assert.rejects(taken(), "the file is not taken for whole");
      await at.worker.setFaults();
    },
  );
});

/** RFC 4180. */
function parseCsv(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  rows.pop();
  return rows;
}
