// A person: their accounts, sessions and password.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Journey, OWNER, begin, cookieOf, eventually, expect } from "../../support/journey.mjs";

const NEXT = "staple battery horse";
const HOME = "203.0.113.50";

/** Another browser of the owner, signed in. */
async function browser(at, { email = OWNER.email, password = OWNER.password, ip } = {}) {
  const other = new Journey(at.worker);
  await other.signIn({ email, password, ip });
  return other;
}

const session = (at, cookie = at.cookie) => at.console("GET", "/v1/session", { cookie });
const signIn = (at, password, email = OWNER.email) =>
  at.console("POST", "/v1/session", { body: { email, password }, cookie: null });
const change = (at, body) => at.console("POST", "/v1/member/password", { body });

describe("sessions", () => {
  let at;
  before(async () => (at = await begin()));
  after(() => at.dispose());
  const list = async (of = at) => expect(await of.console("GET", "/v1/sessions"), 200).body.sessions;

  test("are listed with browser and addresses, and ended one by one or together", async () => {
    const [other, third] = [await browser(at, { ip: HOME }), await browser(at)];
    const headers = { "user-agent": `Mozilla/5.0 (${"x".repeat(400)})` };
    const body = { email: OWNER.email, password: OWNER.password };
    const fourth = expect(await at.console("POST", "/v1/session", { body, cookie: null, headers }), 201);
    const seen = await list();
    assert.equal(seen.length, 4);
    assert.deepEqual(
      seen.map(({ current }) => current),
      [false, false, false, true],
    );
    assert.equal(seen[0].agent.length, 256);
    assert.deepEqual([seen[2].address, seen[2].last_address], [HOME, HOME]);
    expect(await at.console("DELETE", `/v1/sessions/${seen[2].id}`), 204);
    expect(await session(at, other.cookie), 401, "not_signed_in");
    expect(await at.console("DELETE", `/v1/sessions/${seen[2].id}`), 404, "not_found");
    expect(await at.console("POST", "/v1/sessions/end-others"), 204);
    for (const cookie of [third.cookie, cookieOf(fourth)]) expect(await session(at, cookie), 401, "not_signed_in");
    assert.equal((await list()).length, 1);
    const own = (await list())[0].id;
    const ended = expect(await at.console("DELETE", `/v1/sessions/${own}`), 204);
    assert.match(ended.headers["set-cookie"][0], /Max-Age=0/);
    expect(await session(at), 401, "not_signed_in");
    await at.signIn();
  });

  test("of another account are not there", async () => {
    const second = await at.secondAccount();
    const [foreign] = await list(second);
    expect(await at.console("DELETE", `/v1/sessions/${foreign.id}`), 404, "not_found");
    expect(await session(second), 200);
  });

  test("get a new cookie with a proof of identity, and the one before is over", async () => {
    const before = at.cookie;
    const { body } = expect(
      await at.console("POST", "/v1/session/step-up", { body: { password: OWNER.password } }),
      200,
    );
    assert.notEqual(at.cookie, before);
    expect(await session(at, before), 401, "not_signed_in");
    const { body: now } = expect(await session(at), 200);
    assert.equal(now.step_up_until, body.step_up_until);
  });
});

describe("a person with two accounts", () => {
  let at;
  let second;
  before(async () => {
    at = await begin();
    // The link names the account; the address and its password name the person.
    second = await at.secondAccount({ owner: OWNER });
  });
  after(() => at.dispose());
  const accounts = async (of) => expect(await of.console("GET", "/v1/accounts"), 200).body.accounts;

  test("sees both, and signs in to the one that was opened last", async () => {
    assert.equal(second.session.accounts, 2);
    const [first, other] = [at.session.account.id, second.session.account.id];
    const names = Object.fromEntries((await accounts(at)).map(({ id, name, role }) => [id, `${name} ${role}`]));
    assert.deepEqual(names, { [first]: "Example KK owner", [other]: "Other GmbH owner" });
    const there = await browser(at);
    assert.equal(there.session.account.id, other);
    const before = there.cookie;
    const { body } = expect(await there.console("POST", "/v1/session/switch", { body: { account: first } }), 201);
    assert.equal(body.account.id, first);
    assert.ok(Date.parse(body.step_up_until) <= Date.parse(body.now), "without a fresh proof");
    expect(await session(there, before), 401, "not_signed_in");
    expect(await there.tryIssue(), 403, "step_up_required");
    assert.equal((await browser(at)).session.account.id, first);
    assert.deepEqual(
      (await accounts(there)).map(({ id, current }) => [id, current]),
      [
        [first, true],
        [other, false],
      ],
    );
  });

  test("opens no account of others", async () => {
    const stranger = await at.secondAccount();
    const account = stranger.session.account.id;
    for (const id of [account, "zzzzzzzz", "", account.slice(1)])
      expect(await at.console("POST", "/v1/session/switch", { body: { account: id } }), 404, "not_found");
    assert.deepEqual((await accounts(stranger)).length, 1);
    expect(await session(at), 200);
  });

  test("changes the password of both, and every other session of both ends", async () => {
    const [here, there] = [await browser(at), second.cookie];
    expect(await change(here, { password: NEXT, new_password: "another staple battery" }), 401, "step_up_refused");
    for (const [password, code] of [
      ["short", "too_short"],
      ["password1234", "common"],
      ["Mei.Tanaka-2026", "own_names"],
      [OWNER.password, "same"],
    ]) {
      const refused = expect(await change(here, { password: OWNER.password, new_password: password }), 422, "invalid");
      assert.deepEqual(
        refused.body.errors.map((error) => [error.pointer, error.code]),
        [["#/new_password", code]],
      );
    }
    const before = here.cookie;
    expect(await change(here, { password: OWNER.password, new_password: NEXT }), 200);
    assert.notEqual(here.cookie, before);
    expect(await session(here), 200);
    expect(await session(at), 401, "not_signed_in");
    expect(await session(at, before), 401, "not_signed_in");
    await eventually("the other ledger was told", async () => (await session(second, there)).status === 401);
    expect(await signIn(at, OWNER.password), 401, "sign_in_refused");
    const mailed = () => at.worker.mailbox.messages.filter(({ id }) => id.startsWith("password-changed/"));
    await eventually("the person has mail", () => mailed().length > 0);
    expect(await signIn(at, NEXT), 201);
    assert.equal(mailed().length, 1, "once, whatever the number of accounts");
    assert.equal(mailed()[0].to[0], OWNER.email);
  });
});

