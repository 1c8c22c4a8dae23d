// Loads one page of the activity, newest first.
import { useEffect, useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";

/** Names of the filters, in the address bar and in requests. */
export const FILTERS = ["q", "action", "key", "member", "from", "to"];

/**
 * Most parts of the trail to search until one has a match. The server searches a limited number of
 * entries at a time; the member may ask for more.
 */
const PARTS_MAX = 10;

/** Returns the parameters that are filled in. @param {Record<string, string>} query */
export const parametersOf = (query, names = FILTERS) =>
  new URLSearchParams(names.filter((name) => query[name]).map((name) => [name, query[name]]));

/**
 * @typedef {object} Entry
 * @property {number} id
 * @property {string} at
 * @property {string} action
 * @property {{kind: 'member' | 'key' | 'service' | 'operator', id?: string, name?: string}} by
 * @property {string | null} address
 * @property {{id: string, name: string} | null} key
 * @property {Record<string, Change> | null} changes
 *
 * @typedef {{from: unknown, to: unknown}} Change
 * @typedef {{entries: Entry[], next: string | null}} Listed
 */

/**
 * @typedef {object} Page
 * @property {Entry[]} entries
 * @property {string | null} next cursor of the next page
 * @property {Record<string, string> | null} asked query that the page answers
 * @property {import('../client/api.js').Problem | null} problem
 */

/** @type {Page} */
const NOTHING = { entries: [], next: null, asked: null, problem: null };

/**
 * @param {Record<string, string>} query
 * @param {unknown} [version] a new value loads the page again while its entries stay
 */
export function useActivity(query, version) {
  const { request } = useSession();
  const [page, setPage] = useState(NOTHING);
  const [turn, setTurn] = useState(0);
  const parameters = parametersOf(query, [...FILTERS, "cursor", "limit"]).toString();

  /**
   * Returns the first part that has entries, or the last of `PARTS_MAX` parts.
   * @param {AbortSignal} signal
   */
  const search = async (signal) => {
    const asked = new URLSearchParams(parameters);
    for (let parts = 1; ; parts++) {
      /** @type {import('../client/api.js').Answer<Listed>} */
      const answer = await request("GET", `/v1/activity?${asked}`, { signal });
      if (!answer.ok || answer.data.entries.length || !answer.data.next || parts === PARTS_MAX) return answer;
      asked.set("cursor", answer.data.next);
    }
  };

  useEffect(() => {
    const control = new AbortController();
    search(control.signal).then((answer) => {
      if (control.signal.aborted || answer.problem?.code === "cancelled") return;
      if (answer.ok) setPage({ ...answer.data, asked: query, problem: null });
      else setPage({ ...NOTHING, asked: query, problem: answer.problem });
    });
    return () => control.abort();
  }, [request, parameters, turn, version]);

  const again = () => {
    setPage(NOTHING);
    setTurn(turn + 1);
  };
  return { ...page, again };
}
