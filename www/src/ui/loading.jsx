// Waiting, told only when it lasts.
import { useEffect, useState } from "preact/hooks";
import { useAnnounce } from "./announcer.jsx";
import { useLocale } from "../i18n/locale.jsx";

/** Nothing for a second, then what is being waited for, said once. @param {{message: string}} props a message's key */
export function Loading({ message }) {
  const { say } = useLocale();
  const announce = useAnnounce();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => {
      setLate(true);
      announce(say(message));
    }, 1000);
    return () => clearTimeout(timer);
  }, []);
  return late && <p class="waiting">{say(message)}</p>;
}

/** Draws again every `period_ms`, for sentences that depend on the time. */
export function useTick(period_ms) {
  const [, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTurn((turn) => turn + 1), period_ms);
    return () => clearInterval(timer);
  }, [period_ms]);
}

/** Whether the browser believes that it has a network. */
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

/** Whether a media query holds. @param {string} query */
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
