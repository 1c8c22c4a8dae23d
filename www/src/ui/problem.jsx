// Problems that no field can mend, in words.
import { useLocale } from "../i18n/locale.jsx";
import { WarningIcon } from "./icons.jsx";
import { Notice } from "./notice.jsx";

/** @param {ReturnType<typeof useLocale>} locale @param {import('../client/api.js').Problem} problem */
export function problemText({ say, has, gap, format }, problem, code = problem.code) {
  const quote = problem.request_id ? say("problem.quote", { id: problem.request_id }) : "";
  if (code === "too_many_attempts") {
    return problem.until
      ? say("problem.too_many_attempts", { time: format.clock(problem.until), zone: format.zone })
      : say("problem.too_many_attempts.soon");
  }
  const key = `problem.${code}`;
  return [has(key) ? say(key, { max: problem.max ?? "" }) : say("problem.failed"), quote].filter(Boolean).join(gap);
}

/**
 * A problem that stands where the act was. What the member broke off themselves needs no words.
 * @param {object} props
 * @param {import('../client/api.js').Problem | null} [props.problem]
 * @param {string} [props.as] words it by another code
 * @param {any} [props.text] words it here
 * @param {boolean} [props.still] takes no focus, see `Notice`
 * @param {any} [props.children]
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
 * A problem with a button that tries again.
 * @param {object} props
 * @param {import('../client/api.js').Problem | null} [props.problem]
 * @param {string} [props.as] words it by another code
 * @param {boolean} [props.still] takes no focus, see `Notice`
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

/** Whether what the page shows may no longer be so. @param {import('../client/api.js').Problem | null} problem */
export const isUncertain = (problem) => ["no_answer", "already_issued", "not_found"].includes(problem?.code);

/**
 * A server's refusal of one field, as the summary and the field show it.
 * @param {ReturnType<typeof useLocale>} locale @param {import('../client/api.js').FieldError} error
 * @returns {{id: string, text: string}} `id` is the element's: `networks`, or `issuable-networks` for `#/issuable/networks`
 */
export function fieldError(locale, { pointer, code, ...parameters }) {
  const { say, has } = locale;
  const path = pointer.slice(2).split("/");
  const [id, field] = [path.join("-"), path.at(-1)];
  if ("line" in parameters) {
    const text = lineText(locale, { code, ...parameters });
    // The key's own networks have the same lines.
    return { id, text: path.length > 1 ? say("error.in-limits", { text }) : text };
  }
  const key = [
    `error.${id}.${code}`,
    `error.${field}.${code}`,
    `error.${code}`,
    `error.${field}.other`,
    "error.other",
  ].find(has);
  return { id, text: say(key, parameters) };
}

/**
 * What is wrong with one line of the networks.
 * @param {ReturnType<typeof useLocale>} locale @param {{line: number, entry: string, code: string, max?: number}} note
 */
export function lineText({ say, has }, { line, entry, code, ...parameters }) {
  const key = has(`line.${code}`) ? `line.${code}` : "line.not_an_address";
  const family = parameters.max === 32 ? "IPv4" : "IPv6";
  return say("line", { line, entry, fault: say(key, { family, ...parameters }) });
}
