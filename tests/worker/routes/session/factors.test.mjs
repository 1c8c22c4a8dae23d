// Second factors over HTTP: enrolment, challenges, step-ups, another account, resets, and where the
// secrets stand. The ledger's own tests wait for time steps; here each code is of another step.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Journey, OWNER, begin, cookieOf, eventually, expect } from "../../support/journey.mjs";
import { codeOf } from "../../support/totp.mjs";

const FACTORS = "/v1/member/factors";
const password = (email = OWNER.email, word = OWNER.password) => ({ email, password: word });

/** Turns the app of a person on; returns its secret and the recovery codes. */
async function enrol(of) {
  const { secret, uri } = expect(await of.console("POST", `${FACTORS}/totp`), 201).body;
  assert.ok(uri.startsWith("otpauth://totp/localhost:") && uri.includes(`secret=${secret}&issuer=localhost`), uri);
  const confirmed = await of.console("POST", `${FACTORS}/totp/confirm`, { body: { code: codeOf(secret) } });
  return { secret, codes: expect(confirmed, 200).body.recovery_codes };
}

const signIn = (at, body = password()) => at.console("POST", "/v1/session", { body, cookie: null });
const answer = (at, challenge, typed, cookie = null) =>
  at.console("POST", "/v1/session/factor", { body: { challenge, ...typed }, cookie });
const challengeOf = async (at, body) => {
  const opened = expect(await signIn(at, body), 200);
  assert.equal(opened.headers["set-cookie"], undefined);
  assert.deepEqual(opened.body.methods, ["totp", "recovery_code"]);
  return opened.body.challenge;
};

