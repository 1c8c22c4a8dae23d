// The table of the console's routes, and a deployment on which each of them is tried.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { ANY_USER } from "./api-users.mjs";
import { random, sealedId, token } from "./forge.mjs";
import { API, ORIGIN, OWNER, RULES, begin, eventually, setupToken } from "./journey.mjs";

/** Path of the issuance API, which words its failures itself. */
export const ISSUANCE = "/issue_service_authorization";
/** A path whose key may stand in a body. */
const FIELDS = {
  host: API,
  path: "/fields/*",
  origin: "DEMO",
  any_key: true,
  credentials: ["authorization", "form:u", "json:u"],
};

/** The deployment of the file, its owner signed in. */
export let at;
/** A key of that account, and the credential of one that may verify. */
export let issued;
export let verifier;
/** ID of another account: a restore ends all sessions of the account. */
export let elsewhere;

/** Registers the hooks of a file: they start its deployment, and look at every answer in the end. */
export function useEveryRoute() {
  before(async () => {
    at = await begin({ rules: [FIELDS, { host: API, path: ISSUANCE, serves: "issuance" }, ...RULES] });
    issued = await at.issue();
    const second = await at.issue({ permissions: ["claviger:verify"] });
    verifier = second.credential;
    elsewhere = (await at.secondAccount()).session.account.id;
    // Tests count calls: none of them may be that of a publication.
    for (const { key } of [issued, second]) await eventually("it is published", () => at.published(key.id));
  });
  after(() => at.dispose());
  after(() => {
    assert.ok(at.answers.length > 200);
    assertAnswers(at.answers);
  });
}

/** Asserts what holds of every answer, whatever was asked. */
export function assertAnswers(answers) {
  for (const { method, path, status, headers, body } of answers) {
    const what = `${method} ${path} ▸ ${status}`;
    assert.ok(status < 500, what);
    if (path.startsWith(ISSUANCE) || (!path.startsWith("/v1/") && status !== 405)) continue;
    assert.equal(headers["cache-control"], "no-store", what);
    if (status >= 400 && method !== "HEAD") {
      assert.equal(headers["content-type"], "application/problem+json", what);
      assert.equal(body.status, status, what);
      assert.match(body.code, /^[a-z_]+$/, what);
      assert.equal(body.type, `${ORIGIN}/problems#${body.code}`, what);
      assert.ok(body.title, what);
    }
  }
}

export const id = () => issued.key.id;
const accounts = () => "/v1/operator/accounts";
const own = (step = "") => `${accounts()}/${at.session.account.id}${step}`;
export const idempotency = () => ({ "idempotency-key": randomUUID() });
const ifMatch = async () => ({ "if-match": `"${(await at.show(id())).revision}"` });
export const draft = { name: "a key", expires: "never", networks: [], permissions: [] };
/** A good form of an API user, under a name that no other has. */
const apiUser = () => ({ ...ANY_USER, name: `${random(20)}@example.org` });
/** The revision of something that is not there. */
const seen = () => ({ "if-match": '"1"' });
const invitee = () => ({ email: `${random(20)}@example.org`, role: "viewer", language: "en" });
/** A token that Claviger could have made, of an invitation that never was. */
const invitation = () => token("I", { account: at.session.account.id });
/** Answers of authenticators, of the right form alone. */
const PASSKEY = { credential_id: "AA", client_data: "AA", authenticator_data: "AA", signature: "AA" };
const NEW_PASSKEY = { client_data: "AA", attestation_object: "AA" };
const setup = () => ({ token: setupToken(), account_name: "A", time_zone: "UTC", language: "en", ...OWNER });

/**
 * The routes. `session`: it demands one. `changes`: only the console's own page may ask. `body`: a
 * good one, with a member of the wrong type in `wrong`. `good`: the answer to a good request.
 * `linked`: other sites may lead a browser there.
 */
