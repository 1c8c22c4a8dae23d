// What a member pastes into the search box may be a whole key. Its secret part never leaves the box.

const ID_CHARACTERS = 18;

/** A prefix, the key's ID, and any part of the secret behind it. */
const KEY = new RegExp(`([a-z0-9]{2,12}_[0-9A-Za-z]{${ID_CHARACTERS}})[0-9A-Za-z]+`, "g");

/** A short-lived key, whole or torn off: its payload is long, and what is behind the dot makes it a credential. */
const SEALED = /[a-z0-9]{2,12}s_[0-9A-Za-z_-]{24,}(\.[0-9A-Za-z_-]*)?/g;

/** An ID and secret without prefix, or an access secret alone: longer than any word, ID or address. */
const BARE_SECRET = /[0-9A-Za-z]{40,}/g;

/**
 * @param {string} text
 * @returns {{text: string, cut: boolean}} what may be sent, and whether something was left out
 */
export function withoutSecrets(text) {
  const kept = text.replace(SEALED, "").replace(KEY, "$1").replace(BARE_SECRET, "");
  return { text: kept, cut: kept !== text };
}
