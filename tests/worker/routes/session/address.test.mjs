// A person moves to another e-mail address, in all their accounts at once.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { Journey, OFFICE, OTHER_OWNER, OWNER, begin, eventually, expect } from "../../support/journey.mjs";

const CHANGE = "/v1/member/address";
const CONFIRM = "/v1/member/address/confirm";

const wrong = (code) => String((Number(code) + 1) % 1e8).padStart(8, "0");

const ask = (of, email) => of.console("POST", CHANGE, { body: { email } });
const confirm = (of, email, code) => of.console("POST", CONFIRM, { body: { email, code } });
const signIn = (at, email, password = OWNER.password, ip) =>
  at.console("POST", "/v1/session", { body: { email, password }, cookie: null, ip });
const session = (of, cookie = of.cookie) => of.console("GET", "/v1/session", { cookie });
const mailsTo = (at, email, kind) =>
  at.worker.mailbox.messages.filter(({ id, to }) => id.startsWith(`${kind}/`) && [to].flat().includes(email));

/** Moves a signed-in person, as the console does. */
async function move(of, email) {
  expect(await ask(of, email), 200);
  return confirm(of, email, await of.mailboxCode(email));
}

describe("a person with two accounts", () => {
  let at;
  let second;
  before(async () => {
    at = await begin();
    second = await at.secondAccount({ owner: OWNER });
  });
  after(() => at.dispose());

  test("has the new address in both, and the old one opens nothing", { timeout: 60_000 }, async () => {
    const [before, email] = [at.cookie, "mei@example.org"];
    const mailed = expect(await ask(at, email), 200);
    assert.equal(mailed.body.mail, "sent");
    // Until the code is typed, nothing is different, and nothing else was mailed to the address.
    assert.deepEqual(
      at.worker.mailbox.messages.filter(({ to }) => [to].flat().includes(email)).map(({ subject }) => subject),
      ["Code to confirm your e-mail address"],
    );
    expect(await signIn(at, email), 401, "sign_in_refused");
    const code = await at.mailboxCode(email);
    assert.equal(expect(await confirm(at, email, wrong(code)), 403, "code_wrong").body.tries_left, 4);
    expect(await confirm(at, "mei@example.net", code), 410, "code_over");
    expect(await confirm(second, email, code), 410, "code_over");

    const changed = expect(await confirm(at, email, code), 200);
    assert.equal(changed.body.member.email, email);
    assert.equal(changed.body.accounts, 2);
    assert.ok(Date.parse(changed.body.step_up_until) <= Date.parse(changed.body.now), "no fresh proof by that");
    expect(await session(at, before), 401, "not_signed_in");
    expect(await session(at), 200);
    expect(await signIn(at, OWNER.email), 401, "sign_in_refused");
    await eventually("the other session ends", async () => (await session(second)).status === 401);
    const again = new Journey(at.worker);
    await again.signIn({ email });
    const { accounts } = expect(await again.console("GET", "/v1/accounts"), 200).body;
    assert.deepEqual(accounts.map(({ name }) => name).sort(), ["Example KK", "Other GmbH"]);
    const other = accounts.find(({ current }) => !current).id;
    expect(await again.console("POST", "/v1/session/switch", { body: { account: other } }), 201);
    const members = expect(await again.console("GET", "/v1/members"), 200).body.members;
    assert.deepEqual(
      members.map((member) => member.email),
      [email],
    );

    // Both addresses learn of it, and no subject or link holds what a customer has chosen.
    const left = await eventually("the old one is told", () => mailsTo(at, OWNER.email, "address-left")[0]);
    const taken = await eventually("the new one is told", () => mailsTo(at, email, "address-taken")[0]);
    assert.equal(left.subject, "Your e-mail address was changed");
    assert.ok(left.text.includes(OFFICE) && left.text.includes("at once"), left.text);
    assert.ok(!left.text.includes(email), left.text);
    assert.equal(taken.subject, "Your new e-mail address is in use");
    const activity = expect(await at.console("GET", "/v1/activity?action=address_changed"), 200).body.entries;
    assert.equal(activity.length, 1);
    assert.deepEqual(activity[0].changes.email, { from: OWNER.email, to: email });
    assert.equal(activity[0].address, OFFICE);
  });

  test("moves back, and takes the same password with it", { timeout: 60_000 }, async () => {
    await at.signIn({ email: "mei@example.org" });
    expect(await move(at, OWNER.email), 200);
    expect(await signIn(at, "mei@example.org"), 401, "sign_in_refused");
    await at.signIn();
    const next = "staple battery horse";
    const body = { password: OWNER.password, new_password: next };
    await eventually("the password changes", async () => {
      const answer = await at.console("POST", "/v1/member/password", { body });
      return answer.status === 200;
    });
    expect(await signIn(at, OWNER.email), 401, "sign_in_refused");
    await at.signIn({ password: next });
    const back = { password: next, new_password: OWNER.password };
    expect(await at.console("POST", "/v1/member/password", { body: back }), 200);
  });
});

