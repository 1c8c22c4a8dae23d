// One page of the list: loaded by address, then kept true with the server's answers.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";

export const PAGE_ROWS = 50;
export const FIRST_ORDER = "-created";

const NOTHING = { keys: [], next: null, total: 0, exact: true, problem: null, asked: null };

/**
 * @param {{q?: string, sort?: string, cursor?: string, from?: string}} query
 * @returns {object} the page, and in `asked` the query that it answers: the address bar may already be further
 */
export function useList({ q = "", sort = "", cursor = "", from = "" }) {
  const { request } = useSession();
  const [list, setList] = useState(NOTHING);
  const [turn, setTurn] = useState(0);
  const loading = useRef(false);

  useEffect(() => {
    const control = new AbortController();
    loading.current = true;
    const parameters = Object.entries({ q, sort: sort || FIRST_ORDER, cursor, limit: PAGE_ROWS }).filter(
      ([, value]) => value !== "",
    );
    request("GET", `/v1/keys?${new URLSearchParams(parameters)}`, { signal: control.signal }).then((answer) => {
      if (control.signal.aborted) return;
      loading.current = false;
      if (answer.problem?.code === "cancelled") return;
      const asked = { q, sort, cursor, from };
      if (!answer.ok) setList({ ...NOTHING, problem: answer.problem, asked });
      else
        setList({
          ...NOTHING,
          keys: answer.data.keys,
          next: answer.data.next,
          total: answer.data.total,
          exact: answer.data.total_is_exact,
          asked,
        });
    });
    return () => control.abort();
  }, [request, q, sort, cursor, from, turn]);

  /** Loads it again while the rows stand. */
  const refresh = useCallback(() => setTurn((before) => before + 1), []);
  const again = useCallback(() => {
    setList(NOTHING);
    refresh();
  }, [refresh]);

  /** Changes the rows. A list that was asked for before and is still on its way would undo that: it is asked for anew. */
  const change = useCallback(
    (rows, grown = 0) => {
      setList((before) => ({ ...before, keys: rows(before.keys), total: before.total + grown }));
      if (loading.current) refresh();
    },
    [refresh],
  );
  /** Puts the server's word for a key in its row. */
  const replace = useCallback((key) => change((rows) => rows.map((row) => (row.id === key.id ? key : row))), [change]);
  const insert = useCallback((key) => change((rows) => [key, ...rows], 1), [change]);

  return { ...list, again, refresh, replace, insert };
}
