// Loads one page of the key list, and keeps it up to date with the server's responses.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";

export const PAGE_ROWS = 50;
export const FIRST_ORDER = "-created";

/** Names of the filters in the address bar. */
export const FILTERS = ["status", "issuer", "expires", "used"];

/** Statuses that the list shows unless a filter says otherwise: all that are not gone. */
const PRESENT = "active,disabled,mfa_off,not_yet_valid,expired";

/**
 * Returns the filters of a query that are set.
 * @param {Record<string, string>} query
 * @returns {Record<string, string>}
 */
export const filtersOf = (query) =>
  Object.fromEntries(FILTERS.flatMap((name) => (query[name] ? [[name, query[name]]] : [])));

/**
 * Returns the filters as the server reads them.
 * @param {Record<string, string>} filters
 */
function parametersOf({ status = "", ...filters }) {
  return status === "all" ? filters : { ...filters, status: status || PRESENT };
}

/**
 * @typedef {import('../key/model.js').Key} Key
 *
 * @typedef {object} Page
 * @property {Key[]} keys
 * @property {string | null} next cursor of the next page
 * @property {number} total
 * @property {boolean} exact `false` if there are more than `total`
 * @property {import('../client/api.js').Problem | null} problem
 * @property {number} hidden deleted and ended keys that the filter leaves out
 * @property {boolean} hidesMore `true` if it leaves out more than `hidden`
 * @property {{q: string, sort: string, cursor: string, from: string, filters: Record<string, string>}
 *   | null} asked query that the page answers; the address bar may be ahead of it
 *
 * @typedef {{keys: Key[], next: string | null, total: number, total_is_exact: boolean,
 *   hidden?: number, hidden_is_exact?: boolean}} Listed
 * @typedef {ReturnType<typeof useList>} List
 */

/** @type {Page} */
const NOTHING = {
  keys: [],
  next: null,
  total: 0,
  exact: true,
  hidden: 0,
  hidesMore: false,
  problem: null,
  asked: null,
};

/** @param {Record<string, string>} query */
export function useList(query) {
  const { q = "", sort = "", cursor = "", from = "" } = query;
  const filters = filtersOf(query);
  const filtered = JSON.stringify(filters);
  const { request } = useSession();
  const [list, setList] = useState(NOTHING);
  const [turn, setTurn] = useState(0);
  const loading = useRef(false);

  useEffect(() => {
    const control = new AbortController();
    loading.current = true;
    const parameters = Object.entries({
      q,
      sort: sort || FIRST_ORDER,
      ...parametersOf(filters),
      cursor,
      limit: String(PAGE_ROWS),
    }).filter(([, value]) => value !== "");
    /** @type {Promise<import('../client/api.js').Answer<Listed>>} */
    const answering = request("GET", `/v1/keys?${new URLSearchParams(parameters)}`, { signal: control.signal });
    answering.then((answer) => {
      if (control.signal.aborted) return;
      loading.current = false;
      if (answer.problem?.code === "cancelled") return;
      const asked = { q, sort, cursor, from, filters };
      if (!answer.ok) setList({ ...NOTHING, problem: answer.problem, asked });
      else
        setList({
          ...NOTHING,
          keys: answer.data.keys,
          next: answer.data.next,
          total: answer.data.total,
          exact: answer.data.total_is_exact,
          hidden: answer.data.hidden ?? 0,
          hidesMore: answer.data.hidden_is_exact === false,
          asked,
        });
    });
    return () => control.abort();
  }, [request, q, sort, filtered, cursor, from, turn]);

  // Loads the page again while its rows stay.
  const refresh = useCallback(() => setTurn((before) => before + 1), []);
  const again = useCallback(() => {
    setList(NOTHING);
    refresh();
  }, [refresh]);

  // A page that is still loading would undo a change of the rows, so it is loaded again.
  const change = useCallback(
    /** @param {(rows: Key[]) => Key[]} rows */
    (rows, grown = 0) => {
      setList((before) => ({ ...before, keys: rows(before.keys), total: before.total + grown }));
      if (loading.current) refresh();
    },
    [refresh],
  );
  const replace = useCallback(
    /** @param {Key} key */
    (key) => change((rows) => rows.map((row) => (row.id === key.id ? key : row))),
    [change],
  );
  const insert = useCallback(
    /** @param {Key} key */
    (key) => change((rows) => [key, ...rows], 1),
    [change],
  );

  return { ...list, again, refresh, replace, insert };
}