describe("a change of address", () => {
  let at;
  let number = 0;
  before(async () => (at = await begin()));
  after(() => at.dispose());
  /** A person of their own for each test. */
  let mei;
  let email;
  beforeEach(async () => {
    number += 1;
    email = `person${number}@example.jp`;
    mei = await at.memberJoins(email, "admin", { password: OWNER.password });
  });

  test("needs a fresh proof, and an address that is one and another", async () => {
    for (const [typed, code] of [
      ["", "required"],
      ["no address", "not_an_address"],
      ["a@example.org\r\nBcc: b@example.org", "not_an_address"],
      ["mеi@example.org", "not_an_address"],
      [email.toUpperCase(), "present"],
    ]) {
      const { errors } = expect(await ask(mei, typed), 422, "invalid").body;
      assert.deepEqual(
        errors.map((error) => [error.pointer, error.code]),
        [["#/email", code]],
      );
    }
    expect(await mei.console("POST", CHANGE, { body: { email: "x".repeat(100_000) } }), 413);
    await at.worker.setClock(10 * 60 * 1000 + 1_000);
    expect(await ask(mei, "new@example.org"), 403, "step_up_required");
    expect(await confirm(mei, "new@example.org", "01234567"), 403, "step_up_required");
    await at.worker.setClock(0);
    expect(await mei.console("POST", CHANGE, { body: { email: "x@example.org" }, cookie: null }), 401, "not_signed_in");
  });

  test("to the address of another person is refused once the code is right, and not before", async () => {
    const free = await ask(mei, "free@example.org");
    const taken = await ask(mei, OWNER.email);
    assert.deepEqual(Object.keys(free.body), Object.keys(taken.body));
    assert.deepEqual([free.status, free.body.mail], [taken.status, taken.body.mail]);
    const code = await at.mailboxCode(OWNER.email);
    expect(await confirm(mei, OWNER.email, wrong(code)), 403, "code_wrong");
    expect(await confirm(mei, OWNER.email, code), 409, "address_taken");
    expect(await session(mei), 200);
    expect(await signIn(at, email), 201);
    expect(await signIn(at, OWNER.email), 201);
  });

  test("of two at once, one wins", { timeout: 60_000 }, async () => {
    const other = new Journey(at.worker);
    await other.signIn({ email });
    const [one, two] = [`one${number}@example.org`, `two${number}@example.org`];
    expect(await ask(mei, one), 200);
    expect(await ask(other, two), 200);
    const [first, second] = [await mei.mailboxCode(one), await mei.mailboxCode(two)];
    const answers = await Promise.all([confirm(mei, one, first), confirm(other, two, second)]);
    const won = answers.filter(({ status }) => status === 200);
    assert.equal(won.length, 1, answers.map(({ text }) => text).join());
    const signs = await Promise.all([one, two, email].map(async (to) => (await signIn(at, to)).status));
    assert.deepEqual(signs.filter((status) => status === 201).length, 1);
    assert.equal(signs[2], 401);
  });

  test("ends the codes of a reset", { timeout: 60_000 }, async () => {
    const reset = (to) => at.console("POST", "/v1/password/reset", { body: { email: to }, cookie: null });
    const mailed = () => mailsTo(at, email, "reset-code")[0]?.text.match(/^ {4}(\d{8})$/m)?.[1];
    const code = await eventually("a reset's code is mailed", async () => {
      // There is none until the ledger has confirmed the member.
      if (!mailed()) assert.equal((await reset(email)).status, 202);
      return mailed();
    });
    const to = `reset${number}@example.org`;
    expect(await move(mei, to), 200);
    for (const address of [email, to]) {
      const body = { email: address, code, password: "a password of mine" };
      const tried = await at.console("POST", "/v1/password/reset/confirm", { body, cookie: null });
      expect(tried, 401, "reset_refused");
    }
    expect(await signIn(at, to), 201);
  });

  test("is limited for the person and for the address", { timeout: 60_000 }, async () => {
    for (let n = 0; n < 3; n += 1) expect(await ask(mei, `limit${number}@example.org`), 200);
    expect(await ask(mei, `limit${number}@example.org`), 429, "too_many_attempts");
    for (let n = 0; n < 6; n += 1) expect(await ask(mei, `limit${number}-${n}@example.org`), 200);
    expect(await ask(mei, `limit${number}-x@example.org`), 429, "too_many_attempts");
    // Five wrong tries end a code.
    const to = `limit${number}-0@example.org`;
    const code = await mei.mailboxCode(to);
    for (let n = 0; n < 5; n += 1) expect(await confirm(mei, to, wrong(code)), 403, "code_wrong");
    expect(await confirm(mei, to, code), 410, "code_over");
  });

  test("is no proof of a set-up, and a set-up's code is none of it", { timeout: 60_000 }, async () => {
    const to = `both${number}@example.org`;
    const { link } = await at.invite();
    const form = { account_name: "Other GmbH", time_zone: "UTC", language: "en", ...OTHER_OWNER, email: to };
    const token = link.split("#/setup/")[1];
    expect(await at.mailSetUpCode({ token, ...form }), 200);
    const ofSetUp = await at.mailboxCode(to);
    expect(await ask(mei, to), 200);
    const ofChange = await at.mailboxCode(to);
    expect(await confirm(mei, to, ofSetUp), 403, "code_wrong");
    const open = (code) => at.console("POST", "/v1/setup", { body: { token, ...form, code }, cookie: null });
    expect(await open(ofChange), 403, "code_wrong");
    // Who proves it first has it.
    expect(await open(ofSetUp), 201);
    expect(await confirm(mei, to, ofChange), 409, "address_taken");
  });

  test("outlives calls that fail or whose answers are lost", { timeout: 120_000 }, async () => {
    for (const mode of ["lost", "fail"]) {
      const person = await at.memberJoins(`${mode}${number}@example.jp`, "viewer", { password: OWNER.password });
      const to = `${mode}${number}@example.org`;
      expect(await ask(person, to), 200);
      const code = await person.mailboxCode(to);
      await at.worker.setFaults({ on: "NAME.fetch", mode, times: 4 });
      await confirm(person, to, code);
      await at.worker.setFaults();
      // At every moment one of the two signs in; in the end it is the new one.
      await eventually(
        "the person has the new address",
        async () => {
          const [old, next] = [await signIn(at, `${mode}${number}@example.jp`), await signIn(at, to)];
          assert.ok(old.status === 201 || next.status === 201, `${old.text} ${next.text}`);
          if ((await session(person)).status === 200) await confirm(person, to, code);
          return next.status === 201 && old.status === 401;
        },
        100_000,
      );
    }
  });

  test("of a member who is removed on the way leaves nothing behind", { timeout: 60_000 }, async () => {
    const to = `gone${number}@example.org`;
    expect(await ask(mei, to), 200);
    const code = await mei.mailboxCode(to);
    expect(await at.console("DELETE", `/v1/members/${mei.session.member.id}`), 204);
    expect(await confirm(mei, to, code), 401, "not_signed_in");
    await eventually("the address is free", async () => (await signIn(at, email)).status === 401);
    expect(await signIn(at, to), 401, "sign_in_refused");
  });
});
