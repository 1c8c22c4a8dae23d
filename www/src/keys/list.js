// Loads one page of the key list, and keeps it up to date with the server's responses.
import { useListing } from "../client/listing.js";
import { PAGE_ROWS } from "../ui/paging.jsx";

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
 * @typedef {object} Asked
 * @property {string} q
 * @property {string} sort
 * @property {string} cursor
 * @property {string} from number of rows on the pages before
 * @property {Record<string, string>} filters
 *
 * @typedef {import('../client/listing.js').Listed<Key>
 *   & {exact: boolean, hidden: number, hidesMore: boolean}} Page
 *   `exact` is `false` if there are more than `total`; `hidden` deleted and ended keys are left out
 *   by the filter; `hidesMore`: and others
 *
 * @typedef {{keys: Key[], next: string | null, total: number, total_is_exact: boolean,
 *   hidden?: number, hidden_is_exact?: boolean}} Listed
 * @typedef {ReturnType<typeof useList>} List
 */

/** @type {Page} */
const NOTHING = { rows: [], next: null, total: 0, exact: true, hidden: 0, hidesMore: false };

/** @param {Record<string, string>} query */
export function useList(query) {
  const { q = "", sort = "", cursor = "", from = "" } = query;
  /** @type {Asked} */
  const asked = { q, sort, cursor, from, filters: filtersOf(query) };
  const { rows, ...list } = useListing(NOTHING, asked, async (request, signal) => {
    const { filters } = asked;
    const parameters = Object.entries({
      q,
      sort: sort || FIRST_ORDER,
      ...parametersOf(filters),
      cursor,
      limit: String(PAGE_ROWS),
    }).filter(([, value]) => value !== "");
    /** @type {import('../client/api.js').Answer<Listed>} */
    const answer = await request("GET", `/v1/keys?${new URLSearchParams(parameters)}`, { signal });
    return answer.ok ? { ok: true, data: pageOf(answer.data) } : answer;
  });
  return { keys: rows, ...list };
}

/** @param {Listed} answer @returns {Page} */
const pageOf = ({ keys, next, total, total_is_exact, hidden = 0, hidden_is_exact }) => ({
  rows: keys,
  next,
  total,
  exact: total_is_exact,
  hidden,
  hidesMore: hidden_is_exact === false,
});
