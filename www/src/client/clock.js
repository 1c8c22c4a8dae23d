// Keeps the server's time. The browser's clock may be wrong by hours, so it only measures how long
// ago the server last sent its time.
let offset_ms = 0;

/** Sets the clock by the `now` of a response that has just arrived. @param {string} now */
export function syncClock(now) {
  offset_ms = Date.parse(now) - Date.now();
}

/** Returns the server's time, Unix ms. */
export function serverNow() {
  return Date.now() + offset_ms;
}
