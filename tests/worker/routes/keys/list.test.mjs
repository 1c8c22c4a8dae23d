// The list of keys: names in any script are found by any part of them, and stand in a reader's order.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { begin, expect } from "../../support/journey.mjs";

/** In the order of names. */
const NAMES = [
  "1️⃣ first",
  "Café",
  "KEY 1",
  "key 2",
  "ｋｅｙ　３",
  "key 10",
  "Straße",
  "か\u3099ぞう", // が as two characters
  "ｷｰ",
  "サーバー",
  "東京本社ビルド",
  "神\ufa19", // one character, and its other form
  "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
  "👩\u200d💻 laptop",
];

describe("names in the list", () => {
  let at;
  before(async () => {
    at = await begin();
    for (const name of NAMES.toReversed()) await at.issue({ name });
  });
  after(() => at.dispose());

  const list = async (query) => expect(await at.console("GET", `/v1/keys?${new URLSearchParams(query)}`), 200).body;

  test("stay as they were sent, and are ordered as people count and read", async () => {
    const names = async (sort) => {
      const seen = [];
      let cursor = null;
      do {
        const page = await list({ sort, limit: 4, ...(cursor && { cursor }) });
        seen.push(...page.keys.map(({ name }) => name));
        cursor = page.next;
      } while (cursor);
      return seen;
    };
    assert.deepEqual(await names("name"), NAMES);
    assert.deepEqual(await names("-name"), NAMES.toReversed());
  });

  for (const [q, ...found] of [
    ["本社", "東京本社ビルド"],
    ["びるど 東", "東京本社ビルド"],
    ["ﾋﾞﾙ", "東京本社ビルド"],
    ["ピル"],
    ["が", "か\u3099ぞう"],
    ["カ\u3099ゾ", "か\u3099ぞう"],
    ["きー", "ｷｰ"],
    ["ｰﾊﾞｰ", "サーバー"],
    ["バ\u200bー", "サーバー"],
    ["cafe", "Café"],
    ["CAFE\u0301", "Café"],
    ["rass", "Straße"],
    ["ｅｙ", "KEY 1", "key 2", "ｋｅｙ　３", "key 10"],
    ["神", "神\ufa19"],
    ["👩\u200d💻", "👩\u200d💻 laptop"],
    ["%"],
    ["' OR 1=1 --"],
  ]) {
    test(`${JSON.stringify(q)} finds ${found.length}`, async () => {
      const page = await list({ q, sort: "name" });
      assert.deepEqual([page.keys.map(({ name }) => name), page.total], [found, found.length]);
      const activity = expect(await at.console("GET", `/v1/activity?${new URLSearchParams({ q })}`), 200).body;
      const names = new Set(activity.entries.map(({ key }) => key?.name));
      assert.deepEqual(names, new Set(found), "activity is searched alike");
    });
  }
});
