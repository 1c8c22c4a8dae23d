// Waiting, told only when it lasts.
import { useEffect, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "./announcer.jsx";

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
