// Parts that one page alone needs come with that page.
import { useEffect, useState } from "preact/hooks";
import { Loading } from "./loading.jsx";
import { RetryNotice } from "./problem.jsx";

/**
 * @param {() => Promise<any>} load resolves to the component
 * @param {string} waiting the message's key for a wait that lasts
 */
export function deferred(load, waiting) {
  let Part = null;
  return function Deferred(props) {
    const [, redraw] = useState(0);
    const [problem, setProblem] = useState(null);
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
