// A key, as every route of the server gives it, and what can be asked of the server about it.

/**
 * @typedef {object} Key
 * @property {string} id
 * @property {string} access_key
 * @property {string} name
 * @property {'active' | 'disabled' | 'not_yet_valid' | 'expired'} status
 * @property {boolean} enabled
 * @property {string | null} expires_at
 * @property {string | null} not_before
 * @property {string[]} networks
 * @property {string[]} permissions
 * @property {string} created_at
 * @property {string} created_by
 * @property {string} changed_at
 * @property {string} changed_by
 * @property {number} revision
 *
 * From when a change holds everywhere: `within_s` 0 means that it already does.
 * @typedef {{at: string, within_s: number}} Bound
 *
 * What an act led to, and stays where it was done.
 * @typedef {{act: 'issued' | 'disabled' | 'enabled' | 'edited' | 'deleted', key: Key, bound: Bound | null}} Outcome
 */

const path = (key) => `/v1/keys/${encodeURIComponent(key.id)}`;

/** Changes apply to the revision that the member saw. @param {Key} key */
const ifUnchanged = (key) => ({ "If-Match": `"${key.revision}"` });

/** @param {import('../api.js').Request} request @param {Key} key */
export const disableKey = (request, key) => request("POST", `${path(key)}/disable`, { headers: ifUnchanged(key) });
export const enableKey = (request, key) => request("POST", `${path(key)}/enable`, { headers: ifUnchanged(key) });
export const deleteKey = (request, key) => request("DELETE", path(key), { headers: ifUnchanged(key) });
export const editKey = (request, key, changes) =>
  request("PATCH", path(key), { headers: ifUnchanged(key), body: changes });

/** The id is what the address bar holds, so it may be anything. */
export const loadKey = (request, id) => request("GET", path({ id }));

/** The same `idempotencyKey` issues at most one key, however often it is sent. */
export const issueKey = (request, fields, idempotencyKey) =>
  request("POST", "/v1/keys", { headers: { "Idempotency-Key": idempotencyKey }, body: fields });
