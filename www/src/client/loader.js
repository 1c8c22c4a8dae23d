// What a page loads from the server when it is reached.
import { useCallback, useEffect, useState } from "preact/hooks";

/**
 * Loads when the component appears, and again whenever `inputs` change or `reload` is called. What
 * was loaded before stays until an answer replaces it; a failed load leaves it and sets `problem`.
 * @param {(signal: AbortSignal) => Promise<import('./api.js').Answer>} load
 * @param {any[]} inputs of `load`
 */
export function useLoader(load, inputs) {
  const [data, setData] = useState(null);
  const [problem, setProblem] = useState(/** @type {import('./api.js').Problem | null} */ (null));
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const control = new AbortController();
    load(control.signal).then((answer) => {
      if (control.signal.aborted) return;
      if (answer.ok) setData(answer.data);
      setProblem(answer.ok ? null : answer.problem);
    });
    return () => control.abort();
  }, [...inputs, turn]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { data, setData, problem, reload };
}
