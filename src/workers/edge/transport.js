// Does what depends on the way in which a request came: `Strict-Transport-Security` (RFC 6797) on
// responses by https, and the log's count of requests without TLS.

/** Matches URLs by https of other than loopback hosts. */
const STRICT = /^https:\/\/(?!(?:[^/]*\.)?localhost\.?[:/]|127[\d.]+[:/]|\[::1\])/;

const HSTS = "strict-transport-security";

/** Matches the problem document of a request without TLS. */
const REQUIRED = '"https_required"';

/** Least time between two lines of the log, in ms. */
const PAUSE = 60_000;

let refused = 0;
let loggedAt = -PAUSE;

/** Returns the response to a request by this URL. It asks browsers never to come without TLS. */
export function secured(url, answer) {
  if (!STRICT.test(url)) return answer;
  return answer instanceof Response ? withHsts(answer) : answer.then(withHsts);
}

/** Returns a response with the header; an origin's own stays. */
function withHsts(answer) {
  if (answer.status === 101 || answer.headers.has(HSTS)) return answer;
  // The headers of a fetched response, which has a URL, cannot change.
  const own = answer.url ? new Response(answer.body, answer) : answer;
  own.headers.set(HSTS, "max-age=31536000");
  return own;
}

/** Counts the response if it refuses a request without TLS. Once a minute the log says how many. */
export function countUnencrypted(url, { status, body }, now) {
  if (status !== 403 || !url.startsWith("http:") || !body.includes(REQUIRED)) return;
  refused += 1;
  if (now - loggedAt < PAUSE) return;
  console.warn(`refused without TLS: ${refused} since the last such line. Replace the keys that they carried.`);
  refused = 0;
  loggedAt = now;
}
