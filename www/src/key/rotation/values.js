// Holds the values of the form that regenerates a key, and converts them to the server's fields.
import { serverNow } from "../../client/clock.js";
import { endOfDay, instantOf } from "../../i18n/format.js";

/** @typedef {'none' | '1h' | '1d' | '7d' | 'date'} Overlap */
/** @typedef {'same' | 'old' | 'date'} NewExpiry */

/**
 * @typedef {object} RegenerationValues
 * @property {Overlap} overlap
 * @property {string} overlapDate
 * @property {string} overlapTime empty means until the end of the day
 * @property {NewExpiry} expiry
 * @property {string} date
 * @property {string} time empty means until the end of the day
 */

/** Overlaps that the form offers. @type {Overlap[]} */
export const OVERLAPS = ["none", "1h", "1d", "7d", "date"];

/** Lengths of the offered overlaps, in ms. @type {Partial<Record<Overlap, number>>} */
const LENGTHS_MS = { "1h": 3_600_000, "1d": 86_400_000, "7d": 604_800_000 };

/** @returns {RegenerationValues} */
export const firstValues = () => ({
  overlap: "none",
  overlapDate: "",
  overlapTime: "",
  expiry: "same",
  date: "",
  time: "",
});

/**
 * Returns the time of a date with an optional time, Unix ms; `null` while the date is missing.
 * @param {string} date
 * @param {string} time
 * @param {string} zone
 */
function momentOf(date, time, zone) {
  if (!date) return null;
  return Date.parse(time ? instantOf(date, time, zone) : endOfDay(date, zone));
}

/**
 * Returns the end of the overlap, Unix ms: at most the key's own expiry. `null` without an overlap,
 * or while its date is missing.
 * @param {RegenerationValues} values
 * @param {import('../model.js').Key} key
 * @param {string} zone
 */
export function overlapEnd({ overlap, overlapDate, overlapTime }, key, zone) {
  const length = LENGTHS_MS[overlap];
  const wanted = length ? serverNow() + length : overlap === "date" ? momentOf(overlapDate, overlapTime, zone) : null;
  const own = key.expires_at ? Date.parse(key.expires_at) : Infinity;
  return wanted === null ? null : Math.min(wanted, own);
}

/**
 * Returns the length of life that the key was given at its issue, in ms; `null` if it has no end.
 * @param {import('../model.js').Key} key
 */
export const lifeOf = ({ expires_at, created_at }) =>
  expires_at ? Date.parse(expires_at) - Date.parse(created_at) : null;

/**
 * Returns `true` if the key's own end is still to come.
 * @param {import('../model.js').Key} key
 */
export const endsLater = ({ expires_at }) => Boolean(expires_at) && Date.parse(String(expires_at)) > serverNow();

/**
 * Returns the fields that the server reads. Null is its default: no overlap, and as long a life as
 * the old key was given.
 * @param {RegenerationValues} values
 * @param {import('../model.js').Key} key
 * @param {string} zone
 */
export const fieldsOf = (values, key, zone) => ({
  overlap: overlapText(values, zone),
  expires: values.expiry === "old" ? key.expires_at : values.expiry === "date" ? dateText(values, zone) : null,
});

/** @param {RegenerationValues} values @param {string} zone */
function overlapText({ overlap, overlapDate: date, overlapTime: time }, zone) {
  if (overlap === "none") return null;
  return overlap === "date" ? dateText({ date, time }, zone) : overlap;
}

/** A date alone stays one: the server knows its end. @param {{date: string, time: string}} typed @param {string} zone */
const dateText = ({ date, time }, zone) => (time ? instantOf(date, time, zone) : date);

/**
 * Returns a refusal for each date that is missing.
 * @param {RegenerationValues} values
 */
export const missingIn = (values) => [
  ...(values.overlap === "date" && !values.overlapDate ? [{ pointer: "#/overlap", code: "required" }] : []),
  ...(values.expiry === "date" && !values.date ? [{ pointer: "#/expires", code: "required_date" }] : []),
];
