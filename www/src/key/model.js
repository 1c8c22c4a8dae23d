// Defines a key, as every route of the server returns it, and the requests about keys.
import { policyOf } from "../client/policy.js";
import { isOwner } from "../client/session.jsx";

/**
 * @typedef {object} Key
 * @property {string} id
 * @property {string} access_key
 * @property {string} name
 * @property {'active' | 'disabled' | 'mfa_off' | 'not_yet_valid' | 'expired' | 'ended' | 'deleted'} status
 * @property {WithoutMfa | null} [mfa_off] who answers for the key, while MFA is demanded and that member has
 *   none
 * @property {boolean} enabled for a deleted key: its state once restored
 * @property {string | null} expires_at
 * @property {string | null} not_before
 * @property {string[]} networks
 * @property {string[]} permissions
 * @property {boolean} viewable `true` if it can be shown again
 * @property {boolean} protected `true` if it cannot be deleted
 * @property {IssuanceLimits | null} issuable limits of the keys that it may issue; null: none
 * @property {{kind: 'member' | 'key' | 'service', id?: string, name?: string}} issued_by
 * @property {string | null} last_used_at
 * @property {number} uses_24h
 * @property {string | null} [last_refused_at]
 * @property {Record<string, number>} [refused_24h] by reason
 * @property {string | null} deleted_at
 * @property {string | null} restorable_until
 * @property {string | null} [replaces] ID of the predecessor
 * @property {string | null} [replaced_by] ID of the successor
 * @property {string | null} [overlap_until] end of the overlap of both, while there is one
 * @property {string} created_at
 * @property {string} created_by
 * @property {string} changed_at
 * @property {string} changed_by
 * @property {number} revision
 *
 * Limits of issued keys; `longest_ms` null means unlimited.
 * @typedef {{permissions: string[], networks: string[], longest_ms: number | null}} IssuanceLimits
 *
 * A member without MFA; `removed`: one who cannot turn it on again.
 * @typedef {{id: string, name: string, removed: boolean}} WithoutMfa
 *
 * @typedef {import('../ui/result.jsx').Bound} Bound
 * @typedef {import('../ui/result.jsx').Result & {keys: Key[]}} KeyResult
 * @typedef {import('../client/api.js').Request} Request
 * @typedef {import('../client/api.js').Options} Options
 *
 * Secrets of a key, which the server sends when it issues or reveals it.
 * @typedef {{credential: string, access_key: string, access_secret: string}} Secrets
 *
 * @typedef {{address: string, count: number, last_at: string}} Caller
 *
 * A problem that says who changed the key meanwhile, when, and to what.
 * @typedef {import('../client/api.js').Problem & {key: Key, by: string, at: string}} Conflict
 */

/**
 * @template Data
 * @typedef {Promise<import('../client/api.js').Answer<Data>>} Answering
 */

/** @typedef {'edit' | 'disable' | 'enable' | 'regenerate' | 'end' | 'delete' | 'restore'} Action */

/**
 * Returns `true` if the key belongs to another member, who alone manages it.
 * @param {Key} key
 * @param {import('../client/session.jsx').Session} session
 */
export const isOfAnother = ({ issued_by: { kind, id } }, session) =>
  policyOf(session).keys_follow_member && kind === "member" && id !== session.member.id;

/**
 * Returns the actions that a key offers to a member, in the order of menus. Of a key that belongs
 * to another member, owners may only take away.
 * @param {Key} key
 * @param {import('../client/session.jsx').Session} session
 * @returns {Action[]}
 */
export function actionsFor(key, session) {
  const all = actionsOn(key);
  if (!isOfAnother(key, session)) return all;
  return isOwner(session) ? all.filter((act) => act === "disable" || act === "delete") : [];
}

/**
 * Returns the actions that a key offers, in the order of menus.
 * @param {Key} key
 * @returns {Action[]}
 */
export function actionsOn(key) {
  if (key.status === "deleted") return key.restorable_until ? ["restore"] : [];
  /** @type {Action[]} */
  const actions = ["edit", key.enabled ? "disable" : "enable"];
  if (key.replaced_by) actions.push("end");
  // A program that issued a key issues the next one, too.
  else if (key.enabled && key.issued_by.kind === "member") actions.push("regenerate");
  return key.protected ? actions : [...actions, "delete"];
}

