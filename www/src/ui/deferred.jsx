// Loads the parts that only one page needs, with that page.
import { useEffect, useState } from "preact/hooks";
import { Loading } from "./loading.jsx";
import { RetryNotice } from "./problem.jsx";

/**
 * Makes a component that loads its implementation on first use.
 * @template {object} Props
 * @param {() => Promise<import('preact').ComponentType<Props>>} load
 * @param {string} waiting key of the message for a long wait
 */
export function deferred(load, waiting) {
  /** @type {import('preact').ComponentType<Props> | null} */
  let Part = null;
  /** @param {Props} props */
  return function Deferred(props) {
    const [, redraw] = useState(0);
    const [problem, setProblem] = useState(/** @type {import('../client/api.js').Problem | null} */ (null));
    const fetchPart = async () => {
      setProblem(null);
      try {
        Part = await load();
        redraw((turn) => turn + 1);
      } catch {
        setProblem({ code: navigator.onLine ? "unavailable" : "offline" });
      }
    };
    useEffect(() => {
      if (!Part) fetchPart();
    }, []);
    if (Part) return <Part {...props} />;
    if (!problem) return <Loading message={waiting} />;
    return <RetryNotice problem={problem} onRetry={fetchPart} />;
  };
}
