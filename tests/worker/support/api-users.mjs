// API users at the console, and an edge's question about their secrets.
import { randomUUID } from "node:crypto";
import { linkHeader } from "./harness.mjs";
import { expect } from "./journey.mjs";

/** Path of the admin Worker that only edges may ask. */
export const PATH = "/.claviger/api-user";

/** A good form of an API user. */
export const ANY_USER = {
  name: "app@example.com",
  api_key: "Tr4ffic!",
  group: "admin",
  interfaces: ["http", "smtp"],
  own_data_only: false,
  expires: "never",
  networks: "",
};

/** Asks for a new API user. */
export function tryCreate(journey, form = {}, idempotencyKey = randomUUID()) {
  const headers = { "idempotency-key": idempotencyKey };
  return journey.console("POST", "/v1/api-users", { body: { ...ANY_USER, ...form }, headers });
}

/** Creates an API user; resolves to `{user, api_key}`. */
export async function create(journey, form) {
  return expect(await tryCreate(journey, form), 201).body;
}

/** Asks for a change of an API user at its revision: `lock`, `unlock`, `restore`, or the members of an edit. */
export function tryChange(journey, { id, revision }, change, body) {
  const headers = { "if-match": `"${revision}"` };
  const path = `/v1/api-users/${id}`;
  return typeof change === "string"
    ? journey.console("POST", `${path}/${change}`, { headers, body })
    : journey.console("PATCH", path, { headers, body: change });
}

/** Changes an API user; resolves to `{user, api_key, bound}`. */
export async function change(journey, user, wanted, body) {
  return expect(await tryChange(journey, user, wanted, body), 200).body;
}

/** Asks the admin Worker past the edge; `headers` that are `undefined` are not sent. */
export async function tryQuestion(worker, body, { headers = {}, method = "POST" } = {}) {
  const all = {
    "claviger-edge": linkHeader(),
    "claviger-ask": "api-user",
    "content-type": "application/json",
    ...headers,
  };
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return read(await worker.admin("localhost:8787", PATH, { method, headers: sent, body }));
}

/** Reads a raw answer. */
export async function read(answer) {
  const text = await answer.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  return { method: "POST", path: PATH, status: answer.status, text, body };
}

/** Asks as an edge does. */
export const tryCheck = (worker, name, secret, { address = "203.0.113.7", ...options } = {}) =>
  tryQuestion(worker, JSON.stringify({ name, secret, address }), options);

/** What the admin Worker says of a secret: `matches <version>`, or another reply's name. */
export async function check(worker, name, secret, options) {
  const { reply, version } = expect(await tryCheck(worker, name, secret, options), 200).body;
  return version ? `${reply} ${version}` : reply;
}
