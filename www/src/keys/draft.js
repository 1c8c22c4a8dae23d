// What is being typed into the key form, and what of it goes to the server.
import { instantOf, wallClock } from "../format.js";

/**
 * @typedef {object} Draft
 * @property {string} name
 * @property {'duration' | 'date' | 'never'} expiry
 * @property {string} amount
 * @property {'h' | 'd'} unit
 * @property {string} date
 * @property {string} time empty: until the end of the day
 * @property {string} networks as typed
 * @property {string[]} permissions
 */

/** The preset of a new key. */
const DAYS_PRESET = "90";

/** @returns {Draft} */
export const emptyDraft = () => ({
  name: "",
  expiry: "duration",
  amount: DAYS_PRESET,
  unit: "d",
  date: "",
  time: "",
  networks: "",
  permissions: [],
});

/** @param {import('./key.js').Key} key @param {string} zone @returns {Draft} */
export function draftOf(key, zone) {
  const draft = { ...emptyDraft(), name: key.name, networks: key.networks.join("\n"), permissions: key.permissions };
  if (!key.expires_at) return { ...draft, expiry: "never" };
  const end = Date.parse(key.expires_at);
  const { date, time } = wallClock(end, zone);
  return time === "00:00"
    ? { ...draft, expiry: "date", date: wallClock(end - 1, zone).date }
    : { ...draft, expiry: "date", date, time };
}

/** The expiry as the server reads it; `undefined` while something is missing. @param {Draft} draft @param {string} zone */
export function expiresText({ expiry, amount, unit, date, time }, zone) {
  if (expiry === "never") return "never";
  if (expiry === "duration") return amount.trim() ? `${amount.trim()}${unit}` : undefined;
  if (!date) return undefined;
  return time ? instantOf(date, time, zone) : date;
}

/** @param {Draft} draft @param {string} zone */
export const fieldsOf = (draft, zone) => ({
  name: draft.name.trim(),
  expires: expiresText(draft, zone),
  networks: draft.networks,
  permissions: draft.permissions,
});

/**
 * Only what the member changed: an expiry that nobody touched must not be rounded to the minute, nor be refused for
 * having passed.
 * @param {Draft} before @param {Draft} after @param {string} zone
 */
export function changesOf(before, after, zone) {
  const [from, to] = [fieldsOf(before, zone), fieldsOf(after, zone)];
  return Object.fromEntries(
    Object.entries(to).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(from[field])),
  );
}

/** What the page can see by itself to be missing. @param {Draft} draft @param {string} zone @returns {import('../api.js').FieldError[]} */
export function missingIn(draft, zone) {
  return [
    !draft.name.trim() && { pointer: "#/name", code: "required" },
    expiresText(draft, zone) === undefined && { pointer: "#/expires", code: `required_${draft.expiry}` },
  ].filter(Boolean);
}
