// Defines the key pair of a member as the server returns it, and the requests about it.

/**
 * @typedef {object} Pair
 * @property {import('../key/model.js').Key | null} key
 * @property {'permission' | 'second_factor' | null} missing what the member lacks for a pair
 * @property {string[]} owners names of those whom a member without the permission asks
 * @property {string | null} expires_at expiry of a pair that is generated now
 */

/**
 * @param {import('../client/api.js').Request} request
 * @param {AbortSignal} signal
 * @returns {import('../key/model.js').Answering<Pair>}
 */
export const loadPair = (request, signal) => request("GET", "/v1/key-pair", { signal });
