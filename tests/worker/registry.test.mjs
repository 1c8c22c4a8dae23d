// An account under the policy *registry*, end to end: one key pair for each member, for a year.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { OTHER_OWNER, begin, eventually, expect } from "./support/journey.mjs";
import { codeOf } from "./support/totp.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;
const PASSWORD = "staple battery correct";
const PAIR = { name: "My pair", networks: [], permissions: ["demo:read"] };
/** *Registry*, but for the second factor. */
const PAIRS = { preset: "registry", demands_mfa: false };

/** The operator, the owner of the account under the policy, and two of its other members. */
let operator, owner, admin, viewer;
before(async () => {
  operator = await begin();
  owner = await operator.secondAccount();
  admin = await owner.memberJoins("ken@example.net", "admin", { password: PASSWORD });
  viewer = await owner.memberJoins("vera@example.net", "viewer", { password: PASSWORD });
});
after(() => operator.dispose());

const policyPath = (id = owner.session.account.id, step = "") => `/v1/operator/accounts/${id}/policy${step}`;
const preview = async (body) =>
  expect(await operator.console("POST", policyPath(undefined, "/preview"), { body }), 200);
const trySet = (body, revision) =>
  operator.console("PUT", policyPath(), { body, headers: { "if-match": `"${revision}"` } });
/** Changes the policy, as an operator who has previewed it. */
const set = async (body) => expect(await trySet(body, (await preview(body)).body.revision), 200).body;
const pair = async (who) => expect(await who.console("GET", "/v1/key-pair"), 200).body;
const tryGenerate = (who, body = PAIR, key = randomUUID()) =>
  who.console("POST", "/v1/keys", { body, headers: { "idempotency-key": key } });
const generate = async (who) => expect(await tryGenerate(who), 201).body;
const remove = async (who, { id }) => {
  const { revision } = expect(await who.console("GET", `/v1/keys/${id}`), 200).body;
  return who.console("DELETE", `/v1/keys/${id}`, { headers: { "if-match": `"${revision}"` } });
};
const mailTo = (email, subject) =>
  eventually(`the mail "${subject}"`, () =>
    operator.worker.mailbox.messages.find((mail) => [mail.to].flat().includes(email) && mail.subject === subject),
  );
const call = (key) => operator.call("/", { key });

