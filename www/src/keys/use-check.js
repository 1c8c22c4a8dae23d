// Live notes from the server, half a second after typing stops.
import { useEffect, useState } from "preact/hooks";
import { useConsole } from "../console.jsx";
import { useLocale } from "../locale.jsx";
import { send } from "../api.js";
import { expiresText } from "./draft.js";

const QUIET_MS = 500;

/**
 * @param {import('./draft.js').Draft} draft
 * @returns {object} the last answer of `POST /v1/keys/check`; empty while there is none. Without an answer there are no
 *   notes, and nothing is lost: the server checks again when the form is sent.
 */
export function useCheck({ networks, ...draft }) {
  const { session } = useConsole();
  const { format } = useLocale();
  const [notes, setNotes] = useState({});
  const expires = expiresText(draft, format.zone);

  useEffect(() => {
    const control = new AbortController();
    const timer = setTimeout(async () => {
      const answer = await send("POST", "/v1/keys/check", { body: { expires, networks }, signal: control.signal });
      if (answer.ok) setNotes({ ...answer.data, asked: { expires, networks } });
    }, QUIET_MS);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [expires, networks, session.account.id]);

  return {
    expires: notes.asked?.expires === expires ? notes.expires : undefined,
    networks: notes.asked?.networks === networks ? notes.networks : undefined,
    includesCaller: notes.asked?.networks === networks ? notes.includes_caller : undefined,
    errors: (notes.errors ?? []).filter(({ pointer }) => pointer !== "#/expires" || notes.asked.expires === expires),
  };
}
