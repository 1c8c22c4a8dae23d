// Reads what a pasted short-lived key says without its secret. Its ID alone, as the activity and the
// issuing backend know it, does not say who issued it.

/**
 * Matches a prefix that ends in `s`, the payload, and the seal after the dot, which makes it a
 * credential.
 */
const SHORT_LIVED = /[a-z0-9]{2,12}s_([0-9A-Za-z_-]+)\.[0-9A-Za-z_-]+/;

/** Matches the ID of a short-lived key. */
const ID = /^[0-9A-Za-z]{35}$/;

/** Returns the ID if the text is nothing else. @param {string} text */
export const parseShortLivedId = (text) =>
  ID.exec(
    text
      .normalize("NFKC")
      .trim()
      .replace(/^["'`]|["'`]$/g, ""),
  )?.[0] ?? null;

/** @typedef {{id: string, issuer: string}} ShortLivedKey `issuer` is a key's ID or `service` */

/**
 * Reads the ID and the issuer of a pasted short-lived key, and keeps nothing else of it.
 * @param {string} text
 * @returns {ShortLivedKey | null}
 */
export function parseShortLivedKey(text) {
  const payload = SHORT_LIVED.exec(text)?.[1];
  if (!payload) return null;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (letter) =>
      letter.charCodeAt(0),
    );
    const { id, by } = JSON.parse(new TextDecoder().decode(bytes));
    const issuer = by?.key ?? by;
    return typeof id === "string" && typeof issuer === "string" ? { id, issuer } : null;
  } catch {
    return null;
  }
}
