// Puts problems into words.
import { useLocale } from "../i18n/locale.jsx";
import { WarningIcon } from "./icons.jsx";
import { Notice } from "./notice.jsx";

/**
 * Returns the sentences of a problem.
 * @param {import('../i18n/locale.jsx').Locale} locale
 * @param {import('../client/api.js').Problem} problem
 */
export function problemText({ say, has, gap, format }, problem, code = problem.code) {
  const quote = problem.request_id ? say("problem.quote", { id: problem.request_id }) : "";
  if (code === "too_many_attempts") {
    return problem.until
      ? say("problem.too_many_attempts", { time: format.clock(problem.until), zone: format.zone })
      : say("problem.too_many_attempts.soon");
  }
  if (code === "setup_busy" && problem.until)
    return say("problem.setup_busy", { time: format.clock(problem.until), zone: format.zone });
  if (code === "too_many_invitation_mails" && problem.until)
    return say("problem.too_many_invitation_mails", { at: format.dateTime(problem.until), zone: format.zone });
  const key = `problem.${code}`;
  return [has(key) ? say(key, { max: problem.max ?? "" }) : say("problem.failed"), quote].filter(Boolean).join(gap);
}

/**
 * Draws a problem where the action was. A challenge that the member closed needs no text.
 * @param {object} props
 * @param {import('../client/api.js').Problem | null} [props.problem]
 * @param {string} [props.as] code whose message to show instead
 * @param {string} [props.text] text to show instead
 * @param {boolean} [props.still] `true` takes no focus, see `Notice`
 * @param {import('preact').ComponentChildren} [props.children]
 */
export function ProblemNotice({ problem, as, text, still, children }) {
  const locale = useLocale();
  if (!problem || problem.code === "cancelled") return null;
  return (
    <Notice about={problem} still={still}>
      <p>
        <WarningIcon /> {text ?? problemText(locale, problem, as)}
      </p>
      {children}
    </Notice>
  );
}

/**
 * Draws a problem with a button that tries again.
 * @param {object} props
 * @param {import('../client/api.js').Problem | null} [props.problem]
 * @param {string} [props.as] code whose message to show instead
 * @param {boolean} [props.still] `true` takes no focus, see `Notice`
 * @param {() => void} props.onRetry
 */
export function RetryNotice({ onRetry, ...notice }) {
  const { say } = useLocale();
  return (
    <ProblemNotice {...notice}>
      <button type="button" onClick={onRetry}>
        {say("retry")}
      </button>
    </ProblemNotice>
  );
}

/**
 * Returns `true` if the page may show what is no longer so.
 * @param {import('../client/api.js').Problem | null} problem
 */
export const isUncertain = (problem) =>
  problem !== null && ["no_answer", "already_issued", "already_created", "not_found"].includes(problem.code);

/**
 * Returns the server's refusal of one field, as the summary and the field show it.
 * @param {import('../i18n/locale.jsx').Locale} locale
 * @param {import('../client/api.js').FieldError} error
 * @returns {import('./fields.jsx').FieldMistake} its `id` is `networks` for `#/networks`, and
 *   `issuable-networks` for `#/issuable/networks`
 */
export function fieldError(locale, { pointer, code, ...parameters }) {
  const { say, has } = locale;
  const path = pointer.slice(2).split("/");
  const [id, field] = [path.join("-"), path.at(-1)];
  if ("line" in parameters) {
    const text = lineText(locale, /** @type {LineNote} */ ({ code, ...parameters }));
    // The key's own networks may have the same lines.
    return { id, text: path.length > 1 ? say("error.in-limits", { text }) : text };
  }
  const key = [
    `error.${id}.${code}`,
    `error.${field}.${code}`,
    `error.${code}`,
    `error.${field}.other`,
    "error.other",
  ].find(has);
  return { id, text: say(key ?? "error.other", parameters) };
}

/**
 * @typedef {{line: number, entry: string, code: string, [parameter: string]: string | number}}
 *   LineNote
 */

/**
 * Returns the mistake in one line of the networks.
 * @param {import('../i18n/locale.jsx').Locale} locale
 * @param {LineNote} note
 */
export function lineText({ say, has }, { line, entry, code, ...parameters }) {
  const key = has(`line.${code}`) ? `line.${code}` : "line.not_an_address";
  const family = parameters.max === 32 ? "IPv4" : "IPv6";
  return say("line", { line, entry, fault: say(key, { family, ...parameters }) });
}