describe("a member with a second factor", () => {
  let at;
  let app;
  let second;
  before(async () => {
    at = await begin();
    second = await at.secondAccount({ owner: OWNER });
    // Signing in opens the account that was opened last.
    const visitor = new Journey(at.worker);
    await visitor.signIn();
    const body = { account: at.session.account.id };
    expect(await visitor.console("POST", "/v1/session/switch", { body }), 201);
    app = await enrol(at);
  });
  after(() => at.dispose());

  test("signs in with password and code, and the challenge is accepted nowhere else", async () => {
    const challenge = await challengeOf(at);
    // Of the next step, which a drift of one allows: the enrolment has used the present one up.
    const code = codeOf(app.secret, 1);
    for (const cookie of [`__Host-claviger=${challenge}`, `__Host-claviger=S${challenge.slice(1)}`])
      for (const [method, path] of [
        ["GET", "/v1/session"],
        ["POST", "/v1/session/step-up"],
        ["GET", FACTORS],
        ["DELETE", `${FACTORS}/totp`],
      ]) {
        const body = method === "POST" ? { code } : undefined;
        expect(await at.console(method, path, { cookie, body }), 401, "not_signed_in");
      }
    for (const token of ["setup", "invitations"]) {
      const path = token === "setup" ? "/v1/setup/check" : "/v1/invitations/check";
      expect(await at.console("POST", path, { body: { token: challenge }, cookie: null }), 401);
    }
    const wrong = [-1, 0, 1, 2].map((drift) => codeOf(app.secret, drift)).includes("000000") ? "999999" : "000000";
    assert.equal(expect(await answer(at, challenge, { code: wrong }), 401, "factor_refused").body.tries_left, 4);
    const opened = expect(await answer(at, challenge, { code }), 201);
    assert.equal(opened.body.mfa, true);
    // The mark of a browser comes with the session, and not with the challenge.
    assert.ok(opened.headers["set-cookie"].some((one) => one.startsWith("__Host-claviger-browser=B")));
    assert.ok(Date.parse(opened.body.step_up_until) > Date.parse(opened.body.now));
    expect(await at.console("GET", "/v1/session", { cookie: cookieOf(opened) }), 200);
    // Neither the challenge nor the code works again.
    expect(await answer(at, challenge, { code }), 401, "challenge_over");
    expect(await answer(at, await challengeOf(at), { code }), 401, "factor_refused");
  });

  test("is refused with malformed, foreign and missing codes and challenges", async () => {
    const challenge = await challengeOf(at);
    const forged = challenge.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    for (const other of [
      "",
      "C",
      forged,
      `C${second.session.account.id}${challenge.slice(9)}`,
      at.cookie.split("=")[1],
    ])
      expect(await answer(at, other, { code: codeOf(app.secret, 1) }), 401, "challenge_over");
    for (const typed of [{ code: "12345" }, { code: "1234567" }, { recovery_code: "123456" }])
      expect(await answer(at, challenge, typed), 422, "invalid");
    for (const typed of [{}, { code: "123456", recovery_code: app.codes[9] }, { password: OWNER.password }])
      expect(await answer(at, challenge, typed), 400, "malformed_body");
  });

  test("confirms their identity by a code: a password proves nothing", async () => {
    const step = (body) => at.console("POST", "/v1/session/step-up", { body });
    const refused = expect(await step({ password: OWNER.password }), 403, "step_up_required");
    assert.deepEqual(refused.body.methods, ["totp", "recovery_code"]);
    const before = at.cookie;
    expect(await step({ recovery_code: app.codes[0].toUpperCase().replaceAll("-", " ") }), 200);
    expect(await at.console("GET", "/v1/session", { cookie: before }), 401, "not_signed_in");
    expect(await step({ recovery_code: app.codes[0] }), 401, "factor_refused");
    const { body } = expect(await at.console("GET", FACTORS), 200);
    assert.equal(body.recovery_codes_left, 9);
    await eventually("the mail about it", () =>
      at.worker.mailbox.messages.some(({ subject }) => subject === "A recovery code was used"),
    );
  });

  test("parallel answers with one recovery code open one session", async () => {
    const challenges = await Promise.all([1, 2, 3, 4].map(() => challengeOf(at)));
    const all = await Promise.all(challenges.map((one) => answer(at, one, { recovery_code: app.codes[1] })));
    assert.deepEqual(all.map(({ status }) => status).sort(), [201, 401, 401, 401]);
  });

  test("is asked for it when the account is opened from another one", async () => {
    const before = second.cookie;
    const switched = await second.console("POST", "/v1/session/switch", { body: { account: at.session.account.id } });
    const { challenge } = expect(switched, 200).body;
    assert.equal(switched.headers["set-cookie"], undefined);
    expect(await second.console("GET", "/v1/session"), 200);
    const opened = expect(await answer(second, challenge, { recovery_code: app.codes[2] }, second.cookie), 201);
    assert.equal(opened.body.account.id, at.session.account.id);
    expect(await at.console("GET", "/v1/session", { cookie: before }), 401, "not_signed_in");
  });

  test("changes the password with both, and open challenges end", async () => {
    const NEXT = "staple battery horse";
    const challenge = await challengeOf(at);
    const body = { password: OWNER.password, new_password: NEXT };
    const changed = expect(await at.console("POST", "/v1/member/password", { body }), 200);
    assert.equal(changed.body.mfa, true);
    expect(await answer(at, challenge, { recovery_code: app.codes[3] }), 401, "challenge_over");
    const next = await challengeOf(at, password(OWNER.email, NEXT));
    expect(await answer(at, next, { recovery_code: app.codes[3] }), 201);
  });

  test("gets new codes and turns it off", async () => {
    const renewed = expect(await at.console("POST", `${FACTORS}/recovery-codes`), 200).body.recovery_codes;
    assert.equal(new Set([...renewed, ...app.codes]).size, 20);
    const step = (recovery_code) => at.console("POST", "/v1/session/step-up", { body: { recovery_code } });
    expect(await step(app.codes[9]), 401, "factor_refused");
    expect(await step(renewed[0]), 200);
    expect(await at.console("POST", `${FACTORS}/totp`), 409, "factor_is_on");
    assert.equal(expect(await at.console("DELETE", `${FACTORS}/totp`), 200).body.totp, null);
    expect(await at.console("DELETE", `${FACTORS}/totp`), 409, "no_factor");
    expect(await signIn(at, password(OWNER.email, "staple battery horse")), 201);
  });

  test("neither seeds nor codes stand in lists, activity, mails, logs or refusals", async () => {
    expect(await at.console("GET", "/v1/members"), 200);
    const activity = expect(await at.console("GET", "/v1/activity"), 200);
    const actions = new Set(activity.body.entries.map(({ action }) => action));
    for (const action of ["mfa_turned_on", "mfa_turned_off", "mfa_code_refused", "recovery_code_used"])
      assert.ok(actions.has(action), action);
    const shown = [`${FACTORS}/totp`, `${FACTORS}/totp/confirm`, `${FACTORS}/recovery-codes`];
    const answers = [...at.answers, ...second.answers].filter(
      ({ path, status }) => !shown.includes(path) || status >= 300,
    );
    const texts = [...answers.map(({ text }) => text), ...at.worker.log()];
    texts.push(...at.worker.mailbox.messages.map(({ body }) => body));
    for (const secret of [app.secret, ...app.codes, ...app.codes.map((code) => code.replaceAll("-", ""))])
      for (const text of texts) assert.ok(!text.includes(secret), text.slice(0, 200));
  });
});

describe("a member who lost the factor", () => {
  let at;
  before(async () => (at = await begin()));
  after(() => at.dispose());

  test("gets it turned off by an owner, who sees it in the list", async () => {
    const word = "staple battery correct";
    const viewer = await at.memberJoins("viewer@example.net", "viewer", { password: word });
    await enrol(viewer);
    const { id } = viewer.session.member;
    const mfa = async (of) => {
      const { members } = expect(await of.console("GET", "/v1/members"), 200).body;
      return Object.fromEntries(members.map((member) => [member.role, member.mfa]));
    };
    assert.deepEqual(await mfa(at), { owner: false, viewer: true });
    assert.deepEqual(await mfa(viewer), { owner: null, viewer: true });
    expect(await viewer.console("POST", `/v1/members/${id}/reset-factors`), 403, "not_permitted");
    const challenge = await challengeOf(at, password("viewer@example.net", word));
    expect(await at.console("POST", `/v1/members/${id}/reset-factors`), 204);
    expect(await viewer.console("GET", "/v1/session"), 401, "not_signed_in");
    expect(await answer(at, challenge, { code: "123456" }), 401, "challenge_over");
    expect(await at.console("POST", `/v1/members/${id}/reset-factors`), 409, "no_factor");
    expect(await signIn(at, password("viewer@example.net", word)), 201);
    await eventually("the mail to the member", () =>
      at.worker.mailbox.messages.some(
        ({ to, subject }) => to.includes("viewer@example.net") && subject === "Two-step sign-in was turned off",
      ),
    );
  });
});
