// Reads search text that people paste: whole keys, with or without the words around them in a header
// or a settings file, and addresses with a port. Secrets never leave the box.

const ID_CHARACTERS = 18;

/** Matches a prefix, a key's ID, and any part of the secret after it. */
const KEY = new RegExp(`([a-z0-9]{2,12}_[0-9A-Za-z]{${ID_CHARACTERS}})[0-9A-Za-z]+`);

/** Matches a key's ID behind what stands before it in a header, a settings file or a command. */
const WRAPPED_ID = new RegExp(`(?:^|[\\s=:"'\`<(])([a-z0-9]{2,12}_[0-9A-Za-z]{${ID_CHARACTERS}})(?![0-9A-Za-z])`);

/**
 * Matches a short-lived key, whole or cut off: its payload is long, and the part after the dot
 * makes it a credential.
 */
const SHORT_LIVED = /[a-z0-9]{2,12}s_[0-9A-Za-z_-]{24,}(\.[0-9A-Za-z_-]*)?/g;

/** Matches an ID and secret without prefix, or a secret alone: longer than any word or address. */
const BARE_SECRET = /[0-9A-Za-z+/=]{40,}/g;

/**
 * Returns the text that may be sent; `cut` is `true` if something was removed. Of a key, with
 * whatever stands around it, the ID alone is kept: it is what the search looks for.
 * @param {string} text
 * @returns {{text: string, cut: boolean}}
 */
export function withoutSecrets(text) {
  const rest = text.replace(SHORT_LIVED, "");
  const id = KEY.exec(rest)?.[1];
  const kept = id ?? rest.replace(BARE_SECRET, "");
  return { text: kept, cut: kept !== text };
}

const IPV4_WITH_PORT = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/;
const BRACKETED_IPV6 = /^\[([0-9a-f:.]+)\](?::\d{1,5})?$/i;

/**
 * Returns what the server is asked for: an ID or an address without what stands around it, as in
 * `KEY="clv_…"` or `203.0.113.7:443`, else the text.
 * @param {string} text without secrets
 */
export function searchTerm(text) {
  const plain = text
    .normalize("NFKC")
    .trim()
    .replace(/^["'`]+|["'`,;]+$/g, "");
  const found = WRAPPED_ID.exec(plain) ?? IPV4_WITH_PORT.exec(plain) ?? BRACKETED_IPV6.exec(plain);
  return found ? found[1] : text.trim();
}
