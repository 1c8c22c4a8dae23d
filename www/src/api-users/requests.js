// Defines an API user, as every route of the server returns it, and the requests about API users.
import { ifUnchanged } from "../key/model.js";

/**
 * @typedef {'active' | 'locked' | 'account_suspended' | 'not_yet_valid' | 'expired' | 'deleted'}
 *   Status
 * @typedef {'admin' | 'normal'} Group
 * @typedef {'http' | 'smtp'} Interface
 *
 * @typedef {object} ApiUser
 * @property {string} id
 * @property {string} name user name, in the form of an e-mail address
 * @property {Status} status
 * @property {boolean} locked for a deleted user: its state once restored
 * @property {Group} group
 * @property {boolean} view_personal_data
 * @property {boolean} download_personal_data
 * @property {Interface[]} interfaces
 * @property {boolean} own_data_only
 * @property {string} zone
 * @property {string | null} expires_at
 * @property {string | null} not_before
 * @property {string[]} networks
 * @property {number} api_key_version
 * @property {string} created_at
 * @property {string} created_by
 * @property {string} changed_at
 * @property {string} changed_by
 * @property {string | null} last_used_at
 * @property {string | null} deleted_at
 * @property {string | null} restorable_until
 * @property {number} revision
 *
 * @typedef {import('../ui/result.jsx').Bound} Bound
 * @typedef {import('../ui/result.jsx').Result & {keys: ApiUser[]}} UserResult
 * @typedef {import('../client/api.js').Request} Request
 * @typedef {import('../client/api.js').Problem} Problem
 *
 * `api_key` is the new API key if the server has generated it; no later answer contains it.
 * @typedef {{user: ApiUser, api_key: string | null}} Created
 * @typedef {{user: ApiUser, api_key?: string | null, bound: Bound | null}} Changed
 *
 * A problem that says who changed the user meanwhile, when, and to what.
 * @typedef {Problem & {user: ApiUser, by: string, at: string}} Conflict
 *
 * @typedef {'edit' | 'lock' | 'unlock' | 'restore' | 'delete'} Action
 *
 * @typedef {object} ActionProps
 * @property {ApiUser} subject
 * @property {(result: UserResult) => void} onSaved called with the server's response
 * @property {() => void} onDone called once the dialog is over
 * @property {(user: ApiUser) => void} onChanged called if somebody changed the user meanwhile
 * @property {() => void} onStale called if the result of the action is unknown
 *
 * @typedef {object} SavedUser
 * @property {UserResult} result
 * @property {string | null} drawn the new API key, if the server has generated it
 * @property {boolean} mail `true` if mail programs need other settings than before
 */

/**
 * @template Data
 * @typedef {Promise<import('../client/api.js').Answer<Data>>} Answering
 */

/** @param {{id: string}} user */
const path = ({ id }) => `/v1/api-users/${encodeURIComponent(id)}`;

/**
 * Returns the actions that a user offers, in the order of menus.
 * @param {ApiUser} user
 * @returns {Action[]}
 */
export function actionsOn({ status, locked, restorable_until }) {
  if (status === "deleted") return restorable_until ? ["restore"] : [];
  return ["edit", locked ? "unlock" : "lock", "delete"];
}

/**
 * Returns the problem if somebody changed the user meanwhile.
 * @param {Problem | null | undefined} problem
 */
export const conflictOf = (problem) =>
  problem?.code === "changed_meanwhile" ? /** @type {Conflict} */ (problem) : null;

/**
 * Loads a user. The ID comes from the address bar, so it may be anything.
 * @param {Request} request
 * @param {string} id
 * @param {import('../client/api.js').Options} [options]
 * @returns {Answering<ApiUser>}
 */
export async function loadUser(request, id, options) {
  /** @type {import('../client/api.js').Answer<ApiUser | {user: ApiUser}>} */
  const answer = await request("GET", path({ id }), options);
  return answer.ok ? { ok: true, data: "user" in answer.data ? answer.data.user : answer.data } : answer;
}

/**
 * Creates a user; one `idempotencyKey` creates at most one, however often the request is sent.
 * @param {Request} request
 * @param {object} fields
 * @param {string} idempotencyKey
 * @returns {Answering<Created>}
 */
export const createUser = (request, fields, idempotencyKey) =>
  request("POST", "/v1/api-users", { headers: { "Idempotency-Key": idempotencyKey }, body: fields });

/**
 * @param {Request} request
 * @param {ApiUser} user
 * @param {object} changes
 * @returns {Answering<Changed>}
 */
export const editUser = (request, user, changes) =>
  request("PATCH", path(user), { headers: ifUnchanged(user), body: changes });

/**
 * @param {string} action
 * @returns {(request: Request, user: ApiUser) => Answering<Changed>}
 */
const change = (action) => (request, user) =>
  request("POST", `${path(user)}/${action}`, { headers: ifUnchanged(user) });

export const lockUser = change("lock");
export const unlockUser = change("unlock");
export const restoreUser = change("restore");

/**
 * Deletes a user; the server verifies the member's password.
 * @param {Request} request
 * @param {ApiUser} user
 * @param {string} password
 * @returns {Answering<Changed>}
 */
export const deleteUser = (request, user, password) =>
  request("POST", `${path(user)}/delete`, { headers: ifUnchanged(user), body: { password } });
