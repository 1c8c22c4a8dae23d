// Keeps the focus on the page. When the element that has it goes away, the focus moves to the
// heading of the section around that element.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Moves the focus to the heading of the section around an element. @param {Element} element */
export function focusHeadingOf(element) {
  const heading = element.closest("section, dialog, main")?.querySelector("h1, h2");
  if (!(heading instanceof HTMLElement)) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/**
 * Returns a reference for an element that may go away while it has the focus.
 * @template {HTMLElement} Target
 */
export function useFocusFallback() {
  const reference = useRef(/** @type {Target | null} */ (null));
  useLayoutEffect(() => {
    const element = reference.current;
    return () => {
      if (element?.contains(document.activeElement)) focusHeadingOf(element);
    };
  }, []);
  return reference;
}

/**
 * Draws a block that may go away while it has the focus. Further attributes go to the block.
 * @param {import('preact').HTMLAttributes<HTMLDivElement>} props
 */
export function FocusFallback({ children, ...attributes }) {
  return (
    <div {...attributes} ref={useFocusFallback()}>
      {children}
    </div>
  );
}

/** Returns a function that focuses an element once it is drawn. @returns {(id: string) => void} */
export function useFocusLater() {
  const [target, setTarget] = useState(/** @type {{id: string} | null} */ (null));
  useEffect(() => {
    if (target) document.getElementById(target.id)?.focus();
  }, [target]);
  return useCallback((id) => setTarget({ id }), []);
}
