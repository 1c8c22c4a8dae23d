// Sends every request to the server. Problems are values: nothing here throws for what a server or
// a network may do.

/**
 * A problem document (RFC 9457), or one of the console's own codes: `offline` (nothing was sent),
 * `no_answer` (sent, result unknown), `cancelled` (the member closed a challenge), `failed` (the
 * response is no problem document), `access_sign_in` and `access_too_old` (Cloudflare Access wants
 * a sign-in).
 * @typedef {object} Problem
 * @property {string} code
 * @property {number} [status]
 * @property {FieldError[]} [errors]
 * @property {string} [request_id] the number to quote to the operator, if the server is at fault
 * @property {string} [until]
 * @property {number} [max]
 * @property {number} [tries_left]
 * @property {string} [reason]
 * @property {string[]} [methods] ways of confirming one's identity that suffice
 * @property {string} [by] the member who changed the key meanwhile
 * @property {string} [at] the time of that change
 * @property {{id: string, name: string}} [key]
 * @property {(string | {id: string})[]} [keys]
 *
 * @typedef {{pointer: string, code: string, [parameter: string]: string | number}} FieldError
 *
 * @typedef {object} Options
 * @property {object} [body]
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {'json' | 'blob'} [as] how to read the response; a file may take longer to arrive
 * @typedef {<Data>(method: string, path: string, options?: Options) => Promise<Answer<Data>>}
 *   Request
 */

/**
 * @template [Data=unknown]
 * @typedef {{ok: true, data: Data, problem?: undefined}
 *   | {ok: false, data?: undefined, problem: Problem}} Answer
 */

/** Longer than any response takes; a request without one by then counts as unanswered. */
const TIMEOUT_MS = 20_000;
const FILE_TIMEOUT_MS = 600_000;

/** Makes Cloudflare Access, where it is in front, answer 401 and not lead to its own page. */
const BY_SCRIPT = { "X-Requested-With": "XMLHttpRequest" };

/** Statuses of responses without a body. */
const EMPTY = [202, 204];

/** Requests whose response replaces the session cookie: the one before is refused from then on. */
const RENEWING = [
  "POST /v1/setup",
  "POST /v1/invitations/accept",
  "POST /v1/session",
  "POST /v1/session/step-up",
  "POST /v1/session/switch",
  "POST /v1/session/factor",
  "POST /v1/session/passkey",
  "POST /v1/member/password",
  "POST /v1/member/address/confirm",
];

/** Number of times that the cookie was replaced. */
let renewals = 0;
/** ID of the member whom the latest session document names: another account has another member. */
let member = "";
/** The latest request that replaces it; resolves once its response is here. @type {Promise<unknown>} */
let renewing = Promise.resolve();

/** Takes note of the session that a response has begun. @param {Answer<any>} answer */
function learn({ ok, data }) {
  // A second factor is still to come: no session has begun.
  if (!ok || data?.challenge) return;
  renewals += 1;
  member = data?.member?.id ?? member;
}

/** @param {Problem} problem @returns {{ok: false, problem: Problem}} */
const failure = (problem) => ({ ok: false, problem });

/**
 * Sends one request and reads one response. If the cookie was replaced while the request was in
 * flight, the server may have refused the one before. The request then goes out once more, with the
 * new one: the server has carried out nothing of a request without a session. It never goes out in
 * another account than the one that it was made in.
 * @type {Request}
 */
export async function send(method, path, options) {
  const [before, sender] = [renewals, member];
  /** @type {Promise<Answer<any>>} */
  const exchanged = exchange(method, path, options);
  if (RENEWING.includes(`${method} ${path}`)) renewing = exchanged.then(learn);
  const answer = await exchanged;
  if (answer.ok && path === "/v1/session") member = answer.data?.member?.id ?? member;
  if (answer.problem?.code !== "not_signed_in") return answer;
  await renewing;
  return renewals === before || member !== sender ? answer : exchange(method, path, options);
}

/** @type {Request} */
async function exchange(method, path, { body, headers = {}, signal, as = "json" } = {}) {
  if (!navigator.onLine) return failure({ code: "offline" });
  const timeout = AbortSignal.timeout(as === "blob" ? FILE_TIMEOUT_MS : TIMEOUT_MS);
  try {
    const response = await fetch(path, {
      method,
      headers: { ...(body && { "Content-Type": "application/json" }), ...BY_SCRIPT, ...headers },
      body: body && JSON.stringify(body),
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    if (response.ok) return { ok: true, data: EMPTY.includes(response.status) ? null : await response[as]() };
    return failure(await problemOf(path, response));
  } catch {
    return failure({ code: signal?.aborted ? "cancelled" : "no_answer" });
  }
}

/** @param {string} path @param {Response} response @returns {Promise<Problem>} */
async function problemOf(path, response) {
  const { status, headers } = response;
  const isProblem = headers.get("Content-Type")?.startsWith("application/problem+json");
  // The platform numbers every request; the number helps only where the server is at fault.
  const request_id = status >= 500 ? (headers.get("cf-ray") ?? undefined) : undefined;
  /** @type {Problem} */
  const problem = { code: "failed", ...(isProblem && (await response.json())), status, request_id };
  // Only a person can meet these two, outside of this page.
  if (problem.methods?.includes("access")) return { ...problem, code: "access_too_old" };
  const isByAccess = status === 401 && !isProblem && path.startsWith("/v1/operator/");
  return isByAccess ? { ...problem, code: "access_sign_in" } : problem;
}

/** Codes that ask the member for something before the server carries out the request. */
const CHALLENGES = ["not_signed_in", "step_up_required"];

/**
 * Wraps {@link send}. If the server asks the member to sign in or to confirm their identity,
 * `challenge` asks them. The same request then goes out again, with the same headers and body.
 * @param {(problem: Problem) => Promise<boolean>} challenge resolves to `true` if the member met it
 * @returns {Request}
 */
export function withChallenges(challenge) {
  /**
   * @template Data
   * @param {string} method
   * @param {string} path
   * @param {Options} [options]
   * @returns {Promise<Answer<Data>>}
   */
  const request = async (method, path, options) => {
    for (;;) {
      /** @type {Answer<Data>} */
      const answer = await send(method, path, options);
      if (answer.ok || !CHALLENGES.includes(answer.problem.code)) return answer;
      if (!(await challenge(answer.problem))) return failure({ code: "cancelled" });
    }
  };
  return request;
}
