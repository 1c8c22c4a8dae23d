// Meets the server's challenges: to sign in again, or to confirm one's identity. The page below
// keeps its state.
import { useState } from "preact/hooks";
import { send } from "../client/api.js";
import { useLocale } from "../i18n/locale.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { Form, PasswordField, errorOf } from "../ui/fields.jsx";
import { useForm, useMistakeFocus } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { CredentialsForm } from "./credentials.jsx";

/**
 * @typedef {import('../client/session.jsx').Session} Session
 * @typedef {{code: string, settle: (met: boolean) => void}} PendingChallenge
 */

/**
 * @param {object} props
 * @param {PendingChallenge} props.challenge
 * @param {Session} props.session as the page below shows it
 * @param {(session: Session) => void} props.onSession
 * @param {() => void} props.onLeave
 */
export function Challenge({ challenge, session: { member, account }, onSession, onLeave }) {
  const [ended, setEnded] = useState(challenge.code === "not_signed_in");
  if (!ended) return <StepUp member={member} settle={challenge.settle} onEnded={() => setEnded(true)} />;
  const leave = () => {
    challenge.settle(false);
    onLeave();
  };
  /** @param {Session} session */
  const resume = async (session) => {
    const there = await backTo(account, session);
    // The request belongs to the account below: it must not go out in another one.
    challenge.settle(there.member.id === member.id);
    onSession(there);
  };
  return <SignInAgain member={member} onLeave={leave} onSession={resume} />;
}

/**
 * Returns to an account if signing in has opened another one of the same person.
 * @param {Session['account']} account
 * @param {Session} session as signing in has opened it
 * @returns {Promise<Session>}
 */
async function backTo(account, session) {
  if (session.account.id === account.id) return session;
  /** @type {import('../client/api.js').Answer<Session>} */
  const answer = await send("POST", "/v1/session/switch", { body: { account: account.id } });
  return answer.ok ? answer.data : session;
}

/**
 * @param {object} props
 * @param {Session['member']} props.member
 * @param {(session: Session) => void} props.onSession
 * @param {() => void} props.onLeave
 */
function SignInAgain({ member, onSession, onLeave }) {
  const { say } = useLocale();
  return (
    <Dialog title={say("again.title")} cross={false} onCancel={() => {}}>
      <CredentialsForm email={member.email} onSession={onSession}>
        <button type="button" onClick={onLeave}>
          {say("again.leave")}
        </button>
      </CredentialsForm>
    </Dialog>
  );
}

/** Differs from the password field of a form below this dialog. */
const FIELD = "step-up-password";

/**
 * @param {object} props
 * @param {Session['member']} props.member
 * @param {(met: boolean) => void} props.settle
 * @param {() => void} props.onEnded called if the session has ended
 */
function StepUp({ member, settle, onEnded }) {
  const { say } = useLocale();
  const form = useForm({ password: "" });
  useMistakeFocus(form.mistakes);

  const submit = async () => {
    const { password } = form.values;
    const missing = password ? [] : [{ pointer: `#/${FIELD}`, code: "required" }];
    const answer = await form.submit(missing, () => send("POST", "/v1/session/step-up", { body: { password } }));
    if (!answer) return;
    if (answer.ok) {
      // Another tab may have opened another account meanwhile: the request is not of that one.
      settle(answer.data.member.id === member.id);
      return;
    }
    form.change({ password: "" });
    if (answer.problem.code === "not_signed_in") onEnded();
    if (answer.problem.code !== "step_up_refused") return;
    form.setProblem(null);
    form.show([{ pointer: `#/${FIELD}`, code: "refused" }]);
  };

  return (
    <Dialog title={say("step-up.title")} onCancel={() => settle(false)}>
      <Form onSubmit={submit} busy={form.busy}>
        <ProblemNotice problem={form.problem} />
        <input
          class="unseen"
          type="email"
          autocomplete="username"
          value={member.email}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <PasswordField
          id={FIELD}
          label={say("password")}
          hint={say("step-up.hint", { email: member.email })}
          error={errorOf(form.mistakes.errors, FIELD)}
          autocomplete="current-password"
          {...form.field("password")}
          first
        />
        <div class="actions">
          <button class="primary">{say(form.busy ? "step-up.busy" : "step-up.confirm")}</button>
          <button type="button" onClick={() => settle(false)}>
            {say("cancel")}
          </button>
        </div>
      </Form>
    </Dialog>
  );
}
