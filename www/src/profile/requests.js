// Defines what the server says about the person who is signed in, and the requests about it.

/**
 * @typedef {import('../client/session.jsx').Session} Session
 * @typedef {import('../client/api.js').Request} Request
 *
 * @typedef {object} Browser a browser that is signed in
 * @property {string} id
 * @property {boolean} current
 * @property {string | null} agent its User-Agent, as sent
 * @property {string | null} address network address at signing in
 * @property {string | null} last_address
 * @property {string} created_at
 * @property {string} seen_at
 *
 * @typedef {object} OwnAccount
 * @property {string} id
 * @property {string | null} name `null` while the account cannot be reached, as is the role
 * @property {import('../client/session.jsx').Role | null} role
 * @property {boolean} current
 *
 * The notices that are mailed, by kind.
 * @typedef {{key_issued: boolean, key_network: boolean, key_end: boolean}} NoticeSettings
 */

/**
 * @typedef {object} Factors state of one's second factors
 * @property {{since: string} | null} totp `null` if no authenticator app is on
 * @property {OwnPasskey[]} passkeys
 * @property {number} recovery_codes_left
 *
 * @typedef {object} OwnPasskey
 * @property {string} id
 * @property {string} name
 * @property {boolean} backed_up `true` if other devices of the person have it, too
 * @property {string} created_at
 * @property {string | null} last_used_at
 *
 * @typedef {Factors & {recovery_codes: string[]}} NewCodes
 *
 * A further factor comes without codes.
 * @typedef {Factors & {recovery_codes?: string[]}} AddedPasskey
 *
 * @typedef {{secret: string, uri: string, expires_at: string}} PendingApp
 */

/**
 * @template Data
 * @typedef {Promise<import('../client/api.js').Answer<Data>>} Answering
 */

/**
 * Changes the member's own name or language.
 * @param {Request} request
 * @param {{name?: string, language?: string}} body
 * @returns {Answering<Session>}
 */
export const changeProfile = (request, body) => request("PATCH", "/v1/member", { body });

/**
 * Changes the password, which ends the member's other sessions.
 * @param {Request} request
 * @param {{password: string, new_password: string}} body
 * @returns {Answering<Session>}
 */
export const changePassword = (request, body) => request("POST", "/v1/member/password", { body });

/**
 * Mails a code to a new address of the member.
 * @param {Request} request
 * @param {string} email
 * @returns {Answering<import('../ui/mailbox.jsx').MailboxCode>}
 */
export const mailAddressCode = (request, email) => request("POST", "/v1/member/address", { body: { email } });

/**
 * Changes the member's address, which ends their other sessions.
 * @param {Request} request
 * @param {string} email
 * @param {string} code
 * @returns {Answering<Session>}
 */
export const confirmAddress = (request, email, code) =>
  request("POST", "/v1/member/address/confirm", { body: { email, code } });

/**
 * @param {Request} request
 * @param {AbortSignal} signal
 * @returns {Answering<{sessions: Browser[]}>}
 */
export const loadBrowsers = (request, signal) => request("GET", "/v1/sessions", { signal });

/**
 * @param {Request} request
 * @param {{id: string}} browser
 * @returns {Answering<null>}
 */
export const endBrowser = (request, { id }) => request("DELETE", `/v1/sessions/${encodeURIComponent(id)}`);

/** @param {Request} request @returns {Answering<null>} */
export const endOtherBrowsers = (request) => request("POST", "/v1/sessions/end-others");

/**
 * @param {Request} request
 * @param {AbortSignal} signal
 * @returns {Answering<{accounts: OwnAccount[]}>}
 */
export const loadAccounts = (request, signal) => request("GET", "/v1/accounts", { signal });

/**
 * Opens another account of the same person; the present session ends.
 * @param {Request} request
 * @param {{id: string}} account
 * @returns {Answering<Session | import('../client/session.jsx').FactorChallenge>}
 */
export const switchAccount = (request, { id }) => request("POST", "/v1/session/switch", { body: { account: id } });

const FACTORS = "/v1/member/factors";

/**
 * @param {Request} request
 * @param {AbortSignal} signal
 * @returns {Answering<Factors>}
 */
export const loadFactors = (request, signal) => request("GET", FACTORS, { signal });

/**
 * Draws the secret of an authenticator app, which waits for its first code.
 * @param {Request} request
 * @returns {Answering<PendingApp>}
 */
export const beginApp = (request) => request("POST", `${FACTORS}/totp`);

/**
 * Turns the app on.
 * @param {Request} request
 * @param {string} code
 * @returns {Answering<AddedPasskey>}
 */
export const confirmApp = (request, code) => request("POST", `${FACTORS}/totp/confirm`, { body: { code } });

/** @param {Request} request @returns {Answering<Factors>} */
export const turnOffApp = (request) => request("DELETE", `${FACTORS}/totp`);

const PASSKEYS = `${FACTORS}/passkeys`;

/** @param {{id: string}} passkey */
const ofPasskey = ({ id }) => `${PASSKEYS}/${encodeURIComponent(id)}`;

/**
 * Draws the challenge of a new passkey.
 * @param {Request} request
 * @returns {Answering<import('../client/passkey.js').PasskeyPrompt>}
 */
export const beginPasskey = (request) => request("POST", `${PASSKEYS}/options`);

/**
 * @param {Request} request
 * @param {string} name
 * @param {import('../client/passkey.js').NewPasskey} passkey
 * @returns {Answering<AddedPasskey>}
 */
export const addPasskey = (request, name, passkey) => request("POST", PASSKEYS, { body: { name, passkey } });

/**
 * @param {Request} request
 * @param {{id: string}} passkey
 * @param {string} name
 * @returns {Answering<Factors>}
 */
export const renamePasskey = (request, passkey, name) => request("PATCH", ofPasskey(passkey), { body: { name } });

/**
 * @param {Request} request
 * @param {{id: string}} passkey
 * @returns {Answering<Factors>}
 */
export const removePasskey = (request, passkey) => request("DELETE", ofPasskey(passkey));

/** @param {Request} request @returns {Answering<NewCodes>} */
export const renewCodes = (request) => request("POST", `${FACTORS}/recovery-codes`);

/**
 * @param {Request} request
 * @param {AbortSignal} signal
 * @returns {Answering<{notices: NoticeSettings}>}
 */
export const loadNotices = (request, signal) => request("GET", "/v1/member/notices", { signal });

/**
 * @param {Request} request
 * @param {NoticeSettings} notices
 * @returns {Answering<{notices: NoticeSettings}>}
 */
export const changeNotices = (request, notices) => request("PATCH", "/v1/member/notices", { body: notices });
