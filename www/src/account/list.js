// Searches, sorts and pages the members. The server sends all of them in one answer; the page draws
// a few, so that an account of a thousand members stays quick.

/** Rows of one page, as in the list of keys. */
export const PAGE_ROWS = 50;

/** @typedef {import('./requests.js').Member} Member */
/** @typedef {{member: Member, text: string}} Indexed `text` is what the search looks in */

/** Roles from the most powerful one down. */
export const ROLES = /** @type {const} */ (["owner", "admin", "viewer"]);

/**
 * Folds what a search ignores, as the server folds names: case, width, accents, and hiragana or
 * katakana. Voiced kana stay different.
 * @param {string} text
 */
export function folded(text) {
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
    .toLowerCase()
    .replace(/[\u3041-\u3096]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) + 0x60));
}

/** Prepares members for {@link matching}. @param {Member[]} members @returns {Indexed[]} */
export const indexed = (members) =>
  members.map((member) => ({ member, text: `${folded(member.name)} ${folded(member.email)}` }));

/**
 * Returns the members whose name or address contains each word.
 * @param {Indexed[]} index
 * @param {string} typed
 */
export function matching(index, typed) {
  const words = folded(typed).split(/\s+/).filter(Boolean);
  return index.filter(({ text }) => words.every((word) => text.includes(word))).map(({ member }) => member);
}

/** Orders that the address bar may name. @typedef {'name' | 'role' | 'seen'} Column */

/**
 * Returns the members in an order: `name`, `role` or `seen`, with `-` before it for the other
 * direction. Equal ones go by name, then by ID.
 * @param {Member[]} members
 * @param {string} sort
 * @param {string} language
 */
export function sorted(members, sort, language) {
  const { compare } = new Intl.Collator(language, { numeric: true });
  /** @type {Record<string, (one: Member, other: Member) => number>} */
  const orders = {
    role: (one, other) => ROLES.indexOf(one.role) - ROLES.indexOf(other.role),
    // The last one seen comes first in `-seen`, and those never seen last.
    seen: (one, other) => Date.parse(one.seen_at ?? "1970-01-01") - Date.parse(other.seen_at ?? "1970-01-01"),
    name: () => 0,
  };
  const column = sort.replace("-", "");
  const order = orders[column] ?? orders.name;
  const [forwards, names] = sort.startsWith("-") ? [-1, column === "name" ? -1 : 1] : [1, 1];
  return members.toSorted(
    (one, other) =>
      forwards * order(one, other) || names * compare(one.name, other.name) || (one.id < other.id ? -1 : 1),
  );
}

/**
 * Returns one page of rows. A page that is not there, as after a removal, becomes the last one.
 * @param {Member[]} members
 * @param {string | undefined} asked number of the page in the address bar, from 1
 */
export function pageOf(members, asked) {
  const pages = Math.max(1, Math.ceil(members.length / PAGE_ROWS));
  const page = Math.min(pages, Math.max(1, Number.parseInt(asked ?? "1", 10) || 1));
  const from = (page - 1) * PAGE_ROWS;
  return { page, pages, from, rows: members.slice(from, from + PAGE_ROWS) };
}
