// The status that the console shows of a key, against the verdict of the edge for the same key.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FORM, ISSUABLE, PATH } from "./support/issuance.mjs";
import { API, CALLER, RULES, begin, expect } from "./support/journey.mjs";
import { codeOf } from "./support/totp.mjs";

const MINUTE_MS = 60 * 1000;
const TOTP = "/v1/member/factors/totp";
const PASSWORD = "staple battery correct";

/** The operator, the owner of another account, and an admin of it who has MFA. */
let operator, owner, admin;
/** The keys by what they are: ID and credential. */
const keys = {};

before(async () => {
  operator = await begin({ rules: [...RULES, { host: API, path: PATH, serves: "issuance" }] });
  owner = await operator.secondAccount();
  admin = await owner.memberJoins("ken@example.net", "admin", { password: PASSWORD });
  await enrol(admin);
  const issue = async (what, by, draft) => {
    const { key, credential } = await by.issue({ name: what, ...draft });
    keys[what] = { id: key.id, credential };
  };
  await issue("plain", owner);
  await issue("off", owner);
  await issue("later", owner, { not_before: "2099-01-01" });
  await issue("short", owner, { expires: "10m" });
  await issue("gone", owner);
  await issue("issuer", owner, { issuable: ISSUABLE });
  await issue("dead issuer", owner, { issuable: ISSUABLE });
  await issue("theirs", admin);
  await issue("theirs, later", admin, { not_before: "2099-01-01" });
  for (const [what, issuer] of [
    ["issued", "issuer"],
    ["ended", "dead issuer"],
  ])
    keys[what] = await issuedBy(keys[issuer].credential, what);
  await owner.change(keys.off.id, "disable");
  await owner.change(keys["dead issuer"].id, "disable");
  await owner.deleteKeys(keys.gone.id);
});
after(() => operator.dispose());

/** Turns an authenticator app on. */
async function enrol(who) {
  const { secret } = expect(await who.console("POST", TOTP), 201).body;
  expect(await who.console("POST", `${TOTP}/confirm`, { body: { code: codeOf(secret) } }), 200);
}

/** Issues a key by the issuance API, for longer than a sealed key lives. */
async function issuedBy(key, name) {
  const headers = { "cf-connecting-ip": CALLER, "content-type": FORM, authorization: `Bearer ${key}` };
  const answer = await operator.ask(API, PATH, { method: "POST", headers, body: "epi=100h" });
  const credential = expect(answer, 200).text;
  const { keys: found } = expect(await owner.console("GET", "/v1/keys?issuer=keys&sort=-created"), 200).body;
  const { id } = found.find((one) => credential.startsWith(one.access_key));
  await owner.change(id, { name });
  return { id, credential };
}

async function demand(demands_mfa) {
  const path = `/v1/operator/accounts/${owner.session.account.id}/policy`;
  const { revision } = expect(await operator.console("GET", path), 200).body;
  const headers = { "if-match": `"${revision}"` };
  expect(await operator.console("PUT", path, { headers, body: { demands_mfa } }), 200);
}

/** The verdict of the edge for a key, as the status that stands for it. */
async function verdict({ credential }) {
  const { status, body } = await operator.call("/", { key: credential });
  return status === 200 ? "active" : body.code;
}

/** Asserts the status of each key, in the list, on its page and by the filter, and the verdict. */
async function assertAll(expected) {
  const { keys: list, total } = expect(await owner.console("GET", "/v1/keys"), 200).body;
  assert.equal(total, Object.keys(keys).length);
  const shown = Object.fromEntries(list.map(({ name, status }) => [name, status]));
  assert.deepEqual(shown, expected);
  for (const [what, key] of Object.entries(keys)) {
    const { status, mfa_off } = await owner.show(key.id).catch(() => list.find(({ id }) => id === key.id));
    assert.equal(status, expected[what], what);
    if (status === "mfa_off") assert.ok(mfa_off, what);
    // A key that is deleted or has ended tells nothing about itself, but while its issuer is off.
    const verdicts = { deleted: ["unknown"], ended: ["disabled", "unknown"] }[status] ?? [status];
    assert.ok(verdicts.includes(await verdict(key)), `${what}: ${await verdict(key)}, not ${verdicts}`);
  }
  for (const status of new Set(Object.values(expected))) {
    const found = expect(await owner.console("GET", `/v1/keys?status=${status}&sort=name`), 200).body;
    const names = Object.keys(expected).filter((what) => expected[what] === status);
    assert.deepEqual(found.keys.map(({ name }) => name).sort(), names.sort(), status);
    assert.equal(found.total, names.length, status);
  }
}

const GONE = { gone: "deleted", ended: "ended", off: "disabled", "dead issuer": "disabled" };
const FREE = {
  ...GONE,
  plain: "active",
  later: "not_yet_valid",
  short: "active",
  issuer: "active",
  issued: "active",
  theirs: "active",
  "theirs, later": "not_yet_valid",
};
const WITHOUT = { plain: "mfa_off", later: "mfa_off", short: "mfa_off", issuer: "mfa_off", issued: "mfa_off" };

describe("the status of every key is the verdict of the edge", () => {
  test("while nothing is demanded", () => assertAll(FREE));

  test("while MFA is demanded, of whoever has it not", async () => {
    await demand(true);
    await assertAll({ ...FREE, ...WITHOUT });
    const { mfa_off } = await owner.show(keys.issued.id);
    assert.deepEqual(mfa_off, { id: owner.session.member.id, name: owner.session.member.name, removed: false });
    assert.equal((await admin.show(keys.theirs.id)).mfa_off, null);
  });

  test("also after a key was enabled without MFA", async () => {
    const { key } = await owner.change(keys.off.id, "enable");
    assert.equal(key.status, "mfa_off");
    await assertAll({ ...FREE, ...WITHOUT, off: "mfa_off" });
    await owner.change(keys.off.id, "disable");
  });

  test("once the member has MFA, and when it is gone again", async () => {
    await enrol(owner);
    await assertAll(FREE);
    expect(await owner.console("DELETE", TOTP), 200);
    await assertAll({ ...FREE, ...WITHOUT });
  });

  test("once it is demanded no longer, and after the end of a key", async () => {
    await demand(false);
    await assertAll(FREE);
    await operator.worker.setClock(15 * MINUTE_MS);
    await assertAll({ ...FREE, short: "expired" });
    await operator.worker.setClock(0);
    await demand(true);
    await operator.worker.setClock(15 * MINUTE_MS);
    await assertAll({ ...FREE, ...WITHOUT });
    await operator.worker.setClock(0);
  });
});
