// The server's time. The browser's clock may be wrong by hours, so it only measures how long ago the server spoke.
let ahead_ms = 0;

/** Takes the server's `now` from an answer that has just arrived. @param {string} now */
export function syncClock(now) {
  ahead_ms = Date.parse(now) - Date.now();
}

/** The server's time, in milliseconds since 1970. */
export function serverNow() {
  return Date.now() + ahead_ms;
}
