// Signs in by a passkey alone: with a button, and from the list that the browser opens at the field
// for the address.
import { useEffect, useRef } from "preact/hooks";
import { send } from "../client/api.js";
import { knowsPasskeys, takePasskey } from "../client/passkey.js";
import { useLocale } from "../i18n/locale.jsx";
import { useForm } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";

/**
 * @typedef {import('../client/session.jsx').Session} Session
 * @typedef {import('../client/passkey.js').PasskeyPrompt} PasskeyPrompt
 */

/**
 * @template Data
 * @typedef {import('../client/api.js').Answer<Data>} Answer
 */

/** Time after which the list gets another challenge, before the server refuses the one before. */
const RENEW_MS = 4 * 60_000;

/**
 * Asks for a challenge, lets an authenticator answer it, and sends the answer.
 * @param {CredentialRequestOptions} [more] for a prompt that waits in the page
 * @returns {Promise<Answer<Session>>}
 */
async function signInByPasskey(more) {
  /** @type {Answer<PasskeyPrompt>} */
  const prompt = await send("POST", "/v1/session/passkey/options");
  if (!prompt.ok) return prompt;
  const used = await takePasskey(prompt.data.options, more);
  if (!used.ok) return used;
  return send("POST", "/v1/session/passkey", { body: { passkey: used.data } });
}

/** Returns `true` if the browser lists passkeys at the field for the address. */
const knowsList = async () =>
  knowsPasskeys() && (await globalThis.PublicKeyCredential.isConditionalMediationAvailable?.()) === true;

/**
 * @param {object} props
 * @param {(session: Session) => void} props.onSession
 */
export function PasskeySignIn({ onSession }) {
  const { say } = useLocale();
  const form = useForm({});
  // One prompt at a time: the button ends the one that waits.
  const waiting = useRef(/** @type {AbortController | null} */ (null));
  const wait = async () => {
    const own = new AbortController();
    waiting.current = own;
    if (!(await knowsList()) || own.signal.aborted) return;
    const renewal = setTimeout(() => own.abort(), RENEW_MS);
    const answer = await signInByPasskey({ mediation: "conditional", signal: own.signal });
    clearTimeout(renewal);
    if (answer.ok) onSession(answer.data);
    else if (answer.problem.code === "sign_in_refused") form.setProblem(answer.problem);
    // It has come to its time. Otherwise the button has ended it, or the page is another.
    else if (own.signal.aborted && waiting.current === own) wait();
  };
  const stop = () => {
    const before = waiting.current;
    waiting.current = null;
    before?.abort();
  };
  useEffect(() => {
    wait();
    return stop;
  }, []);

  const start = async () => {
    stop();
    const answer = await form.submit([], () => signInByPasskey());
    if (answer?.ok) onSession(answer.data);
    else wait();
  };
  if (!knowsPasskeys()) return null;
  const { problem } = form;
  return (
    <div class="other-way">
      <p class="or">
        <span>{say("passkey.or")}</span>
      </p>
      <ProblemNotice problem={problem} as={problem?.code === "sign_in_refused" ? "passkey_unknown" : undefined} />
      <button type="button" onClick={start}>
        {say(form.busy ? "passkey.waiting" : "passkey.sign-in")}
      </button>
    </div>
  );
}
