// Draws a notice where an action failed. It takes the focus, so that screen readers read it.
import { useEffect } from "preact/hooks";
import { useFocusFallback } from "./focus.jsx";

/**
 * @param {object} props
 * @param {unknown} props.about a new value takes the focus again
 * @param {boolean} [props.bad] `true` marks it as a problem
 * @param {boolean} [props.still] `true` takes no focus, for parts that a page loads by itself
 * @param {import('preact').ComponentChildren} props.children
 */
export function Notice({ about, bad = true, still = false, children }) {
  const box = /** @type {import('preact').RefObject<HTMLDivElement | null>} */ (useFocusFallback());
  useEffect(() => {
    if (!still) box.current?.focus();
  }, [about, still]);
  return (
    <div class={bad ? "notice bad" : "notice"} ref={box} tabIndex={-1}>
      {children}
    </div>
  );
}
