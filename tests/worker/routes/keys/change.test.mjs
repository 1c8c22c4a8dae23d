// Changes of a key: facts of use before an edit (A06, A11), and coming back after a deletion (A09).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CALLER, begin, eventually, expect } from "../../support/journey.mjs";

let at;
before(async () => (at = await begin()));
after(() => at.dispose());

test("A06, A11: who uses a key is told before an edit locks them out, and the edit holds at once where it was made", async () => {
  const { key, credential } = await at.issue();
  for (const ip of [CALLER, CALLER, "192.0.2.9"]) expect(await at.call("/", { key: credential, ip }), 200);
  const check = async (networks) =>
    expect(await at.console("POST", "/v1/keys/check", { body: { key: key.id, networks } }), 200).body.locked_out;
  // What was counted here goes with the next refresh, which an unknown key asks for.
  await eventually("the uses are told", async () => {
    await at.call("/", { key: (await at.issue()).credential });
    return (await at.show(key.id)).uses_24h === 3;
  });
  const shown = await at.show(key.id);
  assert.ok(Date.parse(shown.last_used_at) <= Date.now());
  // Whoever is about to delete it is told, too.
  const [named] = (await at.beginDeletion(key.id)).keys;
  assert.deepEqual([named.id, named.uses_24h, named.last_used_at], [key.id, 3, shown.last_used_at]);
  const out = await check("192.0.2.0/24");
  assert.deepEqual(
    out.map(({ address, count }) => [address, count]),
    [[CALLER, 2]],
  );
  assert.ok(Date.parse(out[0].last_at) <= Date.now());
  assert.deepEqual(await check(""), []);
  assert.equal(
    expect(await at.console("POST", "/v1/keys/check", { body: { networks: "" } }), 200).body.locked_out,
    null,
  );

  const { bound } = await at.change(key.id, { networks: ["192.0.2.0/24"] });
  assert.ok(bound.within_s <= 10);
  expect(await at.call("/", { key: credential }), 403, "network_denied");
  expect(await at.call("/", { key: credential, ip: "192.0.2.9" }), 200);
  expect(await at.tryIssue({ key: key.id }), 422, "invalid");
});

describe("A09 deletion by a mailed code", () => {
  test("A09 a deleted key is listed, and comes back as it was", async () => {
    const { key, credential } = await at.issue({ name: "Lazarus" });
    await at.deleteKeys(key.id);
    const listed = async (query) =>
      (await at.console("GET", `/v1/keys?q=lazarus${query}`)).body.keys.map(({ status }) => status);
    assert.deepEqual(
      [await listed(""), await listed("&deleted=only"), await listed("&deleted=no")],
      [["deleted"], ["deleted"], []],
    );
    const deleted = await at.show(key.id);
    assert.equal(Date.parse(deleted.restorable_until) - Date.parse(deleted.deleted_at), 30 * 86_400_000);
    const restored = await at.change(key.id, "restore");
    assert.deepEqual([restored.key.status, restored.bound, restored.key.deleted_at], ["active", null, null]);
    expect(await at.call("/", { key: credential }), 200);
    await at.forget();
    expect(await at.call("/", { key: credential }), 200);
    const headers = { "if-match": `"${restored.key.revision}"` };
    expect(await at.console("POST", `/v1/keys/${key.id}/restore`, { headers }), 409, "not_deleted");
  });
});
