// The service credentials: what backends issue short-lived keys with.
import { ifUnchanged } from "../key/model.js";

/**
 * @typedef {object} Service
 * @property {string | null} service_id
 * @property {boolean} has_password
 * @property {string | null} changed_at
 * @property {import('../key/model.js').IssuanceLimits} ceiling
 * @property {number} revision
 */

const PATH = "/v1/account/service";

/** Each takes the way to the server first. */
export const loadService = (request, options) => request("GET", PATH, options);
export const revealService = (request) => request("POST", `${PATH}/reveal`);

/** A new password; also the first one. @param {import('../client/api.js').Request} request @param {Service} service */
export const renewService = (request, service) =>
  request("POST", `${PATH}/password`, { headers: ifUnchanged(service) });
export const editService = (request, service, fields) =>
  request("PATCH", PATH, { headers: ifUnchanged(service), body: fields });
