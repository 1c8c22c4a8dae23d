// The proof of identity that a policy demands of each class of actions, and codes by mail.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { OTHER_OWNER, begin, cookieOf, eventually, expect } from "../../support/journey.mjs";

const STEP_UP = "/v1/session/step-up";
const KEY = { name: "Build server", expires: "never", networks: [], permissions: [] };

let operator, owner;
before(async () => {
  operator = await begin();
  owner = await operator.secondAccount();
});
after(() => operator.dispose());

async function setPolicy(body, id = owner.session.account.id) {
  const path = `/v1/operator/accounts/${id}/policy`;
  const { revision } = expect(await operator.console("GET", path), 200).body;
  return operator.console("PUT", path, { body, headers: { "if-match": `"${revision}"` } });
}
const issue = () => owner.console("POST", "/v1/keys", { body: KEY, headers: { "idempotency-key": randomUUID() } });
const rename = () => owner.console("PATCH", "/v1/account", { body: { name: "Other AG" } });
const prove = (email_code, cookie = owner.cookie) => owner.console("POST", STEP_UP, { body: { email_code }, cookie });
const codes = () =>
  operator.worker.mailbox.messages
    .filter(({ subject }) => subject === "Code to confirm that it is you")
    .map((mail) => ({ ...mail, code: mail.text.match(/^ {4}(\d{6})$/m)[1] }));
const wrongFor = (code) => (code === "000000" ? "000001" : "000000");

describe("proofs by class of action", { timeout: 120_000 }, () => {
  test("are passwords, until the operator demands others", async () => {
    const { proofs } = expect(await owner.console("GET", "/v1/session"), 200).body.account.policy;
    assert.deepEqual(new Set(Object.values(proofs)), new Set(["password"]));
    const refused = expect(await owner.console("POST", `${STEP_UP}/code`), 403, "step_up_required").body;
    assert.deepEqual(refused.methods, ["password"], "a code would prove nothing");
    expect(
      await setPolicy({ proofs: { change_keys: "email_code", change_account: "none", show_secrets: "totp" } }),
      200,
    );
    const after = expect(await owner.console("GET", "/v1/session"), 200).body.account.policy;
    assert.deepEqual(after.proofs, {
      ...proofs,
      change_keys: "email_code",
      change_account: "none",
      show_secrets: "totp",
    });
  });

  test("a code by mail confirms once, in its own session, and ends the cookie before", async () => {
    const { password } = OTHER_OWNER;
    expect(await owner.console("POST", STEP_UP, { body: { password } }), 200);
    assert.deepEqual(expect(await issue(), 403, "step_up_required").body.methods, ["email_code"]);
    expect(await rename(), 200);

    const mailed = expect(await owner.console("POST", `${STEP_UP}/code`), 201).body;
    assert.match(mailed.sent_to, /^.…@/);
    const left = Date.parse(mailed.expires_at) - Date.parse(mailed.now);
    assert.ok(left > 9 * 60_000 && left <= 10 * 60_000, `${left} ms`);
    const mail = await eventually("the code is mailed", () => codes()[0], 60_000);
    assert.ok(mail.text.includes("Other AG") && !mail.subject.includes(mail.code));

    for (const email_code of ["12345", "1234567", "abcdef", ""]) {
      const errors = expect(await prove(email_code), 422, "invalid").body.errors;
      assert.deepEqual(errors, [{ pointer: "#/email_code", code: "not_a_code", digits: 6, detail: errors[0].detail }]);
    }
    expect(await prove(wrongFor(mail.code)), 401, "factor_refused");
    const line = operator.worker.log().find((text) => text.includes('"attempt":"factor_code"'));
    assert.ok(line.includes(owner.session.account.id) && !line.includes(mail.code), line);
    const both = { email_code: mail.code, password };
    expect(await owner.console("POST", STEP_UP, { body: both }), 400, "malformed_body");

    // Another session of the same member has another code.
    const other = expect(
      await owner.console("POST", "/v1/session", { body: { email: OTHER_OWNER.email, password }, cookie: null }),
      201,
    );
    expect(await prove(mail.code, cookieOf(other)), 410, "code_over");

    const before = owner.cookie;
    expect(await prove(mail.code), 200);
    assert.notEqual(owner.cookie, before);
    expect(await owner.console("GET", "/v1/session", { cookie: before }), 401, "not_signed_in");
    expect(await issue(), 201);
    expect(await prove(mail.code), 410, "code_over");
  });

  test("parallel tries of one code count as what they are", async () => {
    expect(await owner.console("POST", `${STEP_UP}/code`), 201);
    const { code } = await eventually("the code is mailed", () => codes()[1], 60_000);
    const answers = await Promise.all(Array.from({ length: 12 }, () => prove(wrongFor(code))));
    const refused = answers.map(({ body }) => body.code).sort();
    assert.deepEqual(refused, [...Array(7).fill("code_over"), ...Array(5).fill("factor_refused")]);
    expect(await prove(code), 410, "code_over");
  });

  test("an action that needs a factor says so, and operating always needs a proof", async () => {
    const reveal = await owner.console("POST", "/v1/account/service/reveal");
    const { methods } = expect(reveal, 403, "step_up_required").body;
    assert.deepEqual(methods, ["totp", "recovery_code", "passkey"]);
    const own = operator.session.account.id;
    const { errors } = expect(await setPolicy({ proofs: { operate: "none" } }, own), 422, "invalid").body;
    assert.deepEqual([errors[0].pointer, errors[0].code], ["#/proofs/operate", "proof_needed"]);
    for (const proofs of [{ change_keys: "sms" }, { change_factors: "none" }, "none"])
      assert.ok([400, 422].includes((await setPolicy({ proofs })).status), JSON.stringify(proofs));
  });
});
