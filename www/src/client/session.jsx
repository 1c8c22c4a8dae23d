// Shares the session document and the request function with every signed-in screen.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { send } from "./api.js";

/**
 * @typedef {'owner' | 'admin' | 'viewer'} Role
 *
 * @typedef {object} Session
 * @property {string} now the server's time, RFC 3339
 * @property {{id: string, name: string, email: string, role: Role, language:
 *   import('../i18n/locale.jsx').Language}} member
 * @property {{id: string, name: string, time_zone: string, freshness_s: number, freshness:
 *   'bounded' | 'eventual', suspended: boolean, policy?: import('./policy.js').Policy}} account
 * @property {boolean} operator `true` if the member may use the operator's pages
 * @property {'session' | 'access'} [operator_by] `access`: Cloudflare Access decides who is an
 *   operator
 * @property {number | null} publication_lag_s age of the oldest unpublished change, once that is
 *   unusual
 * @property {string | null} address
 * @property {string[]} permissions
 * @property {string[]} grantable_reserved
 * @property {{base_url: string, example_path: string, example_permission?: string | null}} api
 * @property {'ok' | 'failing' | 'off'} [mail] state of outgoing mail
 * @property {number} [unread_notices] number of notices that the member has not looked at
 * @property {boolean} [mfa] `true` if the member has a second factor
 * @property {string[]} [mfa_methods] methods by which the member proves a second factor
 * @property {number} [accounts] number of accounts that the person belongs to
 *
 * A sign-in that waits for a second factor, in place of a session document.
 * @typedef {{challenge: string, methods: string[], expires_at: string, passkey?:
 *   import('./passkey.js').PasskeyOptions | null}} FactorChallenge
 *
 * @typedef {object} SignedIn
 * @property {Session} session
 * @property {import('./api.js').Request} request
 * @property {(session: Session) => Promise<void>} enter shows another session document
 * @property {(member: string, part: Partial<Session>) => void} amend replaces a part of the session document, if it
 *   is still that of this member: an answer may come after the member has left
 * @property {() => void} leave shows the sign-in page
 */

const SessionContext = createContext(/** @type {SignedIn | null} */ (null));
export const SessionProvider = SessionContext.Provider;

/** @returns {SignedIn} */
export const useSession = () => /** @type {SignedIn} */ (useContext(SessionContext));

/**
 * Returns the challenge of an answer that may open a session; `null` if it is a session document.
 * @param {Session | FactorChallenge} document
 * @returns {FactorChallenge | null}
 */
export const challengeIn = (document) => ("challenge" in document ? document : null);

/** Asks for the session document. @returns {Promise<import('./api.js').Answer<Session>>} */
export const loadSession = () => send("GET", "/v1/session");

/**
 * Returns `true` if the member may change keys. The server decides; the page only leaves out what
 * the server would refuse.
 * @param {Session} session
 */
export const canManageKeys = (session) => session.member.role !== "viewer";

/**
 * Returns `true` if the member decides over the account itself: members, service password,
 * protection.
 * @param {Session} session
 */
export const isOwner = (session) => session.member.role === "owner";
