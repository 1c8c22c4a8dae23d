// Meets the server's challenges: to sign in again, or to confirm one's identity. The page below
// keeps its state.
import { useState } from "preact/hooks";
import { send } from "../client/api.js";
import { challengeIn } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { Form, PasswordField, PasswordOwner, errorOf } from "../ui/fields.jsx";
import { useForm, useMistakeFocus } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { CredentialsForm } from "./credentials.jsx";
import { ChallengeDialog, FactorForm } from "./factor.jsx";
import { MailedStepUp, MissingFactor } from "./mailed.jsx";

/**
 * @typedef {import('../client/session.jsx').Session} Session
 * @typedef {{code: string, methods: string[], settle: (met: boolean) => void}} PendingChallenge
 */

/** Methods that are a second factor. */
const FACTORS = ["totp", "recovery_code", "passkey"];

/**
 * Asks for the prompt of a proof of identity.
 * @returns {Promise<import('../client/api.js').Answer<import('../client/passkey.js').PasskeyOptions>>}
 */
async function askPasskey() {
  /** @type {import('../client/api.js').Answer<import('../client/passkey.js').PasskeyPrompt>} */
  const answer = await send("POST", "/v1/session/step-up/options");
  return answer.ok ? { ok: true, data: answer.data.options } : answer;
}

/**
 * @param {object} props
 * @param {PendingChallenge} props.challenge
 * @param {Session} props.session as the page below shows it
 * @param {(session: Session) => void} props.onSession
 * @param {() => void} props.onLeave
 */
export function Challenge({ challenge, session, onSession, onLeave }) {
  const { member, account, mfa_methods: own = [] } = session;
  const [ended, setEnded] = useState(challenge.code === "not_signed_in");
  // The account below may ask for a second factor, after signing in has opened another one.
  const [back, setBack] = useState(
    /** @type {{there: Session, asked: import('../client/session.jsx').FactorChallenge} | null} */ (null),
  );
  const onEnded = () => setEnded(true);
  if (!ended) {
    const props = { member, settle: challenge.settle, onEnded };
    const { methods } = challenge;
    if (methods.includes("password")) return <StepUp {...props} />;
    if (methods.includes("email_code")) return <MailedStepUp {...props} />;
    const factors = methods.filter((method) => FACTORS.includes(method));
    // The server names the member's own factors, or all that would do if the member has none of
    // these. Two are a factor and the recovery codes that stand for it.
    if (factors.length === 2 || factors.some((method) => own.includes(method)))
      return <FactorStepUp {...props} methods={factors} />;
    return <MissingFactor passkey={!methods.includes("totp")} settle={challenge.settle} />;
  }
  const leave = () => {
    challenge.settle(false);
    onLeave();
  };
  /** @param {Session} session */
  const resume = async (session) => {
    const there = await backTo(account, session);
    const asked = challengeIn(there);
    if (asked) setBack({ there: session, asked });
    else finish(/** @type {Session} */ (there));
  };
  /** @param {Session} there */
  const finish = (there) => {
    // The request belongs to the account below: it must not go out in another one.
    challenge.settle(there.member.id === member.id);
    onSession(there);
  };
  if (back) return <ChallengeDialog challenge={back.asked} onSession={finish} onOver={() => finish(back.there)} />;
  return <SignInAgain member={member} onLeave={leave} onSession={resume} />;
}

/**
 * Returns to an account if signing in has opened another one of the same person.
 * @param {Session['account']} account
 * @param {Session} session as signing in has opened it
 * @returns {Promise<Session | import('../client/session.jsx').FactorChallenge>}
 */
async function backTo(account, session) {
  if (session.account.id === account.id) return session;
  /** @type {import('../client/api.js').Answer<Session | import('../client/session.jsx').FactorChallenge>} */
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
 * Confirms the identity of a member with a second factor.
 * @param {object} props
 * @param {string[]} props.methods
 * @param {Session['member']} props.member
 * @param {(met: boolean) => void} props.settle
 * @param {() => void} props.onEnded called if the session has ended
 */
function FactorStepUp({ methods, member, settle, onEnded }) {
  const { say } = useLocale();
  return (
    <Dialog title={say("step-up.title")} onCancel={() => settle(false)}>
      <FactorForm
        path="/v1/session/step-up"
        methods={methods}
        askPasskey={askPasskey}
        submit={say("step-up.confirm")}
        busy={say("step-up.busy")}
        // Another tab may have opened another account meanwhile: the request is not of that one.
        onSession={(session) => settle(session.member.id === member.id)}
        onProblem={({ code }) => code === "not_signed_in" && onEnded()}
      >
        <button type="button" onClick={() => settle(false)}>
          {say("cancel")}
        </button>
      </FactorForm>
    </Dialog>
  );
}

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
        <PasswordOwner email={member.email} />
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
