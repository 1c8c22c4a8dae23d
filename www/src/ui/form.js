// What every form and question shares: what was typed, what is wrong with it, and one request at a time.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { fieldError, isUncertain } from "./problem.jsx";

/**
 * @template {object} Values
 * @param {Values | (() => Values)} initial
 */
export function useForm(initial) {
  const locale = useLocale();
  const [values, setValues] = useState(initial);
  const [problem, setProblem] = useState(/** @type {import('../client/api.js').Problem | null} */ (null));
  const [mistakes, setMistakes] = useState({ errors: [], turn: 0 });
  const [busy, setBusy] = useState(false);
  /** `busy` is drawn later than a second click comes. */
  const sending = useRef(false);

  const change = useCallback((members) => setValues((before) => ({ ...before, ...members })), []);
  const show = (errors) =>
    setMistakes(({ turn }) => ({
      errors: errors.map((error) => fieldError(locale, error)).sort(byPlace),
      turn: turn + 1,
    }));

  /**
   * Sends once, unless something is missing or on its way. A refusal of fields becomes `mistakes`, any other `problem`.
   * @param {import('../client/api.js').FieldError[]} missing what the page can see by itself
   * @param {() => Promise<import('../client/api.js').Answer>} send
   * @param {() => Promise<import('../client/api.js').FieldError[]>} [look] asks what is wrong with the rest when something is missing,
   *   so that every mistake is told at once
   * @returns {Promise<import('../client/api.js').Answer | null>} null when nothing was sent
   */
  const submit = async (missing, send, look) => {
    if (sending.current) return null;
    setProblem(null);
    if (missing.length) {
      sending.current = true;
      const others = (await look?.()) ?? [];
      sending.current = false;
      show([...missing, ...others.filter(({ pointer }) => missing.every((error) => error.pointer !== pointer))]);
      return null;
    }
    show([]);
    sending.current = true;
    setBusy(true);
    const answer = await send();
    sending.current = false;
    setBusy(false);
    if (answer.problem?.errors?.length) show(answer.problem.errors);
    else if (!answer.ok) setProblem(answer.problem);
    return answer;
  };

  /**
   * Leaves the form, unless a request is under way.
   * @param {() => void} onCancel
   * @param {() => void} [onStale] called first if the page may show what is no longer so
   */
  const leave = (onCancel, onStale) => {
    if (busy) return;
    if (isUncertain(problem)) onStale?.();
    onCancel();
  };

  const field = (id) => ({
    value: values[id],
    onInput: (event) => change({ [id]: event.currentTarget.value }),
  });
  return { values, change, field, problem, setProblem, mistakes, show, busy, submit, leave };
}

/** The order of the form, whoever found the mistake. @param {{id: string}} one @param {{id: string}} other */
function byPlace(one, other) {
  const [a, b] = [one, other].map(({ id }) => document.getElementById(id));
  if (!a || !b || a === b) return 0;
  return a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1;
}

/** Without a summary, as in a form of one field, the field itself takes the focus. @param {{errors: {id: string}[], turn: number}} mistakes */
export function useMistakeFocus({ errors, turn }) {
  useEffect(() => {
    if (errors.length) document.getElementById(errors[0].id)?.focus();
  }, [turn]);
}

/** The members that are empty, as refusals. @param {Record<string, string>} values @param {string[]} ids */
export const missingFields = (values, ids) =>
  ids.filter((id) => values[id]?.trim() === "").map((id) => ({ pointer: `#/${id}`, code: "required" }));
