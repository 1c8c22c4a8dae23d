// Changes an origin's response on its way back, as the decision says (`Returned` in
// `core/base/http/response.rs`).
import { edit } from "./step.js";

/**
 * Matches the names of headers that only this deployment writes. Some servers read `_` and other
 * characters as `-`.
 */
const OURS = /^claviger(?![a-z0-9])/;

/** Matches the headers of CORS that an origin writes. */
const CORS = /^access-control-/;

const SUBPROTOCOL = "sec-websocket-protocol";

/**
 * Returns the response to a request that was sent to `url`. `base`, `cors` and `subprotocol` are
 * the fields of the step; each is empty to change nothing.
 */
export function returned(answer, url, { base, cors, subprotocol }) {
  const { headers } = answer;
  const remove = [];
  for (const name of headers.keys()) if (OURS.test(name) || (cors && CORS.test(name))) remove.push(name);
  const set = [];
  if (base) {
    for (const name of ["location", "content-location"]) {
      const value = publicly(headers.get(name), url, base);
      if (value) set.push(name, value);
    }
  }
  if (cors) set.push(...readable(headers, cors));
  if (subprotocol && answer.status === 101 && !headers.has(SUBPROTOCOL)) set.push(SUBPROTOCOL, subprotocol);
  if (!remove.length && !set.length) return answer;
  const copy = new Response(answer.body, answer);
  edit(copy.headers, remove.join(","), set);
  return copy;
}

/**
 * Returns a location at the origin as a location at `base`; `undefined` for any other. A relative
 * one needs no change, because paths are the same on both hosts.
 */
function publicly(value, url, base) {
  if (value === null || !/^(?:[a-z][a-z0-9+.-]*:|[/\\]{2})/i.test(value)) return undefined;
  const location = URL.parse(value, url);
  if (location?.origin !== new URL(url).origin) return undefined;
  return base + location.pathname + location.search + location.hash;
}

/**
 * Returns the headers by which a page of the allowed origin can read the response, as names and
 * values. `cors` is the origin, or `-` for none, and the headers to expose.
 */
function readable(headers, cors) {
  const space = cors.indexOf(" ");
  const [allowed, exposed] = [cors.slice(0, space), cors.slice(space + 1)];
  const set = [];
  if (allowed !== "-") {
    const theirs = headers.get("access-control-expose-headers");
    set.push("access-control-allow-origin", allowed);
    set.push("access-control-expose-headers", theirs ? `${exposed}, ${theirs}` : exposed);
  }
  if (allowed !== "*") {
    const vary = headers.get("vary");
    set.push("vary", vary ? `${vary}, origin` : "origin");
  }
  return set;
}
