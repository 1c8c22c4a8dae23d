// Passkeys over HTTP, with a software authenticator: adding, signing in by one alone and as a second
// factor, proofs of identity, and every answer that must be refused.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { random } from "../../support/forge.mjs";
import { OWNER, begin, cookieOf, eventually, expect } from "../../support/journey.mjs";
import { AT, BE, BS, Passkey, UP, UV, base64url } from "../../support/passkey.mjs";
import { codeOf } from "../../support/totp.mjs";

const FACTORS = "/v1/member/factors";
const PASSKEYS = `${FACTORS}/passkeys`;
const MINUTE = 60_000;

const options = async (of, path, settings) => expect(await of.console("POST", path, settings), 200).body.options;

/** Sends the answer of an authenticator that has made a passkey. */
async function add(of, passkey, { name = "Phone", ...changes } = {}) {
  const creation = await options(of, `${PASSKEYS}/options`);
  return of.console("POST", PASSKEYS, { body: { name, passkey: passkey.create(creation, changes) } });
}

const signInOptions = (at) => options(at, "/v1/session/passkey/options", { cookie: null });
const signIn = (at, passkey, { ip } = {}) =>
  at.console("POST", "/v1/session/passkey", { body: { passkey }, cookie: null, ip });
const challengeOf = async (at) => {
  const body = { email: OWNER.email, password: OWNER.password };
  return expect(await at.console("POST", "/v1/session", { body, cookie: null }), 200).body;
};
const answer = (at, challenge, passkey) =>
  at.console("POST", "/v1/session/factor", { body: { challenge, passkey }, cookie: null });
const stepUp = (at, passkey) => at.console("POST", "/v1/session/step-up", { body: { passkey } });

/** Networks of which each may make its own tries. */
let networks = 0;
const elsewhere = () => `192.0.${(networks += 1)}.9`;

