// Defines a deletion under way, and its requests. It is opened for certain keys and confirmed by a
// code from a mail.
import { ifUnchanged } from "../model.js";

/**
 * @typedef {import('../../client/api.js').Request} Request
 *
 * @typedef {object} Deletion
 * @property {string} id
 * @property {{id: string, name: string, access_key: string, last_used_at: string | null,
 *   uses_24h: number}[]} keys
 * @property {string} sent_to a part of the address only
 * @property {string} expires_at
 * @property {number} tries_left
 * @property {'queued' | 'sent' | 'failing' | 'refused'} mail
 * @property {number} bound_within_s
 * @property {string} restorable_until
 *
 * @typedef {object} Deleted
 * @property {string[]} deleted IDs
 * @property {import('../model.js').Bound | null} bound
 * @property {string} restorable_until
 */

/**
 * Deletes a key where the account's policy demands no mailed code.
 * @param {Request} request
 * @param {import('../model.js').Key} key
 * @returns {import('../model.js').Answering<Deleted>}
 */
export const deleteKey = (request, key) =>
  request("DELETE", `/v1/keys/${encodeURIComponent(key.id)}`, { headers: ifUnchanged(key) });

/** @param {Deletion} deletion */
const path = ({ id }) => `/v1/deletions/${encodeURIComponent(id)}`;

/**
 * Opens a deletion, which mails a code for these keys.
 * @param {Request} request
 * @param {{id: string}[]} keys
 * @returns {import('../model.js').Answering<Deletion>}
 */
export const openDeletion = (request, keys) =>
  request("POST", "/v1/deletions", { body: { keys: keys.map(({ id }) => id) } });

/**
 * @param {Request} request
 * @param {Deletion} deletion
 * @param {AbortSignal} signal
 * @returns {import('../model.js').Answering<Deletion>}
 */
export const loadDeletion = (request, deletion, signal) => request("GET", path(deletion), { signal });

/**
 * @param {Request} request
 * @param {Deletion} deletion
 * @returns {import('../model.js').Answering<Deletion>}
 */
export const mailNewCode = (request, deletion) => request("POST", `${path(deletion)}/code`);

/**
 * @param {Request} request
 * @param {Deletion} deletion
 * @param {string} code
 * @returns {import('../model.js').Answering<Deleted>}
 */
export const confirmDeletion = (request, deletion, code) =>
  request("POST", `${path(deletion)}/confirm`, { body: { code } });
