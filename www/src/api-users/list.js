// Loads one page of the API users.
import { useListing } from "../client/listing.js";
import { PAGE_ROWS } from "../ui/paging.jsx";

export const FIRST_ORDER = "name";

/** Statuses that the server can filter by. A suspension of the account concerns all users alike. */
const STATUSES = ["active", "locked", "not_yet_valid", "expired", "deleted"];

/** Values of the filter, in the order of its choices; the empty one leaves out what is deleted. */
export const FILTER = ["", ...STATUSES, "all"];

/**
 * @typedef {import('./requests.js').ApiUser} ApiUser
 *
 * @typedef {object} Asked
 * @property {string} q
 * @property {string} sort
 * @property {string} status
 * @property {string} cursor
 * @property {string} from number of rows on the pages before
 *
 * @typedef {{users: ApiUser[], next: string | null, total: number}} Answered
 */

/** @type {import('../client/listing.js').Listed<ApiUser>} */
const NOTHING = { rows: [], next: null, total: 0 };

/** @param {Record<string, string>} query */
export function useUsers({ q = "", sort = "", status = "", cursor = "", from = "" }) {
  /** @type {Asked} */
  const asked = { q, sort, status, cursor, from };
  return useListing(NOTHING, asked, async (request, signal) => {
    const parameters = Object.entries({
      q,
      sort: sort || FIRST_ORDER,
      status: status === "all" ? STATUSES.join() : status,
      cursor,
      limit: String(PAGE_ROWS),
    }).filter(([, value]) => value !== "");
    /** @type {import('../client/api.js').Answer<Answered>} */
    const answer = await request("GET", `/v1/api-users?${new URLSearchParams(parameters)}`, { signal });
    if (!answer.ok) return answer;
    const { users, next, total } = answer.data;
    return { ok: true, data: { rows: users, next, total } };
  });
}
