// The past notices of members, as the console lists them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { begin, expect } from "./support/journey.mjs";
import { codeOf } from "./support/totp.mjs";

const PASSWORD = "staple battery correct";
const TOTP = "/v1/member/factors/totp";

/** The owner, and a viewer of the account. */
let owner, viewer;
before(async () => {
  owner = await begin();
  viewer = await owner.memberJoins("vera@example.net", "viewer", { password: PASSWORD });
});
after(() => owner.dispose());

const list = async (who, query = "") => expect(await who.console("GET", `/v1/notices${query}`), 200).body;
const kinds = ({ notices }) => notices.map(({ kind }) => kind);
const unread = async (who) => expect(await who.console("GET", "/v1/session"), 200).body.unread_notices;

test("a notice is in the list of its member alone, with what it is about", async () => {
  const joined = await list(owner);
  assert.deepEqual(kinds(joined), ["member_joined"]);
  assert.deepEqual(joined.notices[0].details, { name: "The viewer", email: "vera@example.net", role: "viewer" });
  assert.deepEqual([joined.next, joined.unread, joined.notices[0].unread], [null, 1, true]);
  assert.deepEqual(await list(viewer).then(kinds), []);

  const { key } = await owner.issue({ name: "Build server" });
  await owner.deleteKeys(key.id);
  await viewer.signIn({ email: "vera@example.net", password: PASSWORD, ip: "192.0.2.77" });
  const { secret } = expect(await viewer.console("POST", TOTP), 201).body;
  expect(await viewer.console("POST", `${TOTP}/confirm`, { body: { code: codeOf(secret) } }), 200);

  const [deleted] = (await list(owner)).notices;
  assert.deepEqual([deleted.kind, deleted.by, deleted.more], ["keys_deleted", owner.session.member.name, 0]);
  const { id, access_key, name } = key;
  assert.deepEqual(deleted.items, [{ key: { id, access_key, name } }]);
  assert.ok(Date.parse(deleted.details.restorable_until) > Date.now());
  assert.ok(deleted.address);
  const theirs = await list(viewer);
  assert.deepEqual(kinds(theirs), ["factors_changed", "new_network"]);
  assert.deepEqual(theirs.notices[0].details, { change: "turned_on", passkey: null, recovery_codes_left: 10 });
  assert.equal(theirs.notices[1].address, "192.0.2.77");
});

test("pages follow each other by their cursors, and odd queries are refused by name", async () => {
  const first = await list(owner, "?limit=1");
  assert.deepEqual([kinds(first), first.next], [["keys_deleted"], first.notices[0].id]);
  const second = await list(owner, `?limit=1&cursor=${first.next}`);
  assert.deepEqual([kinds(second), second.next], [["member_joined"], null]);
  for (const [query, pointer, code] of [
    ["?limit=51", "#/limit", "not_one_of"],
    ["?limit=0", "#/limit", "not_one_of"],
    ["?cursor=x", "#/cursor", "malformed"],
    ["?cursor=-1", "#/cursor", "malformed"],
    ["?cursor=99999999999", "#/cursor", "malformed"],
    ["?kind=act", "#/kind", "unknown_parameter"],
  ]) {
    const { errors } = expect(await owner.console("GET", `/v1/notices${query}`), 422, "invalid").body;
    assert.deepEqual([errors[0].pointer, errors[0].code], [pointer, code], query);
  }
});

test("what a member has looked at is read, and what comes later is not", async () => {
  assert.equal(await unread(owner), 2);
  const [newest, oldest] = (await list(owner)).notices;
  const read = async (id) => expect(await owner.console("POST", "/v1/notices/read", { body: { id } }), 200).body.unread;
  assert.equal(await read(oldest.id), 1);
  assert.deepEqual(
    (await list(owner)).notices.map((notice) => notice.unread),
    [true, false],
  );
  // A number from the future hides nothing that comes.
  assert.equal(await read(4_000_000_000), 0);
  assert.equal(await read(newest.id), 0);
  assert.deepEqual([await unread(owner), await unread(viewer)], [0, 2]);
  await owner.memberJoins("ana@example.net", "admin", { password: PASSWORD });
  assert.equal(await unread(owner), 1);
  for (const body of [{ id: -1 }, { id: 1.5 }, { id: 2 ** 40 }, {}, { id: 1, all: true }])
    expect(await owner.console("POST", "/v1/notices/read", { body }), 400, "malformed_body");
});
