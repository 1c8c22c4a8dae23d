// Defines an account, as the operator's routes return it, and the requests about accounts.

/**
 * @typedef {object} Account
 * @property {string} id
 * @property {'pending' | 'open'} state `pending` until its set-up link is used
 * @property {string | null} name
 * @property {string} entered_at
 * @property {string | null} link_until
 * @property {boolean} restoring
 * @property {boolean} [suspended] absent from a server of an earlier release
 *
 * An account that is set up, as its own page loads it.
 * @typedef {object} Details
 * @property {string} time_zone
 * @property {boolean} suspended
 * @property {number} freshness_s
 * @property {number} within_s the freshness with the grace of an outage
 * @property {Publication} publication
 * @property {number | null} [members] number of members
 * @property {AccountKeys | null} keys
 * @property {Policy} [policy] absent from a server of an earlier release
 *
 * Its stored keys, disabled and expired ones included.
 * @typedef {object} AccountKeys
 * @property {number} by_members
 * @property {number} by_issuers
 * @property {number} used_24h
 *
 * @typedef {object} Publication
 * @property {boolean} rebuilding
 * @property {number} done
 * @property {number} total
 * @property {number} unsettled
 * @property {number | null} lag_s
 *
 * Numbers of all accounts by status.
 * @typedef {{open: number, suspended: number, pending: number}} Counts
 *
 * @typedef {Account & Details} OpenAccount
 * @typedef {import('../client/policy.js').Policy} Policy
 *
 * What a change of a policy concerns.
 * @typedef {object} PolicyPreview
 * @property {Policy} before
 * @property {Policy} after
 * @property {number} revision of the present policy
 * @property {{kind: string, count: number, names: string[]}[]} effects
 *
 * @typedef {import('../client/api.js').Request} Request
 * @typedef {import('../client/api.js').Options} Options
 * @typedef {{bound?: import('../ui/result.jsx').Bound | null}} Done
 */

const ACCOUNTS = "/v1/operator/accounts";

/** @param {string} id */
const path = (id) => `${ACCOUNTS}/${encodeURIComponent(id)}`;

/**
 * @param {Request} request
 * @param {Record<string, string>} query search, status and cursor; empty members stay out
 * @param {Options} [options]
 * @returns {import('../key/model.js').Answering<{accounts: Account[], next: string | null, counts:
 *   Counts}>}
 */
export const listAccounts = (request, query, options) => {
  const filled = Object.entries(query).filter(([, value]) => value);
  return request("GET", filled.length ? `${ACCOUNTS}?${new URLSearchParams(filled)}` : ACCOUNTS, options);
};

/**
 * Makes a set-up link; one `idempotencyKey` makes at most one, however often the request is sent.
 * @param {Request} request
 * @param {string} idempotencyKey
 * @returns {import('../key/model.js').Answering<{link: string, account: Account}>}
 */
export const inviteAccount = (request, idempotencyKey) =>
  request("POST", ACCOUNTS, { headers: { "Idempotency-Key": idempotencyKey } });

/**
 * Loads an account. The ID comes from the address bar, so it may be anything.
 * @param {Request} request
 * @param {string} id
 * @param {Options} [options]
 * @returns {import('../key/model.js').Answering<{account: Account | OpenAccount}>}
 */
export const loadAccount = (request, id, options) => request("GET", path(id), options);

/**
 * @typedef {(request: Request, account: {id: string}) => import('../key/model.js').Answering<Done>}
 *   Act
 */

/** @type {Act} */
export const suspend = (request, { id }) => request("PATCH", path(id), { body: { suspended: true } });
/** @type {Act} */
export const resume = (request, { id }) => request("PATCH", path(id), { body: { suspended: false } });
/** @type {Act} */
export const rebuild = (request, { id }) => request("POST", `${path(id)}/rebuild`);
/** @type {Act} */
export const beginRestore = (request, { id }) => request("POST", `${path(id)}/restore/begin`);
/** @type {Act} */
export const finishRestore = (request, { id }) => request("POST", `${path(id)}/restore/finish`);

/** Withdraws the set-up link of an account that is not set up. @type {Act} */
export const withdraw = (request, { id }) => request("DELETE", path(id));

/**
 * @param {Request} request
 * @param {{id: string}} account
 * @param {number} freshness_s
 * @returns {import('../key/model.js').Answering<Done>}
 */
export const setFreshness = (request, { id }, freshness_s) => request("PATCH", path(id), { body: { freshness_s } });

/**
 * Asks what a change of an account's policy concerns. It changes nothing.
 * @param {Request} request
 * @param {{id: string}} account
 * @param {Policy} policy
 * @returns {import('../key/model.js').Answering<PolicyPreview>}
 */
export const previewPolicy = (request, { id }, policy) =>
  request("POST", `${path(id)}/policy/preview`, { body: policy });

/**
 * Changes the policy, unless it is no longer the one that was previewed.
 * @param {Request} request
 * @param {{id: string}} account
 * @param {Policy} policy
 * @param {number} revision
 * @returns {import('../key/model.js').Answering<{policy: Policy}>}
 */
export const setPolicy = (request, { id }, policy, revision) =>
  request("PUT", `${path(id)}/policy`, { body: policy, headers: { "If-Match": `"${revision}"` } });

/** Returns the address of an account's page. @param {string} id */
export const accountAddress = (id) => `#/operator/${id}`;
