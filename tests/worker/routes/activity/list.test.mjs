// Activity, over HTTP: filters and pages.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { OFFICE, begin, expect } from "../../support/journey.mjs";

const HOSTILE = ["=cmd|' /C calc'!A0", '+1,"two"', "@SUM(1,2)", '経理🔑, "引用"', "-1"];

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
  const names = (entries) => entries.map(({ action }) => action);

  test("tells who did what from where, latest first", async () => {
    const { entries, next } = await read();
    const [edited, issued] = entries;
    assert.deepEqual([edited.action, issued.action], ["key_edited", "key_issued"]);
    assert.deepEqual(edited.by, { kind: "member", id: at.session.member.id, name: "Mei Tanaka" });
    assert.deepEqual([edited.address, edited.key], [OFFICE, { id: keys[0].id, name: "Cron" }]);
    assert.deepEqual(edited.changes, {
      name: { from: HOSTILE[0], to: "Cron" },
      networks: { from: [], to: ["10.0.0.0/8"] },
    });
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
    assert.deepEqual(
      seen,
      (await read()).entries.map(({ id }) => id),
    );
  });

  test("refuses what it does not know", async () => {
    for (const query of [
      "page=2",
      "limit=51",
      "action=issue",
      "from=soon",
      "member=root",
      "cursor=x",
      `q=${"a".repeat(60)}`,
    ]) {
      expect(await at.console("GET", `/v1/activity?${query}`), 422, "invalid");
    }
    for (const query of ["", "format=xls", "format=csv&limit=5", "format=csv&from=soon"]) {
      expect(await at.console("POST", `/v1/activity/export?${query}`), 422, "invalid");
    }
    for (const [method, path] of [
      ["GET", "/v1/activity"],
      ["POST", "/v1/activity/export?format=csv"],
    ]) {
      expect(await at.console(method, path, { cookie: null }), 401, "not_signed_in");
    }
  });
});
