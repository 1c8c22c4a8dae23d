// Lengths of time as people type them and as the server reads them: a number and a unit.

/** @typedef {'s' | 'm' | 'h' | 'd'} Unit */

/** From the longest on. */
const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };

/** What a form offers; the others only show what was set elsewhere. @type {Unit[]} */
export const OFFERED_UNITS = ["h", "d"];

/** @param {{amount: string, unit: Unit}} duration @returns {string | undefined} `undefined` while it is missing */
export const durationText = ({ amount, unit }) => (amount.trim() ? `${amount.trim()}${unit}` : undefined);

/** In the longest unit that divides it; a day is told in hours, as it is mostly meant. @param {number} [ms] @returns {{amount: string, unit: Unit}} */
export function durationOf(ms = UNITS_MS.d) {
  const whole = Object.keys(UNITS_MS).find((unit) => ms % UNITS_MS[unit] === 0 && ms >= 2 * UNITS_MS[unit]);
  const unit = whole ?? "s";
  return { amount: String(ms / UNITS_MS[unit]), unit };
}
