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

test("an expired key can be renamed by a client that sends its fields back", async () => {
  const { key } = await at.issue({ expires: "1s", networks: ["203.0.113.0/24"] });
  await eventually("it has expired", async () => (await at.show(key.id)).status === "expired");
  const { name, networks, permissions, expires_at } = await at.show(key.id);
  const all = { name, networks, permissions, expires: expires_at };
  const same = await at.change(key.id, all);
  assert.deepEqual([same.key.status, same.key.expires_at, same.bound], ["expired", expires_at, null]);
  const renamed = await at.change(key.id, { ...all, name: "Renamed" });
  assert.deepEqual([renamed.key.name, renamed.key.expires_at], ["Renamed", expires_at]);
  const headers = { "if-match": `"${renamed.key.revision}"` };
  const past = { body: { expires: new Date(Date.parse(expires_at) - 1).toISOString() }, headers };
  const { errors } = expect(await at.console("PATCH", `/v1/keys/${key.id}`, past), 422, "invalid").body;
  assert.deepEqual([errors[0].pointer, errors[0].code], ["#/expires", "in_the_past"]);
});

test("every time in an answer has three decimals", async () => {
  const { key, credential } = await at.issue({ expires: "2099-06-30T15:00:00.25Z", not_before: "2020-01-01" });
  assert.deepEqual([key.expires_at, key.not_before], ["2099-06-30T15:00:00.250Z", "2019-12-31T15:00:00.000Z"]);
  const verifier = await at.issue({ permissions: ["claviger:verify"] });
  const headers = { "claviger-verifier": verifier.credential };
  const verdict = await at.console("POST", "/v1/verify", { body: { credential }, headers });
  assert.equal(expect(verdict, 200).body.expires_at, "2099-06-30T15:00:00.250Z");
  for (const path of ["/v1/keys", "/v1/session", "/v1/activity", "/v1/account/service"]) {
    const { text } = expect(await at.console("GET", path), 200);
    const times = text.match(/"\d{4}-\d\d-\d\dT[^"]*"/g) ?? [];
    assert.ok(times.length > 0, path);
    for (const time of times) assert.match(time, /T\d\d:\d\d:\d\d\.\d{3}Z"$/, path);
  }
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
