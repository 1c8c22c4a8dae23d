// One page of the activity, newest first.
import { useEffect, useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";

/** What narrows it down, in the address bar as on the wire. */
export const FILTERS = ["q", "action", "key", "member", "from", "to"];

/**
 * How many parts of the trail are searched at once until something is found: a page looks at so many entries and no more. What is left
 * is for whoever asks to go on.
 */
const PARTS_MAX = 10;

/** @param {Record<string, string>} query @returns {URLSearchParams} only what is filled in */
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
 * @property {Record<string, {from: any, to: any}> | null} changes
 */

/**
 * @param {Record<string, string>} query
 * @param {any} [version] another one loads it again, while the entries stand
 */
export function useActivity(query, version) {
  const { request } = useSession();
  const [page, setPage] = useState({ entries: [], next: null, asked: null, problem: null });
  const [turn, setTurn] = useState(0);
  const parameters = parametersOf(query, [...FILTERS, "cursor", "limit"]).toString();

  /** The first page that has entries, or as far as one goes at once. */
  const search = async (signal) => {
    const asked = new URLSearchParams(parameters);
    for (let parts = 1; ; parts++) {
      const answer = await request("GET", `/v1/activity?${asked}`, { signal });
      const goesOn = answer.ok && !answer.data.entries.length && answer.data.next;
      if (!goesOn || parts === PARTS_MAX) return answer;
      asked.set("cursor", answer.data.next);
    }
  };

  useEffect(() => {
    const control = new AbortController();
    search(control.signal).then((answer) => {
      if (control.signal.aborted || answer.problem?.code === "cancelled") return;
      if (answer.ok) setPage({ ...answer.data, asked: query, problem: null });
      else setPage({ entries: [], next: null, asked: query, problem: answer.problem });
    });
    return () => control.abort();
  }, [request, parameters, turn, version]);

  const again = () => {
    setPage({ entries: [], next: null, asked: null, problem: null });
    setTurn(turn + 1);
  };
  return { ...page, again };
}