describe("a member with a passkey", () => {
  let at;
  let second;
  let codes;
  const [phone, stick] = [new Passkey(), new Passkey()];
  before(async () => {
    at = await begin();
    second = await at.secondAccount({ owner: OWNER });
    expect(await at.console("GET", "/v1/session"), 200);
  });
  after(() => at.dispose());

  test("adds it, and the first one turns two-step sign-in on", async () => {
    const creation = await options(at, `${PASSKEYS}/options`);
    assert.deepEqual(creation.rp, { id: "localhost", name: "localhost" });
    assert.deepEqual(creation.user.name, "mei@example.jp (Example KK)");
    assert.deepEqual(creation.pubKeyCredParams, [{ type: "public-key", alg: -7 }]);
    assert.equal(creation.attestation, "none");
    assert.equal(creation.authenticatorSelection.residentKey, "required");
    assert.equal(creation.authenticatorSelection.userVerification, "required");
    const added = expect(await add(at, phone), 201).body;
    assert.equal(added.recovery_codes.length, 10);
    codes = added.recovery_codes;
    assert.equal(added.totp, null);
    const members = ["backed_up", "created_at", "id", "last_used_at", "name"];
    assert.deepEqual(Object.keys(added.passkeys[0]).sort(), members);
    const session = expect(await at.console("GET", "/v1/session"), 200).body;
    assert.deepEqual([session.mfa, session.mfa_methods], [true, ["recovery_code", "passkey"]]);
    const further = expect(await add(at, stick, { name: "Stick", flags: UP | UV | AT | BE | BS }), 201).body;
    assert.equal(further.recovery_codes, undefined);
    assert.deepEqual(
      further.passkeys.map(({ name, backed_up }) => [name, backed_up]),
      [
        ["Phone", false],
        ["Stick", true],
      ],
    );
    const exclude = (await options(at, `${PASSKEYS}/options`)).excludeCredentials;
    assert.deepEqual(
      exclude.map(({ id }) => id),
      [phone, stick].map(({ id }) => base64url(id)),
    );
    expect(await add(at, phone, { name: "Again" }), 409, "passkey_is_known");
    await eventually("the mail about it", () =>
      at.worker.mailbox.messages.some(({ subject }) => subject === "A passkey was added"),
    );
  });

  test("signs in by it alone, without a call before it is used", async () => {
    await at.worker.resetCounters();
    const request = await signInOptions(at);
    assert.deepEqual(await at.worker.counters(), {});
    assert.deepEqual(request.allowCredentials, []);
    assert.equal(request.userVerification, "required");
    const sent = phone.get(request);
    const opened = expect(await signIn(at, sent), 201);
    assert.equal(opened.body.account.id, at.session.account.id);
    assert.equal(opened.body.accounts, 2);
    assert.ok(Date.parse(opened.body.step_up_until) > Date.parse(opened.body.now));
    assert.ok(opened.headers["set-cookie"].some((one) => one.startsWith("__Host-claviger-browser=B")));
    const cookie = cookieOf(opened);
    assert.equal(expect(await at.console("GET", "/v1/session", { cookie }), 200).body.accounts, 2);
    // The answer is accepted once, also of parallel requests.
    expect(await signIn(at, sent, { ip: elsewhere() }), 401, "sign_in_refused");
    const parallel = stick.get(await signInOptions(at));
    const all = await Promise.all([1, 2, 3, 4].map(() => signIn(at, parallel, { ip: elsewhere() })));
    assert.deepEqual(all.map(({ status }) => status).sort(), [201, 401, 401, 401]);
    const { entries } = expect(await at.console("GET", "/v1/activity"), 200).body;
    const methods = entries.filter(({ action }) => action === "signed_in").map(({ changes }) => changes?.method?.to);
    assert.ok(methods.includes("passkey"), JSON.stringify(methods));
  });

  test("answers the challenge after the password", async () => {
    const { challenge, methods, passkey } = await challengeOf(at);
    assert.deepEqual(methods, ["recovery_code", "passkey"]);
    assert.deepEqual(
      passkey.allowCredentials.map(({ id }) => id),
      [phone, stick].map(({ id }) => base64url(id)),
    );
    // Neither a challenge for another purpose, nor that of another sign-in.
    const alone = await signInOptions(at);
    const other = await challengeOf(at);
    for (const foreign of [alone, other.passkey]) {
      const refused = expect(await answer(at, challenge, phone.get(foreign)), 401, "passkey_refused");
      assert.equal(refused.body.reason, "challenge");
    }
    const unknown = new Passkey();
    unknown.handle = phone.handle;
    const refused = expect(await answer(at, challenge, unknown.get(passkey)), 401, "factor_refused");
    assert.equal(refused.body.tries_left, 4);
    const sent = phone.get(passkey, { handle: null });
    expect(await answer(at, challenge, sent), 201);
    expect(await answer(at, challenge, sent), 401, "challenge_over");
    expect(await answer(at, "C", sent), 401, "challenge_over");
    expect(await signIn(at, phone.get(passkey), { ip: elsewhere() }), 401, "sign_in_refused");
  });

  test("proves their identity by it, in their own session alone", async () => {
    const refused = expect(
      await at.console("POST", "/v1/session/step-up", { body: { password: OWNER.password } }),
      403,
      "step_up_required",
    );
    assert.deepEqual(refused.body.methods, ["recovery_code", "passkey"]);
    const request = await options(at, "/v1/session/step-up/options");
    assert.equal(request.allowCredentials.length, 2);
    const elsewhereOpen = cookieOf(expect(await signIn(at, phone.get(await signInOptions(at))), 201));
    const body = { passkey: phone.get(request) };
    const foreign = await at.console("POST", "/v1/session/step-up", { body, cookie: elsewhereOpen });
    assert.equal(expect(foreign, 401, "passkey_refused").body.reason, "challenge");
    const before = at.cookie;
    expect(await stepUp(at, stick.get(request)), 200);
    expect(await at.console("GET", "/v1/session", { cookie: before }), 401, "not_signed_in");
    // The session is another one, and with it the challenge is none.
    expect(await stepUp(at, phone.get(request)), 401, "passkey_refused");
    const both = { passkey: phone.get(request), recovery_code: codes[0] };
    expect(await at.console("POST", "/v1/session/step-up", { body: both }), 400, "malformed_body");
    expect(await second.console("POST", "/v1/session/step-up/options"), 409, "no_factor");
  });

  test("is refused alike for every broken answer, and a ledger is called for none that is made up", async () => {
    const other = new Passkey();
    expect(await add(second, other, { name: "Other account" }), 201);
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const madeUp = Buffer.from(random(41));
    const step = await options(at, "/v1/session/step-up/options");
    const bad = {
      "another site": (it) => phone.get(it, { origin: "https://evil.example" }),
      "another port": (it) => phone.get(it, { origin: "http://localhost:8788" }),
      "another host's passkey": (it) => phone.get(it, { host: "evil.example" }),
      "no verification of the person": (it) => phone.get(it, { flags: UP }),
      "nobody present": (it) => phone.get(it, { flags: UV }),
      "a registration": (it) => phone.get(it, { type: "webauthn.create" }),
      "trailing bytes": (it) => phone.get(it, { tail: Buffer.alloc(1) }),
      "no challenge": (it) => phone.get(it, { challenge: "" }),
      "a made-up challenge": (it) => phone.get(it, { challenge: base64url(random(54)) }),
      "a challenge of another purpose": (it) => phone.get(it, { challenge: step.challenge }),
      "no user handle": (it) => phone.get(it, { handle: null }),
      "a made-up account": (it) => phone.get(it, { handle: base64url(madeUp) }),
      "giant data": (it) => phone.get(it, { tail: Buffer.alloc(20_000) }),
    };
    await at.worker.resetCounters();
    for (const [name, answered] of Object.entries(bad)) {
      const sent = answered(await signInOptions(at));
      const refused = await signIn(at, sent, { ip: elsewhere() });
      expect(refused, 401, "sign_in_refused");
      assert.deepEqual(Object.keys(refused.body), ["type", "title", "status", "code"], name);
      assert.equal((await at.worker.counters())["LEDGER.fetch"], undefined, name);
    }
    for (const [name, answered] of Object.entries({
      "another key": (it) => phone.get(it, { key: privateKey }),
      "an unknown credential": (it) => phone.get(it, { id: Buffer.alloc(16) }),
      "a passkey of another account": (it) => other.get(it, { handle: phone.handle }),
      "a handle of another account": (it) => phone.get(it, { handle: other.handle }),
    })) {
      const refused = await signIn(at, answered(await signInOptions(at)), { ip: elsewhere() });
      assert.deepEqual(
        Object.keys(expect(refused, 401, "sign_in_refused").body),
        ["type", "title", "status", "code"],
        name,
      );
    }
    expect(await signIn(at, phone.get(await signInOptions(at)), { ip: elsewhere() }), 201);
    const log = at.worker.log().join("\n");
    assert.ok(log.includes('"attempt":"passkey"'), log.slice(-500));
  });

  test("is refused by name where a new passkey breaks a rule, and nothing is added", async () => {
    const count = async () => expect(await at.console("GET", FACTORS), 200).body.passkeys.length;
    const before = await count();
    const fresh = () => new Passkey();
    for (const [reason, changes] of [
      ["origin", { origin: "https://evil.example" }],
      ["relying_party", { host: "evil.example" }],
      ["not_verified", { flags: UP | AT }],
      ["wrong_act", { type: "webauthn.get" }],
      ["challenge", { challenge: base64url(random(54)) }],
      ["algorithm", { alg: -257 }],
      ["algorithm", { alg: -65_535 }],
      ["authenticator_data", { tail: Buffer.alloc(3) }],
      ["authenticator_data", { flags: UP | UV }],
      ["attestation", { attestation: Buffer.alloc(0) }],
      ["attestation", { attestation: Buffer.from("a3", "hex") }],
      ["attestation", { attestation: Buffer.from("bbffffffffffffffff", "hex") }],
      ["attestation", { attestation: Buffer.alloc(33_000, 0x81) }],
      ["attestation", { attestation: Buffer.alloc(20_000, 0x81) }],
    ]) {
      const refused = expect(await add(at, fresh(), changes), 401, "passkey_refused");
      assert.equal(refused.body.reason, reason, JSON.stringify(changes).slice(0, 80));
    }
    const creation = await options(at, `${PASSKEYS}/options`);
    for (const name of ["", " ", "x".repeat(2_000)])
      expect(await at.console("POST", PASSKEYS, { body: { name, passkey: fresh().create(creation) } }), 422, "invalid");
    for (const passkey of [{}, { client_data: "*" }, { ...fresh().create(creation), more: 1 }])
      expect(await at.console("POST", PASSKEYS, { body: { name: "A", passkey } }), 400, "malformed_body");
    assert.equal(await count(), before);
    // The challenge of another session.
    const other = cookieOf(expect(await signIn(at, phone.get(await signInOptions(at)), { ip: elsewhere() }), 201));
    const body = { name: "A", passkey: fresh().create(creation) };
    const refused = await at.console("POST", PASSKEYS, { body, cookie: other });
    assert.equal(expect(refused, 401, "passkey_refused").body.reason, "challenge");
  });

  test("renames and removes it, and the last factor turns two-step sign-in off", async () => {
    const [first, last] = expect(await at.console("GET", FACTORS), 200).body.passkeys;
    const path = (id) => `${PASSKEYS}/${id}`;
    const renamed = expect(await at.console("PATCH", path(first.id), { body: { name: "Work phone" } }), 200);
    assert.equal(renamed.body.passkeys[0].name, "Work phone");
    for (const method of ["PATCH", "DELETE"]) {
      const body = method === "PATCH" ? { name: "Mine" } : undefined;
      expect(await second.console(method, path(first.id), { body }), 404, "not_found");
      expect(await at.console(method, path("0123456789"), { body }), 404, "not_found");
    }
    assert.equal(expect(await at.console("DELETE", path(first.id)), 200).body.passkeys.length, 1);
    expect(await signIn(at, phone.get(await signInOptions(at)), { ip: elsewhere() }), 401, "sign_in_refused");
    expect(await at.console("DELETE", `${FACTORS}/totp`), 409, "no_factor");
    // An app beside it.
    const { secret } = expect(await at.console("POST", `${FACTORS}/totp`), 201).body;
    const confirmed = await at.console("POST", `${FACTORS}/totp/confirm`, { body: { code: codeOf(secret) } });
    assert.equal(expect(confirmed, 200).body.recovery_codes, undefined);
    const removed = expect(await at.console("DELETE", path(last.id)), 200).body;
    assert.deepEqual([removed.passkeys, Boolean(removed.totp), removed.recovery_codes_left], [[], true, 10]);
    assert.equal(expect(await at.console("DELETE", `${FACTORS}/totp`), 200).body.recovery_codes_left, 0);
    const { entries } = expect(await at.console("GET", "/v1/activity"), 200).body;
    const actions = new Set(entries.map(({ action }) => action));
    for (const action of ["passkey_added", "passkey_renamed", "passkey_removed", "mfa_turned_on", "mfa_turned_off"])
      assert.ok(actions.has(action), action);
  });
});

