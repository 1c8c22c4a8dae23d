// What both entries do with requests and answers.
import { TRAPPED } from "./trap.js";

/** `name\nvalue\nname\nvalue…`: neither can hold a newline, and one string crosses into wasm cheaply. */
export function flatten(headers) {
  const lines = [];
  for (const [name, value] of headers) lines.push(name, value);
  return lines.join("\n");
}

/** An answer whose body is text. */
export function respond({ status, headers, body }) {
  // Some statuses must not have a body, not even an empty one.
  return new Response(body || null, { status, headers });
}

/** The answer to what should never happen. It is logged; a trap has been already. */
export function failed(error) {
  if (error !== TRAPPED) console.error(`internal error: ${error?.message ?? error}`);
  return problem(500, "Internal Server Error", "internal");
}

/** A problem document of a failure that only the entry sees. */
export function problem(status, title, code, more) {
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store", ...more };
  return Response.json({ type: "about:blank", title, status, code }, { status, headers });
}

/** The answer of a Worker whose settings are wrong, or whose other half is. The log says why. */
export const misconfigured = () => problem(503, "This deployment is not set up", "misconfigured", { "retry-after": "2" });
