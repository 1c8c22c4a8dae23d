// A deletion under way: opened for certain keys, confirmed by a code from a mail.

/**
 * @typedef {object} Deletion
 * @property {string} id
 * @property {{id: string, name: string, access_key: string, last_used_at: string | null, uses_24h: number}[]} keys
 * @property {string} sent_to part of the address only
 * @property {string} expires_at
 * @property {number} tries_left
 * @property {'queued' | 'sent' | 'failing' | 'refused'} mail
 * @property {number} bound_within_s
 * @property {string} restorable_until
 */

const path = ({ id }) => `/v1/deletions/${encodeURIComponent(id)}`;

/** Mails a code for these keys. @param {import('../../client/api.js').Request} request @param {{id: string}[]} keys */
export const openDeletion = (request, keys) =>
  request("POST", "/v1/deletions", { body: { keys: keys.map(({ id }) => id) } });

/** The rest take `(request, deletion)`. */
export const lookAtDeletion = (request, deletion, signal) => request("GET", path(deletion), { signal });
export const mailNewCode = (request, deletion) => request("POST", `${path(deletion)}/code`);
export const confirmDeletion = (request, deletion, code) =>
  request("POST", `${path(deletion)}/confirm`, { body: { code } });
