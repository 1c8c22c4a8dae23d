// Every route of the console's host for every role: a route without a row here fails.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, test } from "node:test";
import { Journey, OWNER, cookieOf, expect } from "../../support/journey.mjs";
import { ROUTES, at, elsewhere, id, send, useEveryRoute } from "../../support/every-route.mjs";

useEveryRoute();

/** The roles that may use a route; others get `403 not_permitted`, or without a session `401 not_signed_in`. */
const [EVERYBODY, MEMBERS, EDITORS, OWNERS] = [
  ["owner", "admin", "viewer", "signed out", "removed"],
  ["owner", "admin", "viewer"],
  ["owner", "admin"],
  ["owner"],
];

/** By method and path, as `docs/http-api.md` lists them. The account of this file is the operator's. */
const TABLE = {
  "POST /v1/setup": EVERYBODY,
  "POST /v1/setup/check": EVERYBODY,
  "POST /v1/setup/code": EVERYBODY,
  "POST /v1/member/address": MEMBERS,
  "POST /v1/member/address/confirm": MEMBERS,
  "GET /v1/session": MEMBERS,
  "POST /v1/session": EVERYBODY,
  "DELETE /v1/session": EVERYBODY,
  "POST /v1/session/step-up": MEMBERS,
  "POST /v1/session/step-up/code": MEMBERS,
  "POST /v1/session/factor": EVERYBODY,
  "POST /v1/session/step-up/options": MEMBERS,
  "POST /v1/session/passkey/options": EVERYBODY,
  "POST /v1/session/passkey": EVERYBODY,
  "POST /v1/member/factors/passkeys/options": MEMBERS,
  "POST /v1/member/factors/passkeys": MEMBERS,
  "PATCH /v1/member/factors/passkeys/{id}": MEMBERS,
  "DELETE /v1/member/factors/passkeys/{id}": MEMBERS,
  "GET /v1/member/factors": MEMBERS,
  "POST /v1/member/factors/totp": MEMBERS,
  "POST /v1/member/factors/totp/confirm": MEMBERS,
  "DELETE /v1/member/factors/totp": MEMBERS,
  "POST /v1/member/factors/recovery-codes": MEMBERS,
  "POST /v1/members/{id}/reset-factors": OWNERS,
  "GET /v1/accounts": MEMBERS,
  "POST /v1/session/switch": MEMBERS,
  "GET /v1/sessions": MEMBERS,
  "DELETE /v1/sessions/{id}": MEMBERS,
  "POST /v1/sessions/end-others": MEMBERS,
  "POST /v1/member/password": MEMBERS,
  "POST /v1/password/reset": EVERYBODY,
  "POST /v1/password/reset/confirm": EVERYBODY,
  "GET /v1/api-users": MEMBERS,
  "POST /v1/api-users": EDITORS,
  "GET /v1/api-users/{id}": MEMBERS,
  "PATCH /v1/api-users/{id}": EDITORS,
  "POST /v1/api-users/{id}/lock": EDITORS,
  "POST /v1/api-users/{id}/unlock": EDITORS,
  "POST /v1/api-users/{id}/delete": EDITORS,
  "POST /v1/api-users/{id}/restore": EDITORS,
  "GET /v1/keys": MEMBERS,
  "POST /v1/keys": EDITORS,
  "POST /v1/keys/check": MEMBERS,
  "GET /v1/keys/{id}": MEMBERS,
  "PATCH /v1/keys/{id}": EDITORS,
  "DELETE /v1/keys/{id}": EDITORS,
  "GET /v1/key-pair": MEMBERS,
  "POST /v1/keys/{id}/disable": EDITORS,
  "POST /v1/keys/{id}/enable": EDITORS,
  "POST /v1/keys/{id}/reveal": EDITORS,
  "POST /v1/keys/{id}/restore": EDITORS,
  "POST /v1/keys/{id}/regenerate": EDITORS,
  "POST /v1/keys/{id}/end-overlap": EDITORS,
  "GET /v1/keys/{id}/issued": MEMBERS,
  "POST /v1/deletions": EDITORS,
  "GET /v1/deletions/{id}": EDITORS,
  "POST /v1/deletions/{id}/code": EDITORS,
  "POST /v1/deletions/{id}/confirm": EDITORS,
  "GET /v1/account/service": MEMBERS,
  "GET /v1/account/service/issued": MEMBERS,
  "PATCH /v1/account/service": OWNERS,
  "POST /v1/account/service/reveal": EDITORS,
  "POST /v1/account/service/password": OWNERS,
  "POST /v1/sealed-keys/revoke": EDITORS,
  "GET /v1/activity": MEMBERS,
  "POST /v1/activity/export": MEMBERS,
  "GET /v1/counters": OWNERS,
  "GET /v1/operator/sign-in": EVERYBODY,
  "GET /v1/operator/accounts": OWNERS,
  "POST /v1/operator/accounts": OWNERS,
  "GET /v1/operator/accounts/{id}": OWNERS,
  "PATCH /v1/operator/accounts/{id}": OWNERS,
  "GET /v1/operator/accounts/{id}/policy": OWNERS,
  "PUT /v1/operator/accounts/{id}/policy": OWNERS,
  "POST /v1/operator/accounts/{id}/policy/preview": OWNERS,
  "DELETE /v1/operator/accounts/{id}": OWNERS,
  "POST /v1/operator/accounts/{id}/rebuild": OWNERS,
  "POST /v1/operator/accounts/{id}/restore/begin": OWNERS,
  "POST /v1/operator/accounts/{id}/restore/finish": OWNERS,
  "GET /v1/members": MEMBERS,
  "POST /v1/members/invitations": OWNERS,
  "POST /v1/members/invitations/{id}/repeat": OWNERS,
  "DELETE /v1/members/invitations/{id}": OWNERS,
  "PATCH /v1/members/{id}": OWNERS,
  "DELETE /v1/members/{id}": OWNERS,
  "POST /v1/members/{id}/end-sessions": OWNERS,
  "POST /v1/invitations/check": EVERYBODY,
  "POST /v1/invitations/accept": EVERYBODY,
  "PATCH /v1/member": MEMBERS,
  "GET /v1/member/notices": MEMBERS,
  "PATCH /v1/member/notices": MEMBERS,
  "GET /v1/notices": MEMBERS,
  "POST /v1/notices/read": MEMBERS,
  "PATCH /v1/account": OWNERS,
  "POST /v1/verify": EVERYBODY,
  "POST /v1/introspect": EVERYBODY,
};

