// Activity, over HTTP: filters, pages, files.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { OFFICE, begin, expect } from "../../support/journey.mjs";

const HOSTILE = ["=cmd|' /C calc'!A0", '+1,"two"', "@SUM(1,2)", "経理🔑, \"引用\"", "-1"];

describe("activity", () => {
  let at, other, keys;
  before(async () => {
    at = await begin();
    other = await at.secondAccount();
    keys = [];
    for (const name of HOSTILE) keys.push((await at.issue({ name })).key);
    await at.change(keys[0].id, { networks: ["10.0.0.0/8"], name: "Cron" });
  });
  after(() => at.dispose());

  const read = async (query = "", who = at) => expect(await who.console("GET", `/v1/activity?${query}`), 200).body;
  const file = async (query, who = at) => expect(await who.console("GET", `/v1/activity/export?${query}`), 200);
  const names = (entries) => entries.map(({ action }) => action);

  test("tells who did what from where, latest first", async () => {
    const { entries, next } = await read();
    const [edited, issued] = entries;
    assert.deepEqual([edited.action, issued.action], ["key_edited", "key_issued"]);
    assert.deepEqual(edited.by, { kind: "member", id: at.session.member.id, name: "Mei Tanaka" });
    assert.deepEqual([edited.address, edited.key], [OFFICE, { id: keys[0].id, name: "Cron" }]);
    assert.deepEqual(edited.changes, { name: { from: HOSTILE[0], to: "Cron" }, networks: { from: [], to: ["10.0.0.0/8"] } });
    assert.equal(next, null);
  });

  test("is filtered by key, member, action, time and name", async () => {
    const today = new Intl.DateTimeFormat("sv", { timeZone: "Asia/Tokyo" }).format(new Date());
    for (const [query, count] of [
      [`key=${keys[1].id}`, 1],
      [`key=${keys[0].id}&action=key_edited`, 1],
      [`member=${at.session.member.id}&action=key_issued&from=${today}`, 5],
      ["to=2020-01-01", 0],
      ["from=2099-01-01T00%3A00%3A00Z", 0],
      [`q=${encodeURIComponent("引用")}`, 1],
      ["q=cron", 2],
      ["action=key_issued&q=mei", 5],
      [`key=${"z".repeat(18)}`, 0],
      [`member=${other.session.member.id}`, 0],
    ]) {
      assert.equal((await read(query)).entries.length, count, query);
    }
    assert.ok(!names((await read("", other)).entries).includes("key_issued"), "another account's is another");
  });

  test("comes in pages that hold each entry once", async () => {
    const seen = [];
    let cursor = "";
    do {
      const { entries, next } = await read(`limit=2&cursor=${cursor}`);
      seen.push(...entries.map(({ id }) => id));
      cursor = next;
    } while (cursor);
    assert.deepEqual(seen, (await read()).entries.map(({ id }) => id));
  });

  test("refuses what it does not know", async () => {
    for (const query of ["page=2", "limit=51", "action=issue", "from=soon", "member=root", "cursor=x", `q=${"a".repeat(60)}`]) {
      expect(await at.console("GET", `/v1/activity?${query}`), 422, "invalid");
    }
    for (const query of ["", "format=xls", "format=csv&limit=5", "format=csv&from=soon"]) {
      expect(await at.console("GET", `/v1/activity/export?${query}`), 422, "invalid");
    }
    for (const path of ["/v1/activity", "/v1/activity/export?format=csv"]) {
      expect(await at.console("GET", path, { cookie: null }), 401, "not_signed_in");
    }
  });

  test("as JSON Lines is what the pages say", async () => {
    const { entries } = await read();
    const { text, headers } = await file("format=jsonl");
    assert.equal(headers["content-type"], "application/x-ndjson");
    assert.match(headers["content-disposition"], /^attachment; filename="activity-\w{8}\.jsonl"$/);
    assert.equal(headers["cache-control"], "no-store");
    assert.deepEqual(text.trimEnd().split("\n").map((line) => JSON.parse(line)), entries);
    assert.equal((await read()).entries[0].action, "activity_exported", "that it was taken is written down");
  });

  test("as CSV keeps hostile names in their cells, and as text", async () => {
    const { text, headers } = await file("format=csv&action=key_issued");
    assert.match(headers["content-type"], /^text\/csv/);
    assert.equal(headers["claviger-rows-max"], "100000");
    assert.ok(text.startsWith("id,at,action,"), "what decodes takes the byte order mark away");
    const rows = parseCsv(text);
    assert.ok(rows.every((row) => row.length === 10));
    const cells = rows.slice(1).map((row) => row[8]).reverse();
    assert.deepEqual(cells, HOSTILE.map((name) => (/^[=+\-@]/.test(name) ? `'${name}` : name)));
    for (const cell of rows.flat()) assert.doesNotMatch(cell, /^[=+\-@\t\r]/);
  });

  test("as CSV begins with a byte order mark", async () => {
    const { body } = await at.worker.fetch("localhost", "/v1/activity/export?format=csv", { headers: { cookie: at.cookie } });
    const bytes = Buffer.concat(await body.toArray());
    assert.deepEqual([...bytes.subarray(0, 5)], [0xef, 0xbb, 0xbf, 0x69, 0x64]);
  });

  test("to a HEAD is its head alone", async () => {
    const exports = async () => (await read("action=activity_exported")).entries.length;
    const before = await exports();
    for (const path of ["/v1/activity", "/v1/activity/export?format=csv"]) {
      const { status, text } = await at.console("HEAD", path);
      assert.deepEqual([status, text], [200, ""]);
    }
    assert.equal(await exports(), before, "nobody took a file");
  });

  test("of many entries is streamed as a whole, and breaks off when its ledger does", { timeout: 120_000 }, async () => {
    const { key } = await at.issue({ viewable: true });
    for (let batch = 0; batch < 42; batch += 1) {
      await Promise.all(Array.from({ length: 50 }, () => at.console("POST", `/v1/keys/${key.id}/reveal`)));
    }
    await at.worker.resetCounters();
    const lines = (await file(`format=jsonl&key=${key.id}`)).text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(lines.length, 2101);
    assert.equal(new Set(lines.map(({ id }) => id)).size, 2101);
    assert.equal((await at.worker.counters())["LEDGER.fetch"], 5, "500 entries a page");

    // What is searched lies behind all of these.
    await at.worker.resetCounters();
    const found = (await file("format=jsonl&q=sum%281")).text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(found.map(({ key }) => key.name), [HOSTILE[2]]);
    assert.equal((await at.worker.counters())["LEDGER.fetch"], 2, "2,000 entries are looked at for a page");

    const [answered, fails] = [{ on: "LEDGER.fetch", mode: "delay", times: 1 }, { on: "LEDGER.fetch", mode: "fail" }];
    await at.worker.setFaults(answered, fails);
    // Where it breaks off before anything of it was sent, there is no answer at all.
    const taken = async () => {
      const begun = await at.worker.fetch("localhost", "/v1/activity/export?format=jsonl", { headers: { cookie: at.cookie } });
      return begun.text();
    };
    await assert.rejects(taken(), "the file is not taken for whole");
    await at.worker.setFaults();
  });
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