describe("the policy", () => {
  test("is portal until an operator changes it, and every member reads it", async () => {
    const { policy, revision } = expect(await operator.console("GET", policyPath()), 200).body;
    assert.deepEqual([policy.preset, policy.keys_per_member, revision], ["portal", "many", 0]);
    for (const member of [owner, viewer]) {
      const session = expect(await member.console("GET", "/v1/session"), 200).body;
      assert.deepEqual(session.account.policy, policy);
      expect(await member.console("GET", "/v1/key-pair"), 404, "not_found");
    }
  });

  test("is not there for anybody but operators", async () => {
    const body = PAIRS;
    const headers = { "if-match": '"0"' };
    const own = await operator.memberJoins("aide@example.net", "admin", { password: PASSWORD });
    for (const [who, status, code] of [
      [owner, 404, "not_found"],
      [viewer, 404, "not_found"],
      [own, 403, "not_permitted"],
    ]) {
      for (const id of [owner.session.account.id, operator.session.account.id]) {
        expect(await who.console("GET", policyPath(id)), status, code);
        expect(await who.console("PUT", policyPath(id), { body, headers }), status, code);
        expect(await who.console("POST", policyPath(id, "/preview"), { body }), status, code);
      }
    }
    // An account that is not there, or not yet.
    const { account } = await operator.invite();
    for (const id of ["zzzzzzzz", account.id, "short"])
      expect(await operator.console("PUT", policyPath(id), { body, headers }), 404, "not_found");
  });

  test("refuses odd values by name, and changes nothing", async () => {
    for (const [body, codes] of [
      [{}, ["# required"]],
      [{ longest_life: "0d" }, ["#/longest_life not_a_life"]],
      [{ longest_life: "11y", preset: "strict" }, ["#/preset not_one_of", "#/longest_life not_a_life"]],
      [{ default_life: "2y", longest_life: "1y" }, ["#/default_life longer_than_longest"]],
      [{ keys_per_member: "2" }, ["#/keys_per_member not_one_of"]],
    ]) {
      for (const answer of [
        await trySet(body, 0),
        await operator.console("POST", policyPath(undefined, "/preview"), { body }),
      ]) {
        const { errors } = expect(answer, 422, "invalid").body;
        assert.deepEqual(
          errors.map(({ pointer, code }) => `${pointer} ${code}`),
          codes,
        );
      }
    }
    for (const body of [{ keys: "one" }, { demands_mfa: "yes" }, { longest_life: 365 }])
      expect(await trySet(body, 0), 400, "malformed_body");
    expect(await operator.console("PUT", policyPath(), { body: PAIRS }), 400, "bad_header");
    assert.equal(expect(await operator.console("GET", policyPath()), 200).body.revision, 0);
  });

  test("is changed only as it was previewed, and both accounts record it", async () => {
    const kept = await owner.issue({ name: "Old key" });
    const { before: was, after: is, revision, effects } = (await preview({ preset: "registry" })).body;
    assert.deepEqual([was.preset, is.preset, revision], ["portal", "registry", 0]);
    assert.deepEqual(
      effects.map(({ kind, count, names }) => [kind, count, names]),
      [
        ["keys_that_live_longer", 1, ["Old key"]],
        ["keys_that_follow", 1, ["Old key"]],
        ["members_without_factor", 2, ["Noor Haddad", "The admin"]],
        ["keys_without_factor", 1, ["Old key"]],
      ],
    );
    expect(await trySet({ preset: "registry" }, revision), 200);
    const stale = expect(await trySet({ preset: "portal" }, revision), 412, "changed_meanwhile");
    assert.deepEqual([stale.body.present.revision, stale.body.present.policy.preset], [1, "registry"]);
    assert.equal(expect(await trySet({ preset: "registry" }, revision), 200).body.revision, 1, "as if once");
    // A change ends no key, but its member has no MFA.
    expect(await call(kept.credential), 401, "mfa_off");
    const [theirs] = expect(await owner.console("GET", "/v1/activity?action=policy_changed"), 200).body.entries;
    assert.equal(theirs.by.kind, "operator");
    assert.deepEqual(theirs.changes.preset, { from: "portal", to: "registry" });
    const mine = expect(await operator.console("GET", "/v1/activity?action=operator_changed_policy"), 200).body.entries;
    assert.equal(mine[0].by.name, operator.session.member.name);
    assert.deepEqual(mine[0].changes.account.to, owner.session.account.id);
    expect(await remove(owner, kept.key), 200);
  });
});

