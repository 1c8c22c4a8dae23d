// Something to read where an act failed. It takes the focus, so that it is read; unless nobody acted.
import { useEffect } from "preact/hooks";
import { useFocusFallback } from "./focus.jsx";

/**
 * @param {object} props
 * @param {any} props.about a new one takes the focus again
 * @param {boolean} [props.bad]
 * @param {boolean} [props.still] takes no focus: for what a page loads by itself, beside what it is about
 * @param {any} props.children
 */
export function Notice({ about, bad = true, still = false, children }) {
  const box = useFocusFallback();
  useEffect(() => {
    if (!still) box.current.focus();
  }, [about, still]);
  return (
    <div class={bad ? "notice bad" : "notice"} ref={box} tabIndex={-1}>
      {children}
    </div>
  );
}