describe("a reset", () => {
  let at;
  before(async () => (at = await begin()));
  after(() => at.dispose());

  const ask = (email, ip) => at.console("POST", "/v1/password/reset", { body: { email }, cookie: null, ip });
  const confirm = (code, { email = OWNER.email, password = NEXT, ip } = {}) =>
    at.console("POST", "/v1/password/reset/confirm", { body: { email, code, password }, cookie: null, ip });
  const mails = () => at.worker.mailbox.messages.filter(({ id }) => id.startsWith("reset-code/"));
  const code = (number) =>
    eventually("the code is mailed", () => mails()[number]?.text.match(/^ {4}(\d{8})$/m)?.[1], 60_000);
  const wrong = (code) => String((Number(code) + 1) % 1e8).padStart(8, "0");

  test(
    "is answered alike and after the same time, whether or not the address has a member",
    { timeout: 60_000 },
    async () => {
      const answers = [await ask(OWNER.email), await ask("nobody@example.jp"), await ask("no address")];
      for (const answer of answers) {
        expect(answer, 202);
        assert.equal(answer.text, "");
        assert.deepEqual(Object.keys(answer.headers), Object.keys(answers[0].headers));
      }
      const right = await code(0);
      assert.equal(mails().length, 1);
      const refused = [
        await confirm(wrong(right)),
        await confirm(right, { email: "nobody@example.jp" }),
        await confirm(right, { email: "no address" }),
      ];
      for (const answer of refused) {
        expect(answer, 401, "reset_refused");
        assert.equal(answer.text, refused[0].text);
      }
      expect(await confirm("123456"), 422, "invalid");
      expect(await confirm(right, { password: "mei-password-1" }), 422, "invalid");
      const done = await Promise.all(Array.from({ length: 5 }, () => confirm(right)));
      assert.deepEqual(done.map(({ status }) => status).sort(), [204, 401, 401, 401, 401], "it works once");
      expect(await confirm(right, { password: "one more of these" }), 401, "reset_refused");
      expect(await signIn(at, OWNER.password), 401, "sign_in_refused");
      expect(await signIn(at, NEXT), 201);
      await eventually("its session ended", async () => (await session(at)).status === 401);
    },
  );

  test("whose code was tried five times is over, and the next one works", { timeout: 60_000 }, async () => {
    expect(await ask(OWNER.email, HOME), 202);
    const right = await code(1);
    for (let n = 0; n < 5; n += 1) expect(await confirm(wrong(right), { ip: HOME }), 401, "reset_refused");
    expect(await confirm(right, { ip: HOME }), 401, "reset_refused");
    expect(await ask(OWNER.email, HOME), 202);
    expect(await confirm(await code(2), { ip: HOME, password: OWNER.password }), 204);
    expect(await ask(OWNER.email, HOME), 202);
    expect(await signIn(at, OWNER.password), 201);
    assert.equal(mails().length, 3, "three codes an hour");
  });

  test(
    "of a ledger or name that is out of reach is answered alike, and leaves the password",
    { timeout: 60_000 },
    async () => {
      await at.worker.setClock(60 * 60 * 1000 + 1_000);
      for (const on of ["LEDGER.fetch", "NAME.fetch"]) {
        await at.worker.setFaults({ on, mode: "fail" });
        expect(await ask(OWNER.email, HOME), 202);
        await at.worker.setFaults();
      }
      await at.worker.setClock(0);
      expect(await signIn(at, OWNER.password), 201);
    },
  );
});
