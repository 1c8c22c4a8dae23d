// Converts lengths of time between people's form, a number and a unit, and the server's.

/**
 * @typedef {import('../i18n/format.js').Unit} Unit
 * @typedef {import('../i18n/format.js').Duration} Duration
 */

/** @type {[Unit, number][]} from the longest on */
const UNITS_MS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
];
const DAY_MS = UNITS_MS[0][1];

/** Units that a form offers; the others only show what was set elsewhere. @type {Unit[]} */
export const OFFERED_UNITS = ["h", "d"];

/**
 * Returns the duration as the server reads it; `undefined` while the amount is missing. Full-width
 * digits count as their ASCII kin.
 * @param {Duration} duration
 */
export function durationText({ amount, unit }) {
  const digits = amount.normalize("NFKC").trim();
  return digits ? `${digits}${unit}` : undefined;
}

/**
 * Returns the duration in the longest unit that divides it and of which at least two remain. So one
 * day becomes 24 hours, which is what people mostly mean.
 * @returns {Duration}
 */
export function durationOf(ms = DAY_MS) {
  const [unit, size] = UNITS_MS.find(([, size]) => ms % size === 0 && ms >= 2 * size) ?? ["s", 1000];
  return { amount: String(ms / size), unit };
}
