// The one way to the server. Problems are values here: nothing below throws for what a server or a network may do.

/**
 * A problem document (RFC 9457), or one of our own codes: `offline` (nothing was sent), `no_answer` (sent, outcome
 * unknown), `cancelled` (the member broke off a challenge), `failed` (an answer that is no problem document).
 * @typedef {object} Problem
 * @property {string} code
 * @property {number} [status]
 * @property {FieldError[]} [errors]
 * @property {string} [request_id] what to quote to the operator, when the server is at fault
 * @property {string} [until]
 * @property {import('../key/model.js').Key} [key]
 *
 * @typedef {{pointer: string, code: string, [parameter: string]: any}} FieldError
 * @typedef {{ok: true, data: any} | {ok: false, problem: Problem}} Answer
 * @typedef {object} Options
 * @property {object} [body]
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {'json' | 'blob'} [as] what the answer is read as; a file may take its time
 * @typedef {(method: string, path: string, options?: Options) => Promise<Answer>} Request
 */

/** Longer than any answer takes; a request without one by then counts as unanswered. */
const ANSWER_WITHIN_MS = 20_000;
const FILE_WITHIN_MS = 600_000;

/** @param {Problem} problem @returns {Answer} */
const refused = (problem) => ({ ok: false, problem });

/** Sends one request and reads one answer. @type {Request} */
export async function send(method, path, { body, headers = {}, signal, as = "json" } = {}) {
  if (!navigator.onLine) return refused({ code: "offline" });
  const late = AbortSignal.timeout(as === "blob" ? FILE_WITHIN_MS : ANSWER_WITHIN_MS);
  try {
    const response = await fetch(path, {
      method,
      headers: body ? { "Content-Type": "application/json", ...headers } : headers,
      body: body && JSON.stringify(body),
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    if (response.ok) return { ok: true, data: response.status === 204 ? null : await response[as]() };
    return refused(await problemOf(response));
  } catch {
    return refused({ code: signal?.aborted ? "cancelled" : "no_answer" });
  }
}

/** @param {Response} response @returns {Promise<Problem>} */
async function problemOf(response) {
  const { status, headers } = response;
  const told = headers.get("Content-Type")?.startsWith("application/problem+json") ? await response.json() : {};
  // The platform numbers every request; the number helps only where the server is at fault.
  const request_id = status >= 500 ? (headers.get("cf-ray") ?? undefined) : undefined;
  return { code: "failed", ...told, status, request_id };
}

/** What the server may ask of the member before it does what was requested. */
const CHALLENGES = ["not_signed_in", "step_up_required"];

/**
 * Wraps {@link send}: when the server wants the member to sign in or to prove who they are, `challenge` asks them, and
 * the same request goes out again, with the same headers and body.
 * @param {(code: string) => Promise<boolean>} challenge resolves to whether the member met it
 * @returns {Request}
 */
export function withChallenges(challenge) {
  return async (method, path, options) => {
    for (;;) {
      const answer = await send(method, path, options);
      if (answer.ok || !CHALLENGES.includes(answer.problem.code)) return answer;
      if (!(await challenge(answer.problem.code))) return refused({ code: "cancelled" });
    }
  };
}