describe("a key pair", () => {
  let generated;
  const id = () => generated.key.id;

  test("S01 needs the permission and a second factor, and the answer says what is missing", async () => {
    assert.equal((await pair(admin)).missing, "second_factor");
    const { missing, owners } = await pair(viewer);
    assert.deepEqual([missing, owners], ["permission", [OTHER_OWNER.name]]);
    expect(await tryGenerate(admin), 403, "mfa_required");
    expect(await tryGenerate(viewer), 403, "not_permitted");
    await set(PAIRS);
  });

  test("S02 is not there until it is generated", async () => {
    const { key, missing, expires_at } = await pair(admin);
    assert.deepEqual([key, missing], [null, null]);
    const year = (Date.parse(expires_at) - Date.now()) / DAY_MS;
    assert.ok(year > 364 && year <= 366, expires_at);
  });

  test("S03 S06 is generated once, however many requests come at a time", async () => {
    const answers = await Promise.all([0, 1, 2, 3].map(() => tryGenerate(admin)));
    const won = answers.filter(({ status }) => status === 201);
    assert.equal(won.length, 1, JSON.stringify(answers.map(({ status }) => status)));
    for (const answer of answers.filter(({ status }) => status !== 201)) expect(answer, 409, "key_pair_exists");
    generated = won[0].body;
    const { key, access_key, access_secret, credential } = generated;
    assert.equal(access_key + access_secret, credential);
    assert.equal(key.status, "active");
    assert.equal(key.expires_at, (await pair(admin)).key.expires_at);
    // The pair acts with what its member has given it.
    expect(await call(credential), 200);
    expect(await operator.call("/", { key: credential, method: "POST" }), 403, "permission_denied");
  });

  test("S03 lives as long as the policy says, and no longer", async () => {
    expect(await remove(admin, generated.key), 200);
    for (const [body, code] of [
      [{ ...PAIR, expires: "never" }, "too_long_for_policy"],
      [{ ...PAIR, expires: "367d" }, "too_long_for_policy"],
      [{ ...PAIR, viewable: true }, "not_allowed"],
    ]) {
      const { errors } = expect(await tryGenerate(admin, body), 422, "invalid").body;
      assert.deepEqual(
        errors.map((error) => error.code),
        [code],
      );
    }
    const key = randomUUID();
    generated = expect(await tryGenerate(admin, PAIR, key), 201).body;
    // The same request again issues none, and does not show the secret.
    const again = expect(await tryGenerate(admin, PAIR, key), 409, "already_issued");
    assert.equal(again.body.key.id, id());
  });

  test("S04 shows its secret once", async () => {
    for (const path of ["/v1/key-pair", `/v1/keys/${id()}`, "/v1/keys", "/v1/activity"])
      expect(await admin.console("GET", path), 200);
    expect(await admin.console("POST", `/v1/keys/${id()}/reveal`), 409, "not_viewable");
    const holding = [operator, owner, admin, viewer]
      .flatMap(({ answers }) => answers)
      .filter(({ text }) => text.includes(generated.access_secret));
    assert.deepEqual(
      holding.map(({ method, path }) => `${method} ${path}`),
      ["POST /v1/keys"],
    );
  });

  test("S05 is confirmed by a mail without the secret", async () => {
    const mail = await mailTo("ken@example.net", "A new API key was generated");
    assert.ok(mail.text.includes(generated.key.name) && mail.text.includes("198.51.100.20"), mail.text);
    assert.ok(!mail.text.includes(generated.access_secret));
  });

  test("S07 S08 S09 is disabled and activated", async () => {
    assert.equal((await pair(admin)).key.enabled, true);
    const { bound } = await admin.change(id(), "disable");
    assert.ok(bound.within_s > 0);
    expect(await call(generated.credential), 401, "disabled");
    assert.equal((await pair(admin)).key.status, "disabled");
    await admin.change(id(), "enable");
    expect(await call(generated.credential), 200);
  });

  test("S13 is renamed", async () => {
    await admin.change(id(), { name: "Laptop" });
    assert.equal((await pair(admin)).key.name, "Laptop");
  });

  test("is its member's own, though an owner may disable and delete it", async () => {
    const other = await owner.memberJoins("ana@example.net", "admin", { password: PASSWORD });
    const headers = { "if-match": `"${(await admin.show(id())).revision}"` };
    for (const [who, method, path, body] of [
      [other, "PATCH", "", { name: "Mine" }],
      [other, "POST", "/disable"],
      [other, "DELETE", ""],
      [owner, "PATCH", "", { name: "Mine" }],
      [owner, "POST", "/enable"],
    ])
      expect(await who.console(method, `/v1/keys/${id()}${path}`, { headers, body }), 403, "not_your_key");
    expect(await viewer.console("DELETE", `/v1/keys/${id()}`, { headers }), 403, "not_permitted");
    // A key of another account is not there at all.
    expect(await operator.console("POST", `/v1/keys/${id()}/disable`, { headers }), 404, "not_found");
    expect(await operator.console("DELETE", `/v1/keys/${id()}`, { headers }), 409, "code_required");
    await owner.change(id(), "disable");
    expect(await call(generated.credential), 401, "disabled");
    await admin.change(id(), "enable");
  });

  test("S15 outlives a change of its member's password", async () => {
    const body = { password: PASSWORD, new_password: "another long password" };
    expect(await admin.console("POST", "/v1/member/password", { body }), 200);
    await operator.forget();
    expect(await call(generated.credential), 200);
  });

  test("S12 is deleted without a code, and another can be generated", async () => {
    const stale = { "if-match": '"1"' };
    expect(await admin.console("DELETE", `/v1/keys/${id()}`, { headers: stale }), 412, "changed_meanwhile");
    const { deleted, bound } = expect(await remove(admin, generated.key), 200).body;
    assert.deepEqual([deleted, bound.within_s > 0], [[id()], true]);
    expect(await call(generated.credential), 401, "unknown");
    assert.equal((await pair(admin)).key, null);
    generated = await generate(admin);
    expect(await call(generated.credential), 200);
  });

  test("S14 is dead after a year", async () => {
    const end = Date.parse(generated.key.expires_at) - Date.now();
    await operator.worker.setClock(end + 1_000);
    expect(await call(generated.credential), 401, "expired");
    await operator.worker.setClock(0);
    await operator.forget();
    expect(await call(generated.credential), 200);
  });

  test("ends with the membership, at once and for good", async () => {
    await owner.signIn(OTHER_OWNER);
    const { members } = expect(await owner.console("GET", "/v1/members"), 200).body;
    const entry = members.find(({ email }) => email === "ken@example.net");
    assert.equal(entry.keys_ending, 1);
    const removed = await owner.console("DELETE", `/v1/members/${entry.id}`);
    const { keys_ended, bound } = expect(removed, 200).body;
    assert.deepEqual([keys_ended, bound.within_s > 0], [1, true]);
    expect(await call(generated.credential), 401, "unknown");
    // Also where nothing was heard of it yet.
    await operator.forget();
    expect(await call(generated.credential), 401, "unknown");
    const { revision } = await owner.show(id());
    const headers = { "if-match": `"${revision}"` };
    expect(await owner.console("POST", `/v1/keys/${id()}/restore`, { headers }), 409, "key_member_gone");
    const mail = await mailTo("ken@example.net", "You were removed from an account");
    assert.ok(mail.text.includes("Your keys ended with your membership."), mail.text);
    // Without keys, the answer is the usual one.
    expect(await owner.console("DELETE", `/v1/members/${viewer.session.member.id}`), 204);
  });
});

