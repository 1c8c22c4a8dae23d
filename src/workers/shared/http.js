// Request and response helpers of both entry scripts.
import { TRAPPED } from "./trap.js";

/**
 * Joins headers as `name\nvalue\nname\nvalue…`. Neither can contain a newline, and one string
 * crosses into wasm cheaply.
 */
export function flatten(headers) {
  const lines = [];
  for (const [name, value] of headers) lines.push(name, value);
  return lines.join("\n");
}

/** Converts a response of the wasm side, whose body is text. */
export function respond({ status, headers, body }) {
  // Some statuses must not have a body, not even an empty one.
  return new Response(body || null, { status, headers });
}

/** Returns the response to an unexpected error, and logs it. A trap was already logged. */
export function failed(error) {
  if (error !== TRAPPED) console.error(`internal error: ${reason(error)}`);
  return problem(500, "Internal Server Error", "internal");
}

/**
 * Returns what the log may say of an exception that a request caused: its name, and its message if
 * that consists of plain words. Any other message may quote a URL or a header, and with it a key.
 */
export function reason(error) {
  const { name = "not an error", message = "" } = error ?? {};
  return /^[A-Za-z ,.]{1,100}$/.test(message) ? `${name}: ${message}` : name;
}

/** Returns the problem document of a failure that only the entry script sees. */
export function problem(status, title, code, more) {
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store", ...more };
  return Response.json({ type: "about:blank", title, status, code }, { status, headers });
}

/**
 * Returns the response of a Worker whose settings, or whose other Worker, are wrong. The log has
 * the reason.
 */
export const misconfigured = () =>
  problem(503, "This deployment is not set up", "misconfigured", { "retry-after": "2" });