/** Routes that the others need, or that end the session: last, and before. */
const LAST = ["DELETE /v1/session"];

/** Answers other than a role's general one. */
const OTHER = {
  // The counters of an isolate are of all accounts: nobody but an operator learns that they exist.
  "GET /v1/counters": { admin: [404, "not_found"], viewer: [404, "not_found"] },
};

const PASSWORD = "staple battery correct";
/** The journeys, by role. */
const people = {};

/** The path with `{id}` for its IDs, as the documentation has it. */
function template(path) {
  const ids = [id(), at.session.account.id, elsewhere, "0123456789", "0123456789A"];
  const [bare] = path.split("?");
  return bare
    .split("/")
    .map((segment) => (ids.includes(segment) ? "{id}" : segment))
    .join("/");
}

test("every documented route has a row, and a good request", async () => {
  const page = await readFile(new URL("../../../../docs/http-api.md", import.meta.url), "utf8");
  const documented = new Set(
    [...page.matchAll(/`([A-Z]+) (\/v1\/[^`? ]*)[^`]*`/g)].map(([, method, path]) => `${method} ${path}`),
  );
  assert.deepEqual(Object.keys(TABLE).sort(), [...documented].sort());
  const sent = new Set(ROUTES.map(({ method, path }) => `${method} ${template(path())}`));
  // A set-up link that works is needed nowhere else: `routes/setup/check.test.mjs` checks it. An introspection takes a form, and
  // answers as OAuth does: `routes/introspect` checks it.
  assert.deepEqual(
    [...documented].filter((route) => !sent.has(route)),
    ["POST /v1/setup/check", "POST /v1/introspect"],
  );
});

/** Asks as a person of this role, with that person's own password. */
async function ask(route, role) {
  const { cookie } = people[role];
  const isStepUp = route.path().endsWith("/step-up");
  const over = isStepUp && role !== "owner" ? { raw: JSON.stringify({ password: PASSWORD }) } : {};
  const answer = await send(route, { cookie: cookie ?? null, ...over });
  // A step-up ends the cookie before.
  if (isStepUp && answer.status === 200) people[role].cookie = cookieOf(answer);
  return answer;
}

describe("every role", () => {
  before(async () => {
    people.owner = at;
    for (const role of ["admin", "viewer"])
      people[role] = await at.memberJoins(`${role}@example.net`, role, { password: PASSWORD });
    people["signed out"] = new Journey(at.worker);
    people.removed = await at.memberJoins("removed@example.net", "owner", { password: PASSWORD });
    const { id } = people.removed.session.member;
    expect(await at.console("DELETE", `/v1/members/${id}`), 204);
  });

  for (const role of EVERYBODY) {
    test(role, { timeout: 120_000 }, async () => {
      const isLast = ({ method, path }) => LAST.includes(`${method} ${path()}`);
      const inOrder = [...ROUTES.filter((route) => !isLast(route)), ...ROUTES.filter(isLast)];
      for (const route of inOrder) {
        const name = `${route.method} ${template(route.path())}`;
        const isMember = MEMBERS.includes(role);
        const refusal = isMember ? [403, "not_permitted"] : [401, "not_signed_in"];
        const expected = TABLE[name].includes(role) ? route.good : (OTHER[name]?.[role] ?? refusal);
        const answer = await ask(route, role);
        assert.deepEqual(
          [answer.status, expected[1] && answer.body?.code],
          [expected[0], expected[1]],
          `${role}: ${name} ▸ ${answer.text.slice(0, 300)}`,
        );
      }
      // The session ended last: the hooks of the file need the owner's.
      if (role === "owner") await at.signIn(OWNER);
    });
  }
});

test("what a role or another site forbids is in the log", async () => {
  const lines = () =>
    at.worker
      .log()
      .filter((line) => line.includes("authorization_refused"))
      .map((line) => JSON.parse(line.slice(line.indexOf("{"))));
  await people.viewer.signIn({ email: "viewer@example.net", password: PASSWORD });
  const before = lines().length;
  expect(await people.viewer.console("POST", "/v1/account/service/reveal"), 403, "not_permitted");
  expect(await at.console("POST", "/v1/sessions/end-others", { origin: "https://evil.example" }), 403, "cross_site");
  expect(await at.console("GET", "/v1/session"), 200);
  const account = at.session.account.id;
  assert.deepEqual(
    lines()
      .slice(before)
      .map(({ event, reason, account, network }) => [event, reason, account, typeof network]),
    [
      ["authorization_refused", "not_permitted", account, "string"],
      ["authorization_refused", "cross_site", account, "string"],
    ],
  );
});
