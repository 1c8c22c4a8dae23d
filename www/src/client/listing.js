// Loads one page of a list that the server searches, sorts and pages, and keeps it up to date with
// the server's responses.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useSession } from "./session.jsx";

/**
 * One page as a list shows it. `next` is the cursor of the next page.
 * @template Row
 * @typedef {{rows: Row[], next: string | null, total: number}} Listed
 */

/**
 * Loads a page whenever `asked` changes. The rows of the page before stay until the new ones are
 * there.
 * @template {{id: string}} Row
 * @template {Listed<Row>} Page
 * @template {object} Asked
 * @param {Page} nothing the page while nothing is loaded
 * @param {Asked} asked query of the page
 * @param {(request: import('./api.js').Request, signal: AbortSignal) =>
 *   Promise<import('./api.js').Answer<Page>>} load
 */
export function useListing(nothing, asked, load) {
  const { request } = useSession();
  const [list, setList] = useState({
    page: nothing,
    problem: /** @type {import('./api.js').Problem | null} */ (null),
    /** Query that the rows answer; the address bar may be ahead of it. */
    asked: /** @type {Asked | null} */ (null),
  });
  const [turn, setTurn] = useState(0);
  const loading = useRef(false);

  useEffect(() => {
    const control = new AbortController();
    loading.current = true;
    load(request, control.signal).then((answer) => {
      if (control.signal.aborted) return;
      loading.current = false;
      if (answer.problem?.code === "cancelled") return;
      if (answer.ok) setList({ page: answer.data, problem: null, asked });
      else setList({ page: nothing, problem: answer.problem, asked });
    });
    return () => control.abort();
  }, [request, JSON.stringify(asked), turn]);

  // Loads the page again while its rows stay.
  const refresh = useCallback(() => setTurn((before) => before + 1), []);
  const again = useCallback(() => {
    setList({ page: nothing, problem: null, asked: null });
    refresh();
  }, [refresh]);

  // A page that is still loading would undo a change of the rows, so it is loaded again.
  const change = useCallback(
    /** @param {(rows: Row[]) => Row[]} rows */
    (rows, grown = 0) => {
      setList(({ page, ...rest }) => ({
        ...rest,
        page: { ...page, rows: rows(page.rows), total: page.total + grown },
      }));
      if (loading.current) refresh();
    },
    [refresh],
  );
  const replace = useCallback(
    /** @param {Row} one */
    (one) => change((rows) => rows.map((row) => (row.id === one.id ? one : row))),
    [change],
  );
  const insert = useCallback(
    /** @param {Row} one */
    (one) => change((rows) => [one, ...rows], 1),
    [change],
  );

  return { ...list.page, problem: list.problem, asked: list.asked, again, refresh, replace, insert };
}
