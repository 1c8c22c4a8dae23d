// An account, as the operator's routes give it, and what can be asked of the server about it.

/**
 * @typedef {object} Account
 * @property {string} id
 * @property {'pending' | 'open'} state pending: its set-up link was not used yet
 * @property {string | null} name
 * @property {string} entered_at
 * @property {string | null} link_until
 * @property {boolean} restoring
 * @property {string} [time_zone] this and the rest only of one account that is open
 * @property {boolean} [suspended]
 * @property {number} [freshness_s]
 * @property {number} [within_s] with the grace of an outage
 * @property {{rebuilding: boolean, done: number, total: number, unsettled: number, lag_s: number | null}} [publication]
 */

const ACCOUNTS = "/v1/operator/accounts";
const path = (id) => `${ACCOUNTS}/${encodeURIComponent(id)}`;

/** @param {import('../client/api.js').Request} request @param {string} cursor empty for the first page */
export const listAccounts = (request, cursor, options) =>
  request("GET", cursor ? `${ACCOUNTS}?${new URLSearchParams({ cursor })}` : ACCOUNTS, options);

/** The same `idempotencyKey` makes at most one link, however often it is sent. */
export const inviteAccount = (request, idempotencyKey) =>
  request("POST", ACCOUNTS, { headers: { "Idempotency-Key": idempotencyKey } });

/** The id is what the address bar holds, so it may be anything. */
export const loadAccount = (request, id, options) => request("GET", path(id), options);
export const suspend = (request, { id }) => request("PATCH", path(id), { body: { suspended: true } });
export const resume = (request, { id }) => request("PATCH", path(id), { body: { suspended: false } });
export const setFreshness = (request, { id }, freshness_s) => request("PATCH", path(id), { body: { freshness_s } });
export const rebuild = (request, { id }) => request("POST", `${path(id)}/rebuild`);
export const beginRestore = (request, { id }) => request("POST", `${path(id)}/restore/begin`);
export const finishRestore = (request, { id }) => request("POST", `${path(id)}/restore/finish`);

/** @param {string} id */
export const accountAddress = (id) => `#/operator/${id}`;
