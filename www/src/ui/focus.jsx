// What may go while it has the focus hands it on: to the heading of the part of the page that it stood in.
import { useLayoutEffect, useRef } from "preact/hooks";

/** @param {Element} element */
export function focusHeadingOf(element) {
  const heading = element.closest("section, dialog, main")?.querySelector("h1, h2");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/** For the element of a component that passes. */
export function usePassing() {
  const passing = useRef(null);
  useLayoutEffect(() => {
    const element = passing.current;
    return () => {
      if (element.contains(document.activeElement)) focusHeadingOf(element);
    };
  }, []);
  return passing;
}

/** A block that passes. Any attributes go to it. */
export function Passing({ children, ...attributes }) {
  return (
    <div ref={usePassing()} {...attributes}>
      {children}
    </div>
  );
}