// prettier-ignore
export const ROUTES = [
  { method: "POST", path: () => "/v1/setup", changes: true, body: setup, wrong: { language: 7 }, good: [409, "setup_done"] },
  { method: "POST", path: () => "/v1/setup/code", changes: true, body: setup, wrong: { language: 7 }, good: [409, "setup_done"] },
  { method: "POST", path: () => "/v1/member/address", session: true, changes: true, body: () => ({ email: "no address" }), wrong: { email: 7 }, good: [422, "invalid"] },
  { method: "POST", path: () => "/v1/member/address/confirm", session: true, changes: true, body: () => ({ email: "new@example.org", code: "12345" }), wrong: { code: 7 }, good: [422, "invalid"] },
  { method: "GET", path: () => "/v1/session", session: true, good: [200] },
  { method: "POST", path: () => "/v1/session", changes: true, body: () => ({ email: OWNER.email, password: OWNER.password }), wrong: { password: 7 }, good: [201] },
  { method: "POST", path: () => "/v1/session/step-up", session: true, changes: true, body: () => ({ password: OWNER.password }), wrong: { password: [] }, good: [200] },
  { method: "POST", path: () => "/v1/session/step-up/code", session: true, changes: true, good: [403, "step_up_required"] },
  { method: "POST", path: () => "/v1/session/switch", session: true, changes: true, body: () => ({ account: "zzzzzzzz" }), wrong: { account: 7 }, good: [404, "not_found"] },
  { method: "POST", path: () => "/v1/session/factor", changes: true, body: () => ({ challenge: "C", code: "123456" }), wrong: { code: 7 }, good: [401, "challenge_over"] },
  { method: "POST", path: () => "/v1/session/step-up/options", session: true, changes: true, good: [409, "no_factor"] },
  { method: "POST", path: () => "/v1/session/passkey/options", changes: true, good: [200] },
  { method: "POST", path: () => "/v1/session/passkey", changes: true, body: () => ({ passkey: PASSKEY }), wrong: { passkey: 7 }, good: [401, "sign_in_refused"] },
  { method: "POST", path: () => "/v1/member/factors/passkeys/options", session: true, changes: true, good: [200] },
  { method: "POST", path: () => "/v1/member/factors/passkeys", session: true, changes: true, body: () => ({ name: "Phone", passkey: NEW_PASSKEY }), wrong: { name: 7 }, good: [401, "passkey_refused"] },
  { method: "PATCH", path: () => "/v1/member/factors/passkeys/0123456789", session: true, changes: true, body: () => ({ name: "Phone" }), wrong: { name: 7 }, good: [404, "not_found"] },
  { method: "DELETE", path: () => "/v1/member/factors/passkeys/0123456789", session: true, changes: true, good: [404, "not_found"] },
  { method: "GET", path: () => "/v1/member/factors", session: true, good: [200] },
  { method: "POST", path: () => "/v1/member/factors/totp", session: true, changes: true, good: [201] },
  { method: "POST", path: () => "/v1/member/factors/totp/confirm", session: true, changes: true, body: () => ({ code: "12345" }), wrong: { code: 7 }, good: [422, "invalid"] },
  { method: "DELETE", path: () => "/v1/member/factors/totp", session: true, changes: true, good: [409, "no_factor"] },
  { method: "POST", path: () => "/v1/member/factors/recovery-codes", session: true, changes: true, good: [409, "no_factor"] },
  { method: "POST", path: () => "/v1/members/0123456789A/reset-factors", session: true, changes: true, good: [404, "not_found"] },
  { method: "GET", path: () => "/v1/accounts", session: true, good: [200] },
  { method: "GET", path: () => "/v1/sessions", session: true, good: [200] },
  { method: "DELETE", path: () => "/v1/sessions/0123456789", session: true, changes: true, good: [404, "not_found"] },
  { method: "POST", path: () => "/v1/sessions/end-others", session: true, changes: true, good: [204] },
  { method: "POST", path: () => "/v1/member/password", session: true, changes: true, body: () => ({ password: OWNER.password, new_password: OWNER.password }), wrong: { new_password: 7 }, good: [422, "invalid"] },
  { method: "POST", path: () => "/v1/password/reset", changes: true, body: () => ({ email: "nobody@example.jp" }), wrong: { email: 7 }, good: [202] },
  { method: "POST", path: () => "/v1/password/reset/confirm", changes: true, body: () => ({ email: OWNER.email, code: "1", password: OWNER.password }), wrong: { code: 7 }, good: [422, "invalid"] },
  { method: "GET", path: () => "/v1/api-users", session: true, good: [200] },
  { method: "POST", path: () => "/v1/api-users", session: true, changes: true, headers: idempotency, body: apiUser, wrong: { interfaces: "http" }, good: [201] },
  { method: "GET", path: () => `/v1/api-users/${id()}`, session: true, good: [404, "not_found"] },
  { method: "PATCH", path: () => `/v1/api-users/${id()}`, session: true, changes: true, headers: seen, body: () => ({ group: "normal" }), wrong: { networks: 7 }, good: [404, "not_found"] },
  { method: "POST", path: () => `/v1/api-users/${id()}/lock`, session: true, changes: true, headers: seen, good: [404, "not_found"] },
  { method: "POST", path: () => `/v1/api-users/${id()}/unlock`, session: true, changes: true, headers: seen, good: [404, "not_found"] },
  { method: "POST", path: () => `/v1/api-users/${id()}/delete`, session: true, changes: true, headers: seen, body: () => ({ password: OWNER.password }), wrong: { password: 7 }, good: [404, "not_found"] },
  { method: "POST", path: () => `/v1/api-users/${id()}/restore`, session: true, changes: true, headers: seen, good: [404, "not_found"] },
  { method: "GET", path: () => "/v1/keys", session: true, good: [200] },
  { method: "POST", path: () => "/v1/keys", session: true, changes: true, headers: idempotency, body: () => draft, wrong: { permissions: "demo:read" }, good: [201] },
  { method: "POST", path: () => "/v1/keys/check", session: true, changes: true, body: () => draft, wrong: { expires: 90 }, good: [200] },
  { method: "GET", path: () => `/v1/keys/${id()}`, session: true, good: [200] },
  { method: "PATCH", path: () => `/v1/keys/${id()}`, session: true, changes: true, headers: ifMatch, body: () => ({ name: "changed" }), wrong: { networks: 7 }, good: [200] },
  { method: "DELETE", path: () => `/v1/keys/${id()}`, session: true, changes: true, headers: ifMatch, good: [409, "code_required"] },
  { method: "GET", path: () => "/v1/key-pair", session: true, good: [404, "not_found"] },
  { method: "POST", path: () => `/v1/keys/${id()}/disable`, session: true, changes: true, headers: ifMatch, good: [200] },
  { method: "POST", path: () => `/v1/keys/${id()}/enable`, session: true, changes: true, headers: ifMatch, good: [200] },
  { method: "POST", path: () => `/v1/keys/${id()}/reveal`, session: true, changes: true, good: [409, "not_viewable"] },
  { method: "POST", path: () => `/v1/keys/${id()}/restore`, session: true, changes: true, headers: ifMatch, good: [409, "not_deleted"] },
  { method: "POST", path: () => `/v1/keys/${id()}/regenerate`, session: true, changes: true, headers: async () => ({ ...(await ifMatch()), ...idempotency() }), body: () => ({ overlap: "never" }), wrong: { overlap: 7 }, good: [422, "invalid"] },
  { method: "POST", path: () => `/v1/keys/${id()}/end-overlap`, session: true, changes: true, headers: ifMatch, good: [409, "not_replaced"] },
  { method: "POST", path: () => "/v1/deletions", session: true, changes: true, body: () => ({ keys: [id()] }), wrong: { keys: [7] }, good: [201] },
  { method: "GET", path: () => "/v1/deletions/0123456789", session: true, good: [404, "not_found"] },
  { method: "POST", path: () => "/v1/deletions/0123456789/code", session: true, changes: true, good: [404, "not_found"] },
  { method: "POST", path: () => "/v1/deletions/0123456789/confirm", session: true, changes: true, body: () => ({ code: "000000" }), wrong: { code: 0 }, good: [404, "not_found"] },
  { method: "GET", path: () => "/v1/account/service", session: true, good: [200] },
  { method: "GET", path: () => "/v1/account/service/issued", session: true, good: [200] },
  { method: "GET", path: () => `/v1/keys/${id()}/issued`, session: true, good: [200] },
  { method: "PATCH", path: () => "/v1/account/service", session: true, changes: true, headers: () => ({ "if-match": '"0"' }), body: () => ({ longest: "never" }), wrong: { longest: 7 }, good: [200] },
  { method: "POST", path: () => "/v1/account/service/reveal", session: true, changes: true, good: [200] },
  { method: "POST", path: () => "/v1/account/service/password", session: true, changes: true, headers: () => ({ "if-match": '"99"' }), good: [412, "changed_meanwhile"] },
  { method: "POST", path: () => "/v1/sealed-keys/revoke", session: true, changes: true, body: (account = at.session.account.id) => ({ id: sealedId({ account }), issuer: "service" }), wrong: { id: 7 }, good: [200] },
  { method: "GET", path: () => "/v1/activity", session: true, good: [200] },
  { method: "POST", path: () => "/v1/activity/export?format=jsonl", session: true, changes: true, good: [200] },
  { method: "GET", path: () => "/v1/counters", session: true, good: [200] },
  { method: "GET", path: () => "/v1/operator/sign-in", linked: true, good: [404, "not_found"] },
  { method: "GET", path: () => accounts(), session: true, good: [200] },
  { method: "POST", path: () => accounts(), session: true, changes: true, headers: idempotency, good: [201] },
  { method: "GET", path: () => own(), session: true, good: [200] },
  { method: "PATCH", path: () => own(), session: true, changes: true, body: () => ({ freshness_s: 10 }), wrong: { suspended: 1 }, good: [200] },
  { method: "GET", path: () => own("/policy"), session: true, good: [200] },
  { method: "PUT", path: () => own("/policy"), session: true, changes: true, headers: () => ({ "if-match": '"0"' }), body: () => ({ preset: "portal" }), wrong: { demands_mfa: 7 }, good: [200] },
  { method: "POST", path: () => own("/policy/preview"), session: true, changes: true, body: () => ({ preset: "registry" }), wrong: { preset: 7 }, good: [200] },
  { method: "DELETE", path: () => own(), session: true, changes: true, good: [409, "setup_done"] },
  { method: "POST", path: () => own("/rebuild"), session: true, changes: true, good: [200] },
  { method: "POST", path: () => `${accounts()}/${elsewhere}/restore/begin`, session: true, changes: true, good: [200] },
  { method: "POST", path: () => `${accounts()}/${elsewhere}/restore/finish`, session: true, changes: true, good: [200] },
  { method: "GET", path: () => "/v1/members", session: true, good: [200] },
  { method: "POST", path: () => "/v1/members/invitations", session: true, changes: true, body: invitee, wrong: { role: 7 }, good: [201] },
  { method: "POST", path: () => "/v1/members/invitations/0123456789/repeat", session: true, changes: true, good: [404, "not_found"] },
  { method: "DELETE", path: () => "/v1/members/invitations/0123456789", session: true, changes: true, good: [404, "not_found"] },
  { method: "PATCH", path: () => "/v1/members/0123456789A", session: true, changes: true, body: () => ({ role: "admin", expected_role: "viewer" }), wrong: { role: 7 }, good: [404, "not_found"] },
  { method: "DELETE", path: () => "/v1/members/0123456789A", session: true, changes: true, good: [404, "not_found"] },
  { method: "POST", path: () => "/v1/members/0123456789A/end-sessions", session: true, changes: true, good: [404, "not_found"] },
  { method: "POST", path: () => "/v1/invitations/check", changes: true, body: () => ({ token: invitation() }), wrong: { token: 7 }, good: [410, "invitation_over"] },
  { method: "POST", path: () => "/v1/invitations/accept", changes: true, body: () => ({ token: invitation(), password: OWNER.password, name: "A", language: "en" }), wrong: { password: 7 }, good: [410, "invitation_over"] },
  { method: "GET", path: () => "/v1/member/notices", session: true, good: [200] },
  { method: "PATCH", path: () => "/v1/member/notices", session: true, changes: true, body: () => ({ key_end: true }), wrong: { key_end: "no" }, good: [200] },
  { method: "GET", path: () => "/v1/notices", session: true, good: [200] },
  { method: "POST", path: () => "/v1/notices/read", session: true, changes: true, body: () => ({ id: 1 }), wrong: { id: "1" }, good: [200] },
  { method: "PATCH", path: () => "/v1/member", session: true, changes: true, body: () => ({ name: OWNER.name, language: "en" }), wrong: { language: 7 }, good: [200] },
  { method: "PATCH", path: () => "/v1/account", session: true, changes: true, body: () => ({ name: "Example KK", time_zone: "Asia/Tokyo" }), wrong: { time_zone: 7 }, good: [200] },
  { method: "DELETE", path: () => "/v1/session", changes: true, good: [204] },
  { method: "POST", path: () => "/v1/verify", headers: () => ({ "claviger-verifier": verifier }), body: () => ({ credential: issued.credential }), wrong: { address: 7 }, good: [200] },
];

/** Sends a good request to a route, with `over` in place of its parts. */
export async function send(route, { headers, ...over } = {}) {
  const body = over.raw === undefined ? route.body?.() : undefined;
  return at.console(route.method, route.path(), {
    body,
    ...over,
    headers: { ...(await route.headers?.()), ...headers },
  });
}

/** Registers a test for each of the chosen routes. */
export const describeRoutes = (chosen, rows, options = {}) => {
  for (const route of ROUTES.filter(chosen)) {
    const name = `${route.method} ${route.path
      .toString()
      .replace(/^\(\) => /, "")
      .replaceAll(/["`]/g, "")
      .replace("${id()}", "{id}")}`;
    test(name, options, () => rows(route));
  }
};
