// Members and invitations, end to end: mail, joining, roles, removal; and those who attack them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FOREIGN, changed, token as forged } from "./support/forge.mjs";
import { Journey, OWNER, begin, eventually, expect, setupToken } from "./support/journey.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;
const CHECK = "/v1/invitations/check";
const PASSWORD = "staple battery correct";

let at;
before(async () => (at = await begin()));
after(() => at.dispose());

const check = (token) => at.console("POST", CHECK, { body: { token }, cookie: null });
const members = async (journey = at) => expect(await journey.console("GET", "/v1/members"), 200).body;
const remove = (journey, { session }) => journey.console("DELETE", `/v1/members/${session.member.id}`);
const mailTo = (email) => at.worker.mailbox.messages.filter(({ to }) => [to].flat().includes(email));
let number = 0;
/** An address that no test has used before. */
const address = () => `person${++number}@example.net`;

/** Joins with a new password, once the name object has released the address. */
async function comesBack(journey, token, password) {
  await eventually("the name is released", async () => !(await check(token)).body.has_password);
  const answer = expect(await journey.tryJoin(token, { password }), 201);
  const back = new Journey(journey.worker);
  return Object.assign(back, { cookie: answer.headers["set-cookie"][0].split(";")[0], session: answer.body });
}

describe("an invitation", () => {
  test("is mailed, checked, accepted once, and seen by the owners", async () => {
    const email = address();
    const invited = await at.inviteMember(email, "admin");
    assert.deepEqual([invited.email, invited.role, invited.invited_by], [email, "admin", OWNER.name]);
    const [mail] = mailTo(email);
    assert.equal(mail.subject, "Invitation to manage API keys");
    const offer = expect(await check(invited.token), 200).body;
    const { account, role, invited_by, has_password } = offer;
    assert.deepEqual([account, role, invited_by, has_password], [{ name: "Example KK" }, "admin", OWNER.name, false]);

    expect(await at.tryJoin(invited.token, { password: "short" }), 422, "invalid");
    const ken = new Journey(at.worker);
    const joined = expect(
      await ken.tryJoin(invited.token, { password: PASSWORD, name: "Ken Sato", language: "ja" }),
      201,
    );
    ken.cookie = joined.headers["set-cookie"][0].split(";")[0];
    assert.deepEqual([joined.body.member.name, joined.body.member.language], ["Ken Sato", "ja"]);
    assert.equal((await members(ken)).members.find(({ you }) => you).email, email);
    assert.deepEqual((await members(ken)).invitations, [], "owners alone see them");
    // A second use; and the same after the isolate has forgotten.
    expect(await check(invited.token), 410, "invitation_over");
    expect(await at.tryJoin(invited.token), 410, "invitation_over");
    await eventually("the owner is told", () => mailTo(OWNER.email).some(({ text }) => text.includes(email)));
    await ken.signIn({ email, password: PASSWORD });
    // What nobody but the mailbox knows is in no answer.
    assert.ok(!at.answers.some(({ text }) => text.includes(invited.token)));
  });

  test("that is withdrawn, repeated or a week old is over, and what was made by nobody costs nothing", async () => {
    const email = address();
    const first = await at.inviteMember(email);
    const path = `/v1/members/invitations/${first.id}`;
    expect(await at.console("POST", `${path}/repeat`), 200);
    const second = await at.invitationToken(first, 2);
    expect(await check(first.token), 410, "invitation_over");
    expect(await check(second), 200);
    expect(await at.console("DELETE", path), 204);
    expect(await check(second), 410, "invitation_over");
    expect(await at.tryJoin(second), 410, "invitation_over");
    const third = await at.inviteMember(email);
    await at.worker.setClock(7 * DAY_MS + 2_000);
    await at.worker.resetCounters();
    expect(await check(third.token), 401, "invitation_refused");
    expect(await at.tryJoin(third.token), 401, "invitation_refused");
    await at.worker.setClock(0);
    await at.signIn();
    await at.worker.resetCounters();
    const account = at.session.account.id;
    for (const token of [
      changed(third.token, 30),
      changed(third.token, third.token.length - 1),
      third.token.slice(0, -11),
      `S${third.token.slice(1)}`,
      forged("I", { account, master: FOREIGN }),
      forged("S", { account }),
      forged("U", { account }),
      setupToken(),
      at.cookie.split("=")[1],
      "",
    ]) {
      expect(await check(token), 401, "invitation_refused");
      expect(await at.tryJoin(token), 401, "invitation_refused");
    }
    assert.deepEqual(await at.worker.counters(), {}, "no call to an object");
    // As a cookie or a set-up link it is none.
    const cookie = `__Host-claviger=${third.token}`;
    expect(await at.console("GET", "/v1/session", { cookie }), 401, "not_signed_in");
    expect(await at.console("POST", "/v1/setup/check", { body: { token: third.token } }), 401, "setup_refused");
    assert.deepEqual(await at.worker.counters(), {});
    expect(await check(third.token), 200);
  });

  test("that was over once costs two calls, then memory", async () => {
    const token = forged("I", { account: at.session.account.id });
    await at.worker.resetCounters();
    for (let turn = 0; turn < 10; turn += 1) expect(await check(token), 410, "invitation_over");
    assert.deepEqual(await at.worker.counters(), { "ADDRESS.fetch": 1, "LEDGER.fetch": 1 });
  });

  test("that is used twice at once makes one member", async () => {
    const email = address();
    const { token } = await at.inviteMember(email);
    const passwords = [PASSWORD, PASSWORD, "another long password", "a third long password"];
    const answers = await Promise.all(passwords.map((password) => at.tryJoin(token, { password })));
    const won = passwords.filter((_, place) => answers[place].status === 201);
    assert.ok(won.length >= 1 && new Set(won).size === 1, JSON.stringify(answers.map(({ status }) => status)));
    assert.ok(answers.every(({ status }) => [201, 401, 409, 410].includes(status)));
    assert.equal((await members()).members.filter((member) => member.email === email).length, 1);
    // The password is that of the use that won, also once the name object has heard from the ledger.
    await eventually("the password is confirmed", async () => {
      const answer = await at.console("POST", "/v1/session", { body: { email, password: won[0] }, cookie: null });
      return answer.status === 201;
    });
    for (const password of passwords.filter((other) => other !== won[0]))
      expect(await at.console("POST", "/v1/session", { body: { email, password }, cookie: null }), 401);
  });

  test("survives a name object or a ledger that fails in the middle", async () => {
    for (const [on, times] of [
      ["NAME.fetch", 1],
      ["LEDGER.fetch", 1],
    ]) {
      for (const mode of ["fail", "lost"]) {
        const { token } = await at.inviteMember(address());
        await at.worker.setFaults({ on, mode, times });
        expect(await at.tryJoin(token, { password: PASSWORD }), 503, "unavailable");
        await at.worker.setFaults();
        expect(await at.tryJoin(token, { password: PASSWORD }), 201);
      }
    }
  });

  test("to a member or an invited person is refused by name", async () => {
    const email = address();
    await at.inviteMember(email);
    for (const [typed, code] of [
      [OWNER.email.toUpperCase(), "already_member"],
      [email, "already_invited"],
    ]) {
      const body = { email: typed, role: "viewer" };
      const answer = expect(await at.console("POST", "/v1/members/invitations", { body }), 422, "invalid");
      assert.deepEqual(
        answer.body.errors.map(({ pointer, code }) => [pointer, code]),
        [["#/email", code]],
      );
    }
  });

  test("asks a person who has a password here for that one", async () => {
    const other = await at.secondAccount();
    const { token } = await other.inviteMember(OWNER.email);
    assert.equal(expect(await check(token), 200).body.has_password, true);
    // A short one is judged as a password, not as a new one.
    expect(await at.tryJoin(token, { password: "wrong" }), 401, "sign_in_refused");
    // Members and invitations of one account are not there for another.
    const { invitations, members: list } = await members(other);
    for (const [method, path, body] of [
      ["DELETE", `/v1/members/invitations/${invitations[0].id}`],
      ["POST", `/v1/members/invitations/${invitations[0].id}/repeat`],
      ["DELETE", `/v1/members/${list[0].id}`],
      ["POST", `/v1/members/${list[0].id}/end-sessions`],
      ["PATCH", `/v1/members/${list[0].id}`, { role: "viewer", expected_role: "owner" }],
    ])
      expect(await at.console(method, path, { body }), 404, "not_found");
  });
});

