// Removes secrets from search text: a member may paste a whole key. The secret never leaves the
// box.

const ID_CHARACTERS = 18;

/** Matches a prefix, a key's ID, and any part of the secret after it. */
const KEY = new RegExp(`([a-z0-9]{2,12}_[0-9A-Za-z]{${ID_CHARACTERS}})[0-9A-Za-z]+`, "g");

/**
 * Matches a short-lived key, whole or cut off: its payload is long, and the part after the dot
 * makes it a credential.
 */
const SHORT_LIVED = /[a-z0-9]{2,12}s_[0-9A-Za-z_-]{24,}(\.[0-9A-Za-z_-]*)?/g;

/** Matches an ID and secret without prefix, or a secret alone: longer than any word or address. */
const BARE_SECRET = /[0-9A-Za-z]{40,}/g;

/**
 * Returns the text that may be sent; `cut` is `true` if something was removed.
 * @param {string} text
 * @returns {{text: string, cut: boolean}}
 */
export function withoutSecrets(text) {
  const kept = text.replace(SHORT_LIVED, "").replace(KEY, "$1").replace(BARE_SECRET, "");
  return { text: kept, cut: kept !== text };
}
