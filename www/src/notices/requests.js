// Defines a notice, as the server returns it, and the requests about notices.

/**
 * @typedef {import('../client/api.js').Request} Request
 *
 * @typedef {object} Notice
 * @property {number} id rises
 * @property {string} at
 * @property {boolean} unread
 * @property {string} kind
 * @property {string | null} by member who did it, if it was another one
 * @property {string | null} address
 * @property {Item[]} items what it is about: keys, or acts
 * @property {number} more number of further items
 * @property {Record<string, any> | null} details depend on the kind
 *
 * @typedef {object} Item
 * @property {{id: string, access_key: string, name: string} | null} [key]
 * @property {string | null} [act]
 * @property {string | null} [by]
 * @property {string | null} [address]
 * @property {string | null} [network]
 * @property {string} [ends_at]
 *
 * @typedef {{notices: Notice[], next: number | null, unread: number}} Listed
 */

/**
 * @template Data
 * @typedef {Promise<import('../client/api.js').Answer<Data>>} Answering
 */

/**
 * @param {Request} request
 * @param {number | null} cursor that of the page before
 * @returns {Answering<Listed>}
 */
export const loadNotices = (request, cursor) => request("GET", `/v1/notices${cursor ? `?cursor=${cursor}` : ""}`);

/**
 * Marks the notices up to this one as read.
 * @param {Request} request
 * @param {number} id
 * @returns {Answering<{unread: number, now: string}>}
 */
export const markRead = (request, id) => request("POST", "/v1/notices/read", { body: { id } });