describe("a passkey that is no longer good", () => {
  let at;
  const stick = new Passkey();
  stick.counter = 10;
  before(async () => {
    at = await begin();
    expect(await add(at, stick), 201);
  });
  after(() => at.dispose());

  test("is refused once its counter goes back, which is recorded and mailed", async () => {
    expect(await signIn(at, stick.get(await signInOptions(at))), 201);
    for (const counter of [0, 10, 11]) {
      const copy = stick.get(await signInOptions(at), { counter });
      expect(await signIn(at, copy, { ip: elsewhere() }), 401, "sign_in_refused");
    }
    const { entries } = expect(await at.console("GET", "/v1/activity"), 200).body;
    assert.equal(entries.filter(({ action }) => action === "passkey_copy_refused").length, 3);
    const copied = at.worker.log().filter((line) => line.includes('"attempt":"passkey"') && line.includes('"copied"'));
    assert.equal(copied.length, 3);
    assert.ok(copied[0].includes(at.session.member.id), copied[0]);
    await eventually("the mail about it", () =>
      at.worker.mailbox.messages.some(({ subject }) => subject === "A passkey may have been copied"),
    );
    expect(await signIn(at, stick.get(await signInOptions(at))), 201);
  });

  test("is counted by address before anything is checked", async () => {
    const ip = elsewhere();
    const sent = stick.get(await signInOptions(at), { origin: "https://evil.example" });
    const all = await Promise.all(Array.from({ length: 310 }, () => signIn(at, sent, { ip })));
    const counted = all.filter(({ status }) => status === 401).length;
    assert.deepEqual([counted, all.filter(({ status }) => status === 429).length], [300, 10]);
    // A right one from there is not looked at, and one from elsewhere is.
    const right = stick.get(await signInOptions(at));
    expect(await signIn(at, right, { ip }), 429, "too_many_attempts");
    expect(await signIn(at, right, { ip: elsewhere() }), 201);
  });

  test("is refused after five minutes, and of a removed member", async () => {
    const viewer = await at.memberJoins("viewer@example.net", "viewer", { password: "staple battery correct" });
    const own = new Passkey();
    expect(await add(viewer, own), 201);
    expect(await signIn(viewer, own.get(await signInOptions(viewer)), { ip: elsewhere() }), 201);
    expect(await at.console("DELETE", `/v1/members/${viewer.session.member.id}`), 204);
    expect(await signIn(viewer, own.get(await signInOptions(viewer)), { ip: elsewhere() }), 401, "sign_in_refused");
    const [early, late] = [await signInOptions(at), await signInOptions(at)];
    await at.worker.setClock(4 * MINUTE);
    expect(await signIn(at, stick.get(early), { ip: elsewhere() }), 201);
    await at.worker.setClock(6 * MINUTE);
    expect(await signIn(at, stick.get(late), { ip: elsewhere() }), 401, "sign_in_refused");
  });
});
