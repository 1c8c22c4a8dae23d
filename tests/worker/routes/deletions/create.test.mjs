// A deletion is asked for (A09), but not of a protected key (A10).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { begin, expect } from "../../support/journey.mjs";

const tryBegin = (at, keys) => at.console("POST", "/v1/deletions", { body: { keys } });

describe("A09 deletion by a mailed code", () => {
  let at;
  let other;
  before(async () => {
    at = await begin();
    other = await at.secondAccount();
  });
  after(() => at.dispose());

  const issue = async (name) => (await at.issue({ name })).key.id;

  test("A09 lists of keys that cannot be are refused, and nothing is mailed", async () => {
    const id = await issue("listed");
    const [foreign] = [(await other.issue()).key.id];
    const before = at.worker.mailbox.messages.length;
    const many = Array.from({ length: 101 }, (_, n) => `${id.slice(0, 8)}${String(n).padStart(10, "0")}`);
    for (const [keys, pointer, why] of [
      [[], "#/keys", "required"],
      [many, "#/keys", "too_many"],
      [[id, id], "#/keys/1", "duplicate"],
      [[id, "x"], "#/keys/1", "not_a_key_id"],
    ]) {
      const { body } = expect(await tryBegin(at, keys), 422, "invalid");
      assert.deepEqual([body.errors[0].pointer, body.errors[0].code], [pointer, why]);
    }
    assert.deepEqual(expect(await tryBegin(at, [id, foreign, many[0]]), 404, "not_found").body.keys, [
      foreign,
      many[0],
    ]);
    expect(
      await at.console("POST", "/v1/deletions", { raw: `{"keys":["${"x".repeat(100_000)}"]}` }),
      413,
      "body_too_large",
    );
    assert.equal(at.worker.mailbox.messages.length, before);
  });

  test("A10 a protected key is refused by name", async () => {
    const plain = await issue("Plain");
    const { key } = await at.issue({ name: "Old one", protected: true });
    assert.equal(key.protected, true);
    const refused = expect(await tryBegin(at, [plain, key.id]), 409, "protected");
    assert.deepEqual(refused.body.keys, [{ id: key.id, name: "Old one" }]);
    await at.change(key.id, { protected: false });
    await at.deleteKeys(plain, key.id);
  });
});