describe("S10 a key where MFA is demanded", () => {
  const TOTP = "/v1/member/factors/totp";
  let mona, ines;
  /** Turns an authenticator app on. */
  const enrol = async (who) => {
    const { secret } = expect(await who.console("POST", TOTP), 201).body;
    expect(await who.console("POST", `${TOTP}/confirm`, { body: { code: codeOf(secret) } }), 200);
  };

  test("S01 is not generated without MFA, and the page says what is missing", async () => {
    await set(PAIRS);
    [mona, ines] = [
      await owner.memberJoins("mona@example.net", "admin", { password: PASSWORD }),
      await owner.memberJoins("ines@example.net", "admin", { password: PASSWORD }),
    ];
    // From before the demand, and without MFA.
    ines.pair = await generate(ines);
    const { effects } = (await preview({ demands_mfa: true })).body;
    const refused = effects.find(({ kind }) => kind === "keys_without_factor");
    assert.deepEqual([refused.count, refused.names], [1, ["My pair"]]);
    await set({ demands_mfa: true });
    assert.equal((await pair(mona)).missing, "second_factor");
    expect(await tryGenerate(mona), 403, "mfa_required");
    await enrol(mona);
    mona.pair = await generate(mona);
    expect(await call(mona.pair.credential), 200);
  });

  test("of a member without MFA is refused, and cannot be enabled past it", async () => {
    expect(await call(ines.pair.credential), 401, "mfa_off");
    const { id } = ines.pair.key;
    await ines.change(id, "disable");
    expect(await call(ines.pair.credential), 401, "disabled");
    await ines.change(id, "enable");
    expect(await call(ines.pair.credential), 401, "mfa_off");
    // Nor by a new secret.
    const headers = { "if-match": `"${(await ines.show(id)).revision}"`, "idempotency-key": randomUUID() };
    expect(await ines.console("POST", `/v1/keys/${id}/regenerate`, { headers, body: {} }), 403, "mfa_required");
    await enrol(ines);
    expect(await call(ines.pair.credential), 200);
  });

  test("is refused while MFA is off, and works again when it is back", async () => {
    expect(await mona.console("DELETE", TOTP), 200);
    expect(await call(mona.pair.credential), 401, "mfa_off");
    await operator.forget();
    expect(await call(mona.pair.credential), 401, "mfa_off");
    expect(await call(ines.pair.credential), 200);
    await enrol(mona);
    expect(await call(mona.pair.credential), 200);
  });

  test("works without MFA once it is demanded no longer", async () => {
    expect(await mona.console("DELETE", TOTP), 200);
    expect(await call(mona.pair.credential), 401, "mfa_off");
    await set({ demands_mfa: false });
    expect(await call(mona.pair.credential), 200);
    await operator.forget();
    expect(await call(mona.pair.credential), 200);
  });
});
