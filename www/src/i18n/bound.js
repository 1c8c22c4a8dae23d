// How the console says within which time a change holds everywhere.

/**
 * The key of a sentence about the bound: the one that names so many seconds, or says "at once", or names none where nobody can.
 * @param {string} key @param {'bounded' | 'eventual'} freshness @param {number} seconds
 */
export function withinKey(key, freshness, seconds) {
  if (freshness === "eventual") return `${key}.eventually`;
  return seconds === 0 ? `${key}.now` : key;
}
