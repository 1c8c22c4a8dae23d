/**
 * Puts `text` on the clipboard and tells whether that really happened. Browsers refuse on plain HTTP, without
 * permission, and out of focus; success is what the browser says afterwards, never an assumption.
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
