// Writes to the clipboard.

/**
 * Copies `text` and returns `true` if the browser confirmed it. Browsers refuse on plain HTTP,
 * without permission, and in a window without focus.
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
