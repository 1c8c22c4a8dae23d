// The issuance API, as programs use it.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { API, CALLER, RULES, begin, expect } from "./journey.mjs";

export const PATH = "/issue_service_authorization";
export const FORM = "application/x-www-form-urlencoded";
export const ISSUABLE = { permissions: ["demo:read"], networks: [], longest: "30d" };

/** The deployment of the file, its owner signed in. */
export let at;
/** The account's `sid` and `spw`, as Connection Information shows them. */
export const service = {};

/** Registers the hooks of a file: they start its deployment, with the issuance API on the API's host. */
export function useIssuance() {
  before(async () => {
    at = await begin({ rules: [...RULES, { host: API, path: PATH, serves: "issuance" }] });
    const { service_id: sid, service_password: spw } = expect(
      await at.console("POST", "/v1/account/service/reveal"),
      200,
    ).body;
    Object.assign(service, { sid, spw });
  });
  after(() => at.dispose());
}

/** Sends one request to the issuance API, with a form of `fields`. */
export function ask(
  fields,
  { key, host = API, path = PATH, ip = CALLER, method = "POST", type = FORM, body, headers = {} } = {},
) {
  const sent = { "cf-connecting-ip": ip, ...headers };
  if (type) sent["content-type"] = type;
  if (key) sent.authorization = `Bearer ${key}`;
  const content = body ?? (method === "GET" ? undefined : new URLSearchParams(fields).toString());
  return at.ask(host, path, { method, headers: sent, body: content });
}

/** Issues a key: with that of `options`, else with the service password. */
export async function issue(fields = {}, options) {
  return expect(await ask(options?.key ? fields : { ...service, ...fields }, options), 200).text;
}

/** Asserts a failure: its status, and that its body is one line that begins with the code. */
export function refused(answer, status, code) {
  expect(answer, status);
  assert.ok(answer.text.startsWith(`${code}: `), answer.text);
  assert.doesNotMatch(answer.text, /[\r\n]/);
  assert.match(answer.headers["content-type"], /^text\/plain/);
  assert.equal(answer.headers["cache-control"], "no-store");
}
