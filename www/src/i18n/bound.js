// Sentences that say by when a change holds everywhere.

/**
 * Says the message `key`, which names the seconds of the account's freshness. Where the change
 * holds at once it says `key.now` instead, and where no time can be named, `key.eventually`.
 * @param {import('./locale.jsx').Say} say
 * @param {string} key
 * @param {{freshness: 'bounded' | 'eventual', freshness_s: number}} account
 * @param {Record<string, string | number>} [slots] further slots of the message
 * @returns {string}
 */
export function sayWithin(say, key, { freshness, freshness_s: seconds }, slots = {}) {
  const form = freshness === "eventual" ? ".eventually" : seconds === 0 ? ".now" : "";
  return say(key + form, { ...slots, seconds });
}