/**
 * Returns the problem if somebody changed the key meanwhile.
 * @param {import('../client/api.js').Problem | null | undefined} problem
 */
export const conflictOf = (problem) =>
  problem?.code === "changed_meanwhile" ? /** @type {Conflict} */ (problem) : null;

/** @param {{id: string}} key */
const path = (key) => `/v1/keys/${encodeURIComponent(key.id)}`;

/**
 * Returns the header that applies a change only to the revision that the member saw.
 * @param {{revision: number}} seen
 */
export const ifUnchanged = ({ revision }) => ({ "If-Match": `"${revision}"` });

/**
 * @param {string} action
 * @returns {(request: Request, key: Key) => Answering<{key?: Key, bound: Bound | null}>}
 */
const change = (action) => (request, key) => request("POST", `${path(key)}/${action}`, { headers: ifUnchanged(key) });

export const disableKey = change("disable");
export const enableKey = change("enable");
export const restoreKey = change("restore");
export const endOverlap = change("end-overlap");

/** @param {Request} request @param {Key} key @returns {Answering<Secrets>} */
export const revealKey = (request, key) => request("POST", `${path(key)}/reveal`);

/**
 * @param {Request} request
 * @param {Key} key
 * @param {object} changes
 * @returns {Answering<{key: Key, bound: Bound | null}>}
 */
export const editKey = (request, key, changes) =>
  request("PATCH", path(key), { headers: ifUnchanged(key), body: changes });

/**
 * Asks which present callers of a key or API user other networks would lock out.
 * @param {Request} request
 * @param {{id: string}} key
 * @param {string} networks as typed
 * @returns {Answering<{locked_out?: Caller[]}>}
 */
export const checkNetworks = (request, key, networks) =>
  request("POST", "/v1/keys/check", { body: { key: key.id, networks } });

/**
 * @typedef {import('../client/api.js').FieldError} FieldError
 * @typedef {{line: number, entry: string, code?: string, stored?: string, unreachable?: string,
 *   max?: number}} Line
 * @typedef {{count: number, problems: number, lines: Line[]}} CheckedNetworks
 *
 * @typedef {object} Checked
 * @property {FieldError[]} [errors]
 * @property {CheckedNetworks} [networks]
 * @property {{networks?: CheckedNetworks}} [issuable]
 * @property {{form: 'never' | 'end_of_day' | 'instant', at: string, from_now_ms: number}} [expires]
 * @property {boolean} [includes_caller]
 */

/**
 * Asks which of the filled-in fields the server would refuse. It changes nothing.
 * @param {Request} request
 * @param {object} fields
 * @returns {Promise<FieldError[]>}
 */
export async function checkFields(request, fields) {
  const filled = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== false);
  /** @type {import('../client/api.js').Answer<Checked>} */
  const answer = await request("POST", "/v1/keys/check", { body: Object.fromEntries(filled) });
  if (!answer.ok) return [];
  const { errors = [], networks, issuable } = answer.data;
  /** @param {string} pointer @param {CheckedNetworks} [checked] */
  const linesOf = (pointer, checked) =>
    (checked?.lines ?? []).flatMap(({ code, ...line }) => (code ? [{ ...line, code, pointer }] : []));
  return [...errors, ...linesOf("#/networks", networks), ...linesOf("#/issuable/networks", issuable?.networks)];
}

/**
 * Loads a key. The ID comes from the address bar, so it may be anything.
 * @param {Request} request
 * @param {string} id
 * @param {Options} [options]
 * @returns {Answering<Key>}
 */
export const loadKey = (request, id, options) => request("GET", path({ id }), options);

/**
 * Issues a key; one `idempotencyKey` issues at most one, however often the request is sent.
 * @param {Request} request
 * @param {object} fields
 * @param {string} idempotencyKey
 * @returns {Answering<Secrets & {key: Key}>}
 */
export const issueKey = (request, fields, idempotencyKey) =>
  request("POST", "/v1/keys", { headers: { "Idempotency-Key": idempotencyKey }, body: fields });
