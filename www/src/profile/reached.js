// Leads to a part of the profile that has an address.
import { useEffect } from "preact/hooks";

/**
 * Focuses the heading of a part and scrolls to it, if the address bar names it.
 * @param {string} id
 * @param {boolean} reached
 */
export function useReached(id, reached) {
  useEffect(() => {
    if (!reached) return;
    const heading = document.getElementById(id);
    heading?.scrollIntoView();
    heading?.focus({ preventScroll: true });
  }, [reached]);
}
