// A short-lived key that somebody pasted: what may be known of it without its secret.

/** A prefix that ends in `s`, the payload, and the seal behind the dot, which is what makes it a credential. */
const SEALED = /[a-z0-9]{2,12}s_([0-9A-Za-z_-]+)\.[0-9A-Za-z_-]+/;

/**
 * Reads the ID and the issuer out of a pasted short-lived key. Nothing else of it is kept.
 * @param {string} text
 * @returns {{id: string, issuer: string} | null} `issuer` is a key's ID or `service`
 */
export function parseShortLivedKey(text) {
  const payload = SEALED.exec(text)?.[1];
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
