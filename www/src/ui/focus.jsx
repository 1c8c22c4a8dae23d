// What goes while it has the focus hands it on: to the heading of the part of the page that it stood in.
import { useLayoutEffect, useRef } from "preact/hooks";

/** @param {Element} element */
export function focusHeadingOf(element) {
  const heading = element.closest("section, dialog, main")?.querySelector("h1, h2");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/** For the element of a component whose focus moves on. */
export function useFocusFallback() {
  const reference = useRef(null);
  useLayoutEffect(() => {
    const element = reference.current;
    return () => {
      if (element.contains(document.activeElement)) focusHeadingOf(element);
    };
  }, []);
  return reference;
}

/** A block whose focus moves on. Any attributes go to it. */
export function FocusFallback({ children, ...attributes }) {
  return (
    <div ref={useFocusFallback()} {...attributes}>
      {children}
    </div>
  );
}
