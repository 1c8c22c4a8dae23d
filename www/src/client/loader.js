// Loads what a page needs from the server.
import { useCallback, useEffect, useState } from "preact/hooks";

/**
 * Loads when the component appears, and again whenever `inputs` change or the caller calls
 * `reload`. Loaded data stays until new data replaces it; a failed load keeps it and sets
 * `problem`.
 * @template Data
 * @param {(signal: AbortSignal) => Promise<import('./api.js').Answer<Data>>} load
 * @param {unknown[]} inputs all that `load` depends on
 */
export function useLoader(load, inputs) {
  const [data, setData] = useState(/** @type {Data | null} */ (null));
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
