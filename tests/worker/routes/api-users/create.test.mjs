// Creating API users: names that are unique in the deployment, secrets of their form, and what is refused.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ANY_USER, check, create, tryCreate } from "../../support/api-users.mjs";
import { begin, eventually, expect } from "../../support/journey.mjs";

let at;
let other;
before(async () => {
  at = await begin();
  other = await at.secondAccount();
});
after(() => at.dispose());

/** The errors of a refused form, as `pointer code`. */
const errors = ({ body }) => body.errors.map(({ pointer, code }) => `${pointer} ${code}`);

describe("a new API user", () => {
  test("has what was ticked, and its secret counts at once (C02, C03, C05 to C10)", async () => {
    const form = { api_key_confirmation: ANY_USER.api_key, view_personal_data: true, zone: "asia/tokyo" };
    const answer = await create(at, { name: "First@Example.com", ...form });
    const { user } = answer;
    assert.equal(answer.api_key, null, "a chosen secret is not repeated");
    assert.deepEqual(
      [user.name, user.status, user.zone, user.group, user.interfaces, user.own_data_only],
      ["first@example.com", "active", "Asia/Tokyo", "admin", ["http", "smtp"], false],
    );
    assert.deepEqual([user.view_personal_data, user.download_personal_data], [true, false]);
    assert.deepEqual([user.networks, user.expires_at, user.last_used_at, user.deleted_at], [[], null, null, null]);
    assert.equal(await check(at.worker, "first@example.com", ANY_USER.api_key), "matches 1");
    assert.equal(await check(at.worker, "first@example.com", "tr4ffic!"), "refused");
    assert.deepEqual(expect(await at.console("GET", `/v1/api-users/${user.id}`), 200).body, user);
    const record = await eventually("the record is in KV", async () => at.published(user.id));
    assert.deepEqual([record.v, record.user.name, record.user.secret], [4, "first@example.com", 1]);
  });

  test("may have a generated secret, which is shown once (C03)", async () => {
    const { user, api_key: drawn } = await create(at, {
      name: "drawn@example.com",
      api_key: undefined,
      generate: true,
    });
    assert.match(drawn, /^[0-9A-Za-z]{43}$/);
    assert.match(drawn, /[0-9]/);
    assert.match(drawn, /[A-Za-z]/);
    assert.equal(await check(at.worker, user.name, drawn), "matches 1");
    const shown = expect(await at.console("GET", `/v1/api-users/${user.id}`), 200);
    assert.ok(!shown.text.includes(drawn));
  });

  test("has a name that no other has, in any account and any case (C02)", async () => {
    await create(at, { name: "unique@example.com" });
    for (const [journey, name] of [
      [at, "unique@example.com"],
      [at, "UNIQUE@example.COM"],
      [other, "unique@example.com"],
      [other, "Unique@Example.com"],
    ])
      assert.deepEqual(errors(expect(await tryCreate(journey, { name }), 422, "invalid")), ["#/name taken"]);
    assert.equal(await check(at.worker, "unique@example.com", ANY_USER.api_key), "matches 1");
  });

  test("is one of several that ask for a name at once (C02)", async () => {
    const name = "race@example.com";
    const answers = await Promise.all([at, other, at, other, at, other].map((one) => tryCreate(one, { name })));
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [201, 422, 422, 422, 422, 422]);
    assert.match(await check(at.worker, name, ANY_USER.api_key), /^matches/);
  });

  test("is made once for an idempotency key", async () => {
    const made = expect(await tryCreate(at, { name: "once@example.com" }, "once-1"), 201).body.user;
    const again = expect(await tryCreate(at, { name: "once@example.com" }, "once-1"), 409, "already_created");
    assert.equal(again.body.user.id, made.id);
    const headers = {};
    expect(await at.console("POST", "/v1/api-users", { body: ANY_USER, headers }), 400, "bad_header");
  });

  test("survives a ledger that does not answer, and a retry creates it", async () => {
    const name = "lost@example.com";
    await at.worker.setFaults({ on: "API_NAME.fetch", mode: "lost", times: 1 });
    expect(await tryCreate(at, { name }, "lost-1"), 503, "unavailable");
    await at.worker.setFaults();
    const { user } = expect(await tryCreate(at, { name }, "lost-1"), 201).body;
    await eventually("only the committed secret stays", async () => {
      const said = await check(at.worker, name, ANY_USER.api_key);
      return said === `matches ${user.api_key_version}`;
    });
  });
});

describe("a form is refused", () => {
  for (const [what, form, expected] of [
    [
      "with nothing in it",
      {
        name: undefined,
        group: undefined,
        interfaces: undefined,
        own_data_only: undefined,
        expires: undefined,
        networks: undefined,
        api_key: undefined,
      },
      [
        "#/name required",
        "#/group required",
        "#/interfaces required",
        "#/own_data_only required",
        "#/expires required",
        "#/networks required",
      ],
    ],
    ["with a name in other forms of Unicode", { name: "ａpp@example.com" }, ["#/name not_an_address"]],
    ["with NUL in the name", { name: "app\u0000@example.com" }, ["#/name not_an_address"]],
    ["with a name that is no address", { name: "app" }, ["#/name not_an_address"]],
    [
      "with an unknown group, interface and zone",
      { group: "root", interfaces: ["ftp"], zone: "Mars/Base" },
      ["#/group not_one_of", "#/interfaces not_one_of", "#/zone unknown_zone"],
    ],
    ["with a short key (C03)", { api_key: "abc1234" }, ["#/api_key too_short"]],
    ["with a key of letters alone (C03)", { api_key: "abcdefghijk" }, ["#/api_key not_mixed"]],
    ["with a key of digits alone (C03)", { api_key: "1357924680" }, ["#/api_key not_mixed"]],
    ["with NUL in the key", { api_key: "Tr4ffic!\u0000" }, ["#/api_key not_ascii"]],
    ["with a key that is not ASCII", { api_key: "Tr4fficé!" }, ["#/api_key not_ascii"]],
    ["with a common key", { api_key: "Password1" }, ["#/api_key common"]],
    [
      "with its own name as key",
      { name: "own7name@example.com", api_key: "Own7Name@example.com" },
      ["#/api_key own_names"],
    ],
    ["with another confirmation (C04)", { api_key_confirmation: "Tr4ffic?" }, ["#/api_key_confirmation not_confirmed"]],
    ["with a chosen and a generated key", { generate: true }, ["#/generate not_allowed"]],
  ])
    test(what, async () => {
      const answer = expect(await tryCreate(at, { name: "bad@example.com", ...form }), 422, "invalid");
      assert.deepEqual(errors(answer), expected);
    });

  test("with a secret of a megabyte, unknown members or null", async () => {
    const huge = { name: "huge@example.com", api_key: `a1${"b".repeat(1 << 20)}` };
    expect(await tryCreate(at, huge), 413, "body_too_large");
    const long = { name: "long@example.com", api_key: `a1${"b".repeat(60_000)}` };
    assert.deepEqual(errors(expect(await tryCreate(at, long), 422)), ["#/api_key too_long"]);
    for (const more of [{ password: "x" }, { name: null }, { api_key: 7 }])
      expect(await tryCreate(at, more), 400, "malformed_body");
  });

  test("and leaves the name free", async () => {
    await create(other, { name: "bad@example.com" });
  });
});
