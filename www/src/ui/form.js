// Runs forms: holds what was typed and what is wrong with it, and sends one request at a time.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { fieldError, isUncertain } from "./problem.jsx";

/**
 * @typedef {import('../client/api.js').FieldError} FieldError
 * @typedef {import('../client/api.js').Problem} Problem
 */

/**
 * @template {object} Values
 * @param {Values | (() => Values)} initial
 */
export function useForm(initial) {
  const locale = useLocale();
  const [values, setValues] = useState(initial);
  const [first] = useState(values);
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [mistakes, setMistakes] = useState({
    errors: /** @type {import('./fields.jsx').FieldMistake[]} */ ([]),
    turn: 0,
  });
  const [busy, setBusy] = useState(false);
  // A second click may come before `busy` is drawn.
  const sending = useRef(false);

  const change = useCallback(
    /** @param {Partial<Values>} members */
    (members) => setValues((before) => ({ ...before, ...members })),
    [],
  );
  /** @param {FieldError[]} errors */
  const show = (errors) =>
    setMistakes(({ turn }) => ({
      errors: errors.map((error) => fieldError(locale, error)).sort(byPlace),
      turn: turn + 1,
    }));

  /**
   * Sends, unless a field is missing or a request is under way. Refused fields become `mistakes`,
   * any other refusal `problem`.
   * @template Data
   * @param {FieldError[]} missing fields that the page finds missing by itself
   * @param {() => Promise<import('../client/api.js').Answer<Data>>} send
   * @param {() => Promise<FieldError[]>} [check] finds the mistakes of the other fields if one is
   *   missing, so that all of them show at once
   * @returns {Promise<import('../client/api.js').Answer<Data> | null>} `null` if nothing was sent
   */
  const submit = async (missing, send, check) => {
    if (sending.current) return null;
    setProblem(null);
    if (missing.length) {
      sending.current = true;
      const others = (await check?.()) ?? [];
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

  /**
   * Returns the attributes that tie a text input to a value.
   * @param {string & keyof Values} id
   */
  const field = (id) => ({
    value: String(values[id]),
    /** @param {import('preact').TargetedEvent<HTMLInputElement>} event */
    onInput: (event) => change(/** @type {Partial<Values>} */ ({ [id]: event.currentTarget.value })),
  });
  // While a request is under way, nothing is left.
  const dirty = !busy && JSON.stringify(values) !== JSON.stringify(first);
  return { values, change, field, dirty, problem, setProblem, mistakes, show, busy, submit, leave };
}

/**
 * Sorts mistakes by the order of their fields.
 * @param {{id: string}} one
 * @param {{id: string}} other
 */
function byPlace(one, other) {
  const [a, b] = [one, other].map(({ id }) => document.getElementById(id));
  if (!a || !b || a === b) return 0;
  return a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1;
}

/**
 * Focuses the field itself when a submit has found mistakes, for forms of one field without
 * summary.
 * @param {{errors: {id: string}[], turn: number}} mistakes
 */
export function useMistakeFocus({ errors, turn }) {
  useEffect(() => {
    if (errors.length) document.getElementById(errors[0].id)?.focus();
  }, [turn]);
}

/**
 * Returns a refusal for each value that is empty.
 * @param {Record<string, string>} values
 * @param {string[]} ids
 */
export const missingFields = (values, ids) =>
  ids.filter((id) => values[id]?.trim() === "").map((id) => ({ pointer: `#/${id}`, code: "required" }));
