// What every signed-in screen shares: the session document and the way to the server.
import { createContext } from "preact";
import { useContext } from "preact/hooks";

const Console = createContext(null);
export const SessionProvider = Console.Provider;

/**
 * @typedef {object} Session
 * @property {{id: string, name: string, email: string, role: 'owner' | 'admin' | 'viewer', language: string}} member
 * @property {{id: string, name: string, time_zone: string, freshness_s: number, freshness: 'bounded' | 'eventual',
 *   suspended: boolean}} account
 * @property {boolean} operator whether the member may use the operator's page
 * @property {number | null} publication_lag_s how long a change has been waiting to be published, once that is unusual
 * @property {string | null} address
 * @property {string[]} permissions
 * @property {string[]} grantable_reserved
 * @property {{base_url: string, example_path: string}} api
 * @property {'ok' | 'failing' | 'off'} [mail] whether mails get out
 *
 * @returns {{session: Session, request: import('./api.js').Request, leave: () => void}}
 */
export const useSession = () => useContext(Console);

/** Whether the member may change keys. The server decides; the page only leaves out what would be refused. @param {Session} session */
export const canManageKeys = (session) => session.member.role !== "viewer";

/** Whether the member decides over the account itself: service password, protection. @param {Session} session */
export const isOwner = (session) => session.member.role === "owner";
