// What every form and question shares: what was typed, what is wrong with it, and one request at a time.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useLocale } from "./locale.jsx";
import { fieldError } from "./problem.jsx";

/**
 * @template {object} Values
 * @param {Values | (() => Values)} initial
 */
export function useForm(initial) {
  const locale = useLocale();
  const [values, setValues] = useState(initial);
  const [problem, setProblem] = useState(/** @type {import('./api.js').Problem | null} */ (null));
  const [mistakes, setMistakes] = useState({ errors: [], turn: 0 });
  const [busy, setBusy] = useState(false);
  /** `busy` is drawn later than a second click comes. */
  const sending = useRef(false);

  const change = useCallback((members) => setValues((before) => ({ ...before, ...members })), []);
  const show = (errors) =>
    setMistakes(({ turn }) => ({ errors: errors.map((error) => fieldError(locale, error)), turn: turn + 1 }));

  /**
   * Sends once, unless something is missing or on its way. A refusal of fields becomes `mistakes`, any other `problem`.
   * @param {import('./api.js').FieldError[]} missing what the page can see by itself
   * @param {() => Promise<import('./api.js').Answer>} send
   * @returns {Promise<import('./api.js').Answer | null>} null when nothing was sent
   */
  const submit = async (missing, send) => {
    if (sending.current) return null;
    setProblem(null);
    show(missing);
    if (missing.length) return null;
    sending.current = true;
    setBusy(true);
    const answer = await send();
    sending.current = false;
    setBusy(false);
    if (answer.problem?.errors?.length) show(answer.problem.errors);
    else if (!answer.ok) setProblem(answer.problem);
    return answer;
  };

  const field = (id) => ({
    value: values[id],
    onInput: (event) => change({ [id]: event.currentTarget.value }),
  });
  return { values, change, field, problem, setProblem, mistakes, show, busy, submit };
}

/** Without a summary, as in a form of one field, the field itself takes the focus. @param {{errors: {id: string}[], turn: number}} mistakes */
export function useMistakeFocus({ errors, turn }) {
  useEffect(() => {
    if (errors.length) document.getElementById(errors[0].id)?.focus();
  }, [turn]);
}

/** The members that are empty, as refusals. @param {Record<string, string>} values @param {string[]} ids */
export const emptyOf = (values, ids) =>
  ids.filter((id) => values[id]?.trim() === "").map((id) => ({ pointer: `#/${id}`, code: "required" }));