describe("a member", () => {
  test("whose role is lowered loses the right at once, and learns of it", async () => {
    const email = address();
    const ken = await at.memberJoins(email, "admin", { password: PASSWORD });
    const { key } = await ken.issue();
    const path = `/v1/members/${ken.session.member.id}`;
    const body = { role: "viewer", expected_role: "admin" };
    assert.equal(expect(await at.console("PATCH", path, { body }), 200).body.member.role, "viewer");
    expect(await ken.tryIssue(), 403, "not_permitted");
    expect(await ken.console("GET", `/v1/keys/${key.id}`), 200);
    const late = { role: "owner", expected_role: "admin" };
    const answer = expect(await at.console("PATCH", path, { body: late }), 412, "changed_meanwhile");
    assert.equal(answer.body.member.role, "viewer");
    await eventually("the mail", () => mailTo(email).find(({ subject }) => subject === "Your role has changed"));
  });

  test("who is removed has no session, no step-up and no sign-in; the keys stay", async () => {
    const email = address();
    const ken = await at.memberJoins(email, "admin", { password: PASSWORD });
    const { key } = await ken.issue();
    expect(await remove(at, ken), 204);
    expect(await ken.console("GET", "/v1/session"), 401, "not_signed_in");
    const step = await ken.console("POST", "/v1/session/step-up", { body: { password: PASSWORD } });
    expect(step, 401, "not_signed_in");
    const body = { email, password: PASSWORD };
    expect(await at.console("POST", "/v1/session", { body, cookie: null }), 401, "sign_in_refused");
    assert.equal((await at.show(key.id)).status, "active");
    await eventually("the mail", () =>
      mailTo(email).some(({ subject }) => subject === "You were removed from an account"),
    );
  });

  test("who was removed can be invited again, as another member with a new password", async () => {
    const email = address();
    const ken = await at.memberJoins(email, "admin", { password: PASSWORD });
    expect(await remove(at, ken), 204);
    const { token } = await at.inviteMember(email);
    const again = await comesBack(at, token, "a quite new password");
    assert.notEqual(again.session.member.id, ken.session.member.id);
    expect(await again.console("GET", "/v1/keys"), 200);
  });

  test("may leave, unless nobody would own the account", async () => {
    const ken = await at.memberJoins(address(), "viewer", { password: PASSWORD });
    expect(await remove(ken, at), 403, "not_permitted");
    expect(await remove(ken, ken), 204);
    expect(await ken.console("GET", "/v1/session"), 401, "not_signed_in");
    expect(await remove(at, at), 409, "last_owner");
    const body = { role: "viewer", expected_role: "owner" };
    expect(await at.console("PATCH", `/v1/members/${at.session.member.id}`, { body }), 409, "last_owner");
  });

  test("is signed out everywhere by an owner, who keeps the own session", async () => {
    const email = address();
    const ken = await at.memberJoins(email, "viewer", { password: PASSWORD });
    const path = `/v1/members/${ken.session.member.id}/end-sessions`;
    expect(await ken.console("POST", path), 403, "not_permitted");
    expect(await at.console("POST", path), 204);
    expect(await ken.console("GET", "/v1/session"), 401, "not_signed_in");
    expect(await at.console("POST", `/v1/members/${at.session.member.id}/end-sessions`), 204);
    expect(await at.console("GET", "/v1/session"), 200);
  });

  test("edits the own profile, and an owner the account, whose name the operator's list learns", async () => {
    const ken = await at.memberJoins(address(), "viewer", { password: PASSWORD });
    const profile = await ken.console("PATCH", "/v1/member", { body: { name: "Ken S.", language: "ja" } });
    assert.deepEqual([expect(profile, 200).body.member.name, profile.body.member.language], ["Ken S.", "ja"]);
    const other = await at.secondAccount({ owner: { name: "Lin", email: address(), password: PASSWORD } });
    const account = await other.console("PATCH", "/v1/account", {
      body: { name: "New GmbH", time_zone: "Europe/Berlin" },
    });
    assert.deepEqual(
      [expect(account, 200).body.account.name, account.body.account.time_zone],
      ["New GmbH", "Europe/Berlin"],
    );
    await eventually("the list has the name", async () => {
      const { accounts } = expect(await at.console("GET", "/v1/operator/accounts"), 200).body;
      return accounts.some(({ name }) => name === "New GmbH");
    });
  });
});

test("two owners who remove each other at once leave one", async () => {
  for (let turn = 0; turn < 3; turn += 1) {
    const other = await at.memberJoins(address(), "owner", { password: PASSWORD });
    const answers = await Promise.all([remove(at, other), remove(other, at)]);
    assert.equal(
      answers.filter(({ status }) => status === 204).length,
      1,
      JSON.stringify(answers.map(({ status }) => status)),
    );
    const left = answers[0].status === 204 ? at : other;
    assert.equal((await members(left)).members.filter(({ role }) => role === "owner").length, 1);
    if (left === other) {
      // The first owner comes back, for the next turn.
      const { token } = await other.inviteMember(OWNER.email, "owner");
      const { cookie, session } = await comesBack(other, token, OWNER.password);
      Object.assign(at, { cookie, session });
      expect(await remove(at, other), 204);
    }
  }
});
