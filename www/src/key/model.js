// A key, as every route of the server gives it, and what can be asked of the server about it.

/**
 * @typedef {object} Key
 * @property {string} id
 * @property {string} access_key
 * @property {string} name
 * @property {'active' | 'disabled' | 'not_yet_valid' | 'expired' | 'ended' | 'deleted'} status
 * @property {boolean} enabled of a deleted key: how it would come back
 * @property {string | null} expires_at
 * @property {string | null} not_before
 * @property {string[]} networks
 * @property {string[]} permissions
 * @property {boolean} viewable whether it can be shown again
 * @property {boolean} protected whether it cannot be deleted
 * @property {IssuanceLimits | null} issuable what it may issue at most; null: nothing
 * @property {{kind: 'member' | 'key' | 'service', id?: string, name?: string}} issued_by
 * @property {string | null} last_used_at
 * @property {number} uses_24h
 * @property {string | null} deleted_at
 * @property {string | null} restorable_until
 * @property {string} created_at
 * @property {string} created_by
 * @property {string} changed_at
 * @property {string} changed_by
 * @property {number} revision
 *
 * What issued keys may be at most; `longest_ms` null: unlimited.
 * @typedef {{permissions: string[], networks: string[], longest_ms: number | null}} Ceiling
 *
 * From when a change holds everywhere: `within_s` 0 means that it already does, null that nobody can say.
 * @typedef {{at: string | null, within_s: number | null}} Bound
 *
 * What an act led to, and stays where it was done.
 * @typedef {object} Result
 * @property {'issued' | 'disabled' | 'enabled' | 'edited' | 'restored' | 'deleted'} act
 * @property {Key[]} keys
 * @property {Bound | null} bound
 * @property {string} [restorable_until]
 */

/** What may be done with a key, in the order of menus. @param {Key} key @returns {string[]} */
export function actionsOn(key) {
  if (key.status === "deleted") return ["restore"];
  const acts = ["edit", key.enabled ? "disable" : "enable"];
  return key.protected ? acts : [...acts, "delete"];
}

const path = (key) => `/v1/keys/${encodeURIComponent(key.id)}`;

/** Changes apply to the revision that the member saw. @param {{revision: number}} seen */
export const ifUnchanged = ({ revision }) => ({ "If-Match": `"${revision}"` });

const act = (what) => (request, key) => request("POST", `${path(key)}/${what}`, { headers: ifUnchanged(key) });

/** Each takes `(request, key)`. */
export const disableKey = act("disable");
export const enableKey = act("enable");
export const restoreKey = act("restore");

/** @param {import('../client/api.js').Request} request @param {Key} key */
export const revealKey = (request, key) => request("POST", `${path(key)}/reveal`);
export const editKey = (request, key, changes) =>
  request("PATCH", path(key), { headers: ifUnchanged(key), body: changes });

/** What networks would mean for those who use the key now. */
export const checkNetworks = (request, key, networks) =>
  request("POST", "/v1/keys/check", { body: { key: key.id, networks } });

/**
 * What the server would refuse of the fields that are filled in; it changes nothing.
 * @param {object} fields @returns {Promise<import('../client/api.js').FieldError[]>}
 */
export async function checkFields(request, fields) {
  const filled = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== false);
  const answer = await request("POST", "/v1/keys/check", { body: Object.fromEntries(filled) });
  if (!answer.ok) return [];
  const { errors, networks, issuable } = answer.data;
  const linesOf = (pointer, checked) =>
    (checked?.lines ?? []).filter(({ code }) => code).map((line) => ({ ...line, pointer }));
  return [...errors, ...linesOf("#/networks", networks), ...linesOf("#/issuable/networks", issuable?.networks)];
}

/** The id is what the address bar holds, so it may be anything. */
export const loadKey = (request, id, options) => request("GET", path({ id }), options);

/** The same `idempotencyKey` issues at most one key, however often it is sent. */
export const issueKey = (request, fields, idempotencyKey) =>
  request("POST", "/v1/keys", { headers: { "Idempotency-Key": idempotencyKey }, body: fields });
