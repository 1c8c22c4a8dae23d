// Changing API users: edits, locks, deletion and restore.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ANY_USER, change, check, create, tryChange, tryCreate } from "../../support/api-users.mjs";
import { OWNER, begin, eventually, expect } from "../../support/journey.mjs";

let at;
before(async () => {
  at = await begin();
});
after(() => at.dispose());

const show = async ({ id }) => expect(await at.console("GET", `/v1/api-users/${id}`), 200).body;

describe("an edit", () => {
  test("changes every field, and states a bound where it narrows (C12, C14)", async () => {
    const made = await create(at, { name: "edit@example.com" });
    let { user } = made;
    for (const [changes, narrows] of [
      [{ interfaces: ["http"] }, true],
      [{ group: "normal", zone: "UTC" }, true],
      [{ view_personal_data: true }, false],
      [{ own_data_only: true }, true],
      [{ networks: "203.0.113.0/24", expires: "90d" }, true],
      [{ expires: "never", networks: "" }, false],
    ]) {
      const answer = await change(at, user, changes);
      assert.equal(answer.bound !== null, narrows, JSON.stringify(changes));
      user = answer.user;
    }
    assert.deepEqual([user.interfaces, user.group, user.own_data_only], [["http"], "normal", true]);
    assert.equal(user.api_key_version, 1);
    const stale = expect(await tryChange(at, made.user, { group: "admin" }), 412, "changed_meanwhile");
    assert.equal(stale.body.user.revision, user.revision);
    expect(await at.console("PATCH", `/v1/api-users/${user.id}`, { body: {} }), 400, "bad_header");
  });

  test("changes the API key only when it is sent, and the old one dies (C13)", async () => {
    const { user } = await create(at, { name: "rekey@example.com" });
    const answer = await change(at, user, { api_key: "N3w-traffic", api_key_confirmation: "N3w-traffic" });
    assert.ok(answer.bound && answer.user.api_key_version > user.api_key_version);
    await eventually("the old secret is refused", async () => {
      return (await check(at.worker, user.name, ANY_USER.api_key)) === "refused";
    });
    assert.equal(await check(at.worker, user.name, "N3w-traffic"), `matches ${answer.user.api_key_version}`);
    const drawn = await change(at, answer.user, { generate: true });
    assert.match(drawn.api_key, /^[0-9A-Za-z]{43}$/);
    await eventually("the drawn secret counts alone", async () => {
      return (await check(at.worker, user.name, "N3w-traffic")) === "refused";
    });
    assert.equal(await check(at.worker, user.name, drawn.api_key), `matches ${drawn.user.api_key_version}`);
    const same = await change(at, drawn.user, { group: "admin" });
    assert.equal(same.user.api_key_version, drawn.user.api_key_version);
  });

  test("renames, with the secret, and frees the old name", async () => {
    const { user } = await create(at, { name: "old.name@example.com" });
    await create(at, { name: "in.use@example.com" });
    const taken = expect(await tryChange(at, user, { name: "in.use@example.com" }), 422);
    assert.deepEqual(
      taken.body.errors.map(({ code }) => code),
      ["taken"],
    );
    const { user: renamed, bound } = await change(at, user, { name: "New.Name@example.com" });
    assert.ok(bound && renamed.name === "new.name@example.com");
    assert.equal(await check(at.worker, renamed.name, ANY_USER.api_key), `matches ${renamed.api_key_version}`);
    await eventually("the old name is refused", async () => {
      return (await check(at.worker, "old.name@example.com", ANY_USER.api_key)) === "refused";
    });
    // Back again, and on with another secret.
    const { user: back } = await change(at, renamed, { name: "old.name@example.com", api_key: "Th1rd-key" });
    await eventually("the name is back with its secret", async () => {
      return (await check(at.worker, back.name, "Th1rd-key")) === `matches ${back.api_key_version}`;
    });
    await eventually("and the other one is free", async () => {
      return (await tryCreate(at, { name: "new.name@example.com" })).status === 201;
    });
    assert.equal(await check(at.worker, back.name, "Th1rd-key"), `matches ${back.api_key_version}`);
  });
});

describe("a lock", () => {
  test("stops both interfaces until it is opened (C15)", async () => {
    const { user } = await create(at, { name: "lock@example.com" });
    const locked = await change(at, user, "lock");
    assert.ok(locked.bound && locked.user.status === "locked");
    await eventually("KV has it", async () => (await at.published(user.id))?.state === "disabled");
    const again = await change(at, user, "lock");
    assert.equal(again.user.revision, locked.user.revision);
    expect(await tryChange(at, user, "unlock"), 412, "changed_meanwhile");
    const open = await change(at, locked.user, "unlock");
    assert.deepEqual([open.user.status, open.bound], ["active", null]);
  });
});

describe("a deletion", () => {
  test("takes the password, and a restore brings the user back (C16)", async () => {
    const { user } = await create(at, { name: "gone@example.com" });
    expect(await tryChange(at, user, "delete", {}), 400, "malformed_body");
    expect(await tryChange(at, user, "delete", { password: "wrong password 1" }), 401, "step_up_refused");
    assert.equal((await show(user)).status, "active");
    const stale = { ...user, revision: user.revision + 1 };
    expect(await tryChange(at, stale, "delete", { password: OWNER.password }), 412, "changed_meanwhile");
    const deleted = await change(at, user, "delete", { password: OWNER.password });
    assert.ok(deleted.bound && deleted.user.status === "deleted" && deleted.user.restorable_until);
    await eventually("KV has the tombstone", async () => (await at.published(user.id))?.state === "deleted");
    expect(await tryChange(at, deleted.user, "delete", { password: OWNER.password }), 404, "not_found");
    expect(await tryCreate(at, { name: user.name }), 422, "invalid");
    const list = async (query) => expect(await at.console("GET", `/v1/api-users${query}`), 200).body;
    assert.deepEqual((await list("?q=gone")).users, []);
    assert.deepEqual((await list("?q=gone&status=deleted")).total, 1);
    const { user: back } = await change(at, deleted.user, "restore");
    assert.equal(back.status, "active");
    expect(await tryChange(at, back, "restore"), 409, "not_deleted");
    assert.equal(await check(at.worker, user.name, ANY_USER.api_key), "matches 1");
  });

  test("counts wrong passwords by the session", async () => {
    const { user } = await create(at, { name: "counted@example.com" });
    const statuses = [];
    for (let n = 0; n < 12; n += 1)
      statuses.push((await tryChange(at, user, "delete", { password: "wrong password 1" })).status);
    assert.equal(statuses.at(-1), 429);
    assert.equal((await show(user)).status, "active");
  });
});

describe("a list", () => {
  test("is searched, filtered and paged", async () => {
    const names = ["alpha@list.example", "beta@list.example", "gamma@list.example"];
    for (const name of names) await create(at, { name });
    const list = async (query) => expect(await at.console("GET", `/v1/api-users?${query}`), 200).body;
    const first = await list("q=list.example&sort=name&limit=2");
    assert.deepEqual(
      first.users.map(({ name }) => name),
      names.slice(0, 2),
    );
    assert.equal(first.total, 3);
    const second = await list(`q=list.example&sort=name&limit=2&cursor=${first.next}`);
    assert.deepEqual([second.users.map(({ name }) => name), second.next], [names.slice(2), null]);
    assert.equal((await list("q=LIST&status=locked,expired")).total, 0);
    for (const bad of ["sort=age", "status=new", "limit=51", "x=1", "cursor=x"])
      expect(await at.console("GET", `/v1/api-users?${bad}`), 422, "invalid");
  });
});
