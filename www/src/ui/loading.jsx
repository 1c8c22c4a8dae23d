// Shows that something is loading, once the wait has lasted a second.
import { useEffect, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "./announcer.jsx";

/**
 * Draws nothing for a second, then the message, which is announced once.
 * @param {{message: string}} props `message` is a key
 */
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
  return late ? <p class="waiting">{say(message)}</p> : null;
}
