// The OAuth endpoints, as clients use them.
import assert from "node:assert/strict";
import { API, CALLER, CONSOLE, RULES, expect } from "./journey.mjs";

export const FORM = "application/x-www-form-urlencoded";
export const METADATA = "/.well-known/oauth-authorization-server";

/** The rules of a deployment that serves OAuth on the API's host and on the console's. */
export const OAUTH_RULES = [
  ...RULES,
  { host: API, path: "/token", serves: "oauth-token" },
  { host: API, path: "/oauth/token", serves: "oauth-token" },
  { host: API, path: "/oauth/revoke", serves: "oauth-revoke" },
  { host: CONSOLE, path: "/oauth/token", serves: "oauth-token" },
  { host: CONSOLE, path: "/oauth/revoke", serves: "oauth-revoke" },
];

export const basic = (id, secret) => `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;

/** Sends one form to an endpoint; `client` holds `access_key` and `access_secret`, sent by Basic. */
export function post(
  place,
  path,
  fields,
  { client, host = API, ip = CALLER, method = "POST", type = FORM, headers = {}, body } = {},
) {
  const sent = { "cf-connecting-ip": ip, ...headers };
  if (type) sent["content-type"] = type;
  if (client) sent.authorization = basic(client.access_key, client.access_secret);
  const content = body ?? (method === "GET" ? undefined : new URLSearchParams(fields).toString());
  return place.ask(host, path, { method, headers: sent, body: content });
}

export const GRANT = { grant_type: "client_credentials" };

/** Asks for a token by Basic. */
export const ask = (place, client, fields = {}, options = {}) =>
  post(place, options.path ?? "/oauth/token", { ...GRANT, ...fields }, { client, ...options });

/** Gets a token. */
export const token = async (place, client, fields) => expect(await ask(place, client, fields), 200).body.access_token;

/** Revokes a token by Basic. */
export const revoke = (place, client, text) => post(place, "/oauth/revoke", { token: text }, { client });

/** Asserts an error of RFC 6749 §5.2. */
export function refused(answer, status, error) {
  expect(answer, status);
  assert.equal(answer.body.error, error, answer.text);
  assert.match(answer.body.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers.pragma, "no-cache");
  if (status === 401) assert.match(answer.headers["www-authenticate"], /^Basic realm="/);
}

/** Path of the introspection, on the console's host. */
export const INTROSPECT = "/v1/introspect";

/** Asks about a token, with the verifier's pair by Basic. */
export const introspect = (place, verifier, text, fields = {}, options = {}) =>
  post(place, INTROSPECT, { token: text, ...fields }, { client: verifier, host: CONSOLE, ...options });

/** What is told of a token: the members of the answer. */
export const told = async (place, verifier, text, fields, options) =>
  expect(await introspect(place, verifier, text, fields, options), 200).body;

/** Fetches from the Worker of a place, which no name server knows, as `fetch` does. */
export const fetchFrom =
  (place) =>
  async (url, { method, headers, body }) => {
    const { hostname, pathname, search } = new URL(url);
    const sent = Object.entries(headers);
    const answer = await place.worker.fetch(hostname, pathname + search, {
      method,
      headers: sent,
      body: body?.toString(),
    });
    return new Response((await answer.text()) || null, {
      status: answer.status,
      headers: Object.entries(answer.headers),
    });
  };
