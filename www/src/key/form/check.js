// Asks the server for live notes, half a second after typing stops.
import { useEffect, useState } from "preact/hooks";
import { send } from "../../client/api.js";

const QUIET_MS = 500;

/**
 * Checks a body with `POST /v1/keys/check`; `null` checks nothing. Without a response there are no
 * notes, and nothing is lost: the server checks again when the form is sent.
 * @param {object | null} body
 * @returns {import('../model.js').Checked} the response to this very body; empty while there is
 *   none
 */
export function useCheck(body) {
  const [notes, setNotes] = useState({ asked: "", answer: /** @type {import('../model.js').Checked} */ ({}) });
  const asked = JSON.stringify(body);

  useEffect(() => {
    if (!body) return undefined;
    const control = new AbortController();
    const timer = setTimeout(async () => {
      /** @type {import('../../client/api.js').Answer<import('../model.js').Checked>} */
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
