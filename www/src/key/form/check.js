// Live notes from the server, half a second after typing stops.
import { useEffect, useState } from "preact/hooks";
import { send } from "../../client/api.js";

const QUIET_MS = 500;

/**
 * @param {object | null} body what `POST /v1/keys/check` should look at; null: nothing
 * @returns {object} its answer to this very body; empty while there is none. Without an answer there are no notes, and
 *   nothing is lost: the server checks again when the form is sent.
 */
export function useCheck(body) {
  const [notes, setNotes] = useState({ asked: "", answer: {} });
  const asked = JSON.stringify(body);

  useEffect(() => {
    if (!body) return undefined;
    const control = new AbortController();
    const timer = setTimeout(async () => {
      const answer = await send("POST", "/v1/keys/check", { body, signal: control.signal });
      if (answer.ok) setNotes({ asked, answer: answer.data });
    }, QUIET_MS);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [asked]);

  return notes.asked === asked ? notes.answer : {};
}
