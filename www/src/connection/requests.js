// Defines the service credentials, with which backends issue short-lived keys, and their requests.
import { ifUnchanged } from "../key/model.js";

/**
 * @typedef {object} Service
 * @property {string | null} service_id
 * @property {boolean} has_password
 * @property {string | null} changed_at
 * @property {import('../key/model.js').IssuanceLimits} ceiling
 * @property {number} revision
 * @property {ServiceUsage | null} [usage] an earlier server sends none
 *
 * The requests with the right password in the last seven days.
 * @typedef {object} ServiceUsage
 * @property {string | null} last_used_at
 * @property {number} uses_7d
 * @property {{network: string, uses: number, last_used_at: string}[]} networks the latest first
 */

const PATH = "/v1/account/service";

/**
 * @typedef {import('../client/api.js').Request} Request
 * @typedef {import('../key/model.js').Bound} Bound
 * @typedef {{service_id: string, service_password: string}} ServiceSecrets
 */

/**
 * @param {Request} request
 * @param {import('../client/api.js').Options} [options]
 * @returns {import('../key/model.js').Answering<Service>}
 */
export const loadService = (request, options) => request("GET", PATH, options);

/** @param {Request} request @returns {import('../key/model.js').Answering<ServiceSecrets>} */
export const revealService = (request) => request("POST", `${PATH}/reveal`);

/**
 * Makes a new password, or the first one.
 * @param {Request} request
 * @param {Service} service
 * @returns {import('../key/model.js').Answering<ServiceSecrets & {bound: Bound | null}>}
 */
export const renewService = (request, service) =>
  request("POST", `${PATH}/password`, { headers: ifUnchanged(service) });

/**
 * @param {Request} request
 * @param {Service} service
 * @param {object} fields
 * @returns {import('../key/model.js').Answering<{bound: Bound | null}>}
 */
export const editService = (request, service, fields) =>
  request("PATCH", PATH, { headers: ifUnchanged(service), body: fields });
