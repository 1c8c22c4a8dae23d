// The OAuth endpoints, as clients use them.
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
