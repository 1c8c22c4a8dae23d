// Follows the time, the network and the window.
import { useEffect, useState } from "preact/hooks";

/** Period of redraws: short enough for "3 minutes ago". */
const TICK_MS = 30_000;

/** Redraws from time to time, for sentences that depend on the time. */
export function useTick() {
  const [, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTurn((turn) => turn + 1), TICK_MS);
    return () => clearInterval(timer);
  }, []);
}

/** Returns `true` while the browser believes that it has a network. */
export function useOnline() {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const follow = () => setOnline(navigator.onLine);
    addEventListener("online", follow);
    addEventListener("offline", follow);
    return () => {
      removeEventListener("online", follow);
      removeEventListener("offline", follow);
    };
  }, []);
  return online;
}

/** Returns `true` while a media query holds. @param {string} query */
export function useMedia(query) {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const follow = () => setHolds(media.matches);
    follow();
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, [query]);
  return holds;
}

/** Returns `true` while a table has room; without it, each row of a list is a card. */
export const useRoomForTable = () => useMedia("(min-width: 48rem)");

/** Lets the browser save a file. @param {Blob} blob @param {string} name */
export function saveFile(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads the address when it starts to write the file.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
