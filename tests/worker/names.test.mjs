// Secrets that are pasted where a name belongs: they are refused by name, and no answer repeats them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { API, ANY_KEY, OWNER, RULES, begin, expect } from "./support/journey.mjs";

const PATH = "/issue_service_authorization";

let at, id, link;
/** What others must not read, by what it is. */
const secrets = {};
before(async () => {
  at = await begin({ rules: [...RULES, { host: API, path: PATH, serves: "issuance" }] });
  const issued = await at.issue();
  ({ id } = issued.key);
  const { service_id, service_password } = expect(await at.console("POST", "/v1/account/service/reveal"), 200).body;
  const form = new URLSearchParams({ sid: service_id, spw: service_password, epi: "1h" }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded", "cf-connecting-ip": "203.0.113.7" };
  const sealed = expect(await at.ask(API, PATH, { method: "POST", headers, body: form }), 200).text;
  assert.match(sealed, /^clvs_/);
  ({ link } = await at.invite());
  Object.assign(secrets, {
    "a whole key": issued.credential,
    "the secret half of a key": issued.access_secret,
    "the secret of a key": issued.access_secret.slice(0, 43),
    "a short-lived key": sealed,
    "a service password": service_password,
    "a session": at.cookie.split("=")[1],
    "a set-up link": link.split("#/setup/")[1],
  });
});
after(() => at.dispose());

/** How people paste it. */
const typings = {
  "as it is": (text) => text,
  "with blanks around": (text) => `  ${text}\t`,
  "with a blank in the middle": (text) => `${text.slice(0, text.length / 2)} ${text.slice(text.length / 2)}`,
  "in small letters": (text) => text.toLowerCase(),
  "in capitals": (text) => text.toUpperCase(),
  "in a sentence": (text) => `of ${text}!`,
  "in full-width letters": (text) =>
    text.replaceAll(/[!-~]/g, (sign) => String.fromCodePoint(sign.codePointAt(0) + 0xfee0)),
};

/** Asserts the refusal of one field, and that the answer holds no part of what was typed. */
function refused(answer, pointer, secret) {
  expect(answer, 422, "invalid");
  const error = answer.body.errors.find((error) => error.pointer === pointer);
  assert.equal(error?.code, "secret", answer.text);
  for (let place = 0; place + 16 <= secret.length; place += 8)
    assert.ok(!answer.text.toLowerCase().includes(secret.slice(place, place + 16).toLowerCase()), answer.text);
}

for (const [what, type] of Object.entries(typings)) {
  describe(`a secret ${what}`, () => {
    test("is no name of a key", async () => {
      for (const secret of Object.values(secrets)) {
        const name = type(secret);
        refused(await at.tryIssue({ name }), "#/name", secret);
        const headers = { "if-match": `"${(await at.show(id)).revision}"` };
        refused(await at.console("PATCH", `/v1/keys/${id}`, { headers, body: { name } }), "#/name", secret);
        const preview = expect(await at.console("POST", "/v1/keys/check", { body: { name } }), 200);
        assert.deepEqual(
          preview.body.errors.map(({ pointer, code }) => [pointer, code]),
          [["#/name", "secret"]],
        );
      }
    });

    test("is no name of an account or a person", async () => {
      const form = { token: link.split("#/setup/")[1], account_name: "A", time_zone: "UTC", language: "en", ...OWNER };
      for (const secret of Object.values(secrets)) {
        for (const field of ["account_name", "name"]) {
          const body = { ...form, [field]: type(secret) };
          refused(await at.console("POST", "/v1/setup", { body, cookie: null }), `#/${field}`, secret);
        }
      }
    });
  });
}

test("a secret among permissions or networks is not repeated", async () => {
  for (const secret of Object.values(secrets)) {
    const small = secret.toLowerCase();
    for (const permission of [secret, `demo:${small}`])
      refused(await at.tryIssue({ permissions: [permission] }), "#/permissions", secret);
    refused(await at.tryIssue({ networks: `10.0.0.1 ${secret}` }), "#/networks", secret);
    const body = { networks: secret };
    const { networks } = expect(await at.console("POST", "/v1/keys/check", { body }), 200).body;
    assert.deepEqual([networks.lines[0].code, networks.lines[0].entry], ["secret", "…"]);
  }
});

test("a good name is one, commits and IDs included", async () => {
  for (const name of [
    "Build server of the API team, Tokyo 2026",
    "deploy 3f786850e387550fdab836ed7e6dc881de23001b",
    "550e8400-e29b-41d4-a716-446655440000",
    `rotated: ${id}`,
    "経理サーバー",
  ]) {
    expect(await at.tryIssue({ ...ANY_KEY, name }), 201);
  }
});
