// Defines members and invitations as the server returns them, and the requests about them.

/**
 * @typedef {import('../client/session.jsx').Role} Role
 * @typedef {import('../client/session.jsx').Session} Session
 * @typedef {import('../client/api.js').Request} Request
 * @typedef {import('../i18n/locale.jsx').Language} Language
 *
 * @typedef {object} Member
 * @property {string} id
 * @property {string} name
 * @property {string} email
 * @property {Role} role
 * @property {Language} language
 * @property {string} joined_at
 * @property {string | null} seen_at
 * @property {number} sessions number of browsers that are signed in
 * @property {boolean} you
 * @property {number | null} [keys_ending] number of keys that end with the membership; `null` if
 *   keys outlive it
 * @property {boolean | null} [mfa] `true` if the member has a second factor; `null` unless an owner
 *   or the member asks
 *
 * @typedef {object} Invitation
 * @property {string} id
 * @property {string} email
 * @property {Role} role
 * @property {string} invited_by
 * @property {string} created_at
 * @property {string} expires_at
 * @property {'queued' | 'sent' | 'failing' | 'refused' | 'given_up' | null} mail state of the last mail; `null`
 *   once the server has dropped it
 *
 * @typedef {{members: Member[], invitations?: Invitation[]}} Members
 */

/**
 * @template Data
 * @typedef {Promise<import('../client/api.js').Answer<Data>>} Answering
 */

const MEMBERS = "/v1/members";
const INVITATIONS = "/v1/members/invitations";

/** @param {string} id */
const memberPath = (id) => `${MEMBERS}/${encodeURIComponent(id)}`;

/** @param {string} id */
const invitationPath = (id) => `${INVITATIONS}/${encodeURIComponent(id)}`;

/**
 * Loads all members; owners get the open invitations too.
 * @param {Request} request
 * @param {AbortSignal} signal
 * @returns {Answering<Members>}
 */
export const loadMembers = (request, signal) => request("GET", MEMBERS, { signal });

/**
 * Mails an invitation.
 * @param {Request} request
 * @param {{email: string, role: Role, language: Language}} body
 * @returns {Answering<{invitation: Invitation}>}
 */
export const invite = (request, body) => request("POST", INVITATIONS, { body });

/**
 * Mails an invitation again, with a new link; the earlier link ends.
 * @param {Request} request
 * @param {{id: string}} invitation
 * @returns {Answering<{invitation: Invitation}>}
 */
export const repeatInvitation = (request, { id }) => request("POST", `${invitationPath(id)}/repeat`);

/**
 * @param {Request} request
 * @param {{id: string}} invitation
 * @returns {Answering<null>}
 */
export const withdrawInvitation = (request, { id }) => request("DELETE", invitationPath(id));

/**
 * Changes a role, unless it is no longer the one that the page shows.
 * @param {Request} request
 * @param {Member} member
 * @param {Role} role
 * @returns {Answering<{member: Member}>}
 */
export const changeRole = (request, { id, role: expected_role }, role) =>
  request("PATCH", memberPath(id), { body: { role, expected_role } });

/**
 * Removes a member, or leaves the account.
 * @param {Request} request
 * @param {{id: string}} member
 * @returns {Answering<{keys_ended: number, bound: import('../ui/result.jsx').Bound} | null>} `null`
 *   if no key ended
 */
export const removeMember = (request, { id }) => request("DELETE", memberPath(id));

/**
 * Signs a member out of this account, in every browser.
 * @param {Request} request
 * @param {{id: string}} member
 * @returns {Answering<null>}
 */
export const endSessionsOf = (request, { id }) => request("POST", `${memberPath(id)}/end-sessions`);

/**
 * Turns off the second factors of a member who has lost them.
 * @param {Request} request
 * @param {{id: string}} member
 * @returns {Answering<null>}
 */
export const resetFactors = (request, { id }) => request("POST", `${memberPath(id)}/reset-factors`);

/**
 * Changes the account's name or time zone.
 * @param {Request} request
 * @param {{name?: string, time_zone?: string}} body
 * @returns {Answering<Session>}
 */
export const changeAccount = (request, body) => request("PATCH", "/v1/account", { body });
