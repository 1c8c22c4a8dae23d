// What the server asks in the middle of something: to sign in again, or to prove who one is. Below it everything stays.
import { useState } from "preact/hooks";
import { send } from "../api.js";
import { Dialog } from "../dialog.jsx";
import { Form, PasswordField } from "../fields.jsx";
import { useLocale } from "../locale.jsx";
import { ProblemNotice } from "../problem.jsx";
import { CredentialsForm } from "./credentials-form.jsx";

/**
 * @param {object} props
 * @param {import('../app.jsx').PendingChallenge} props.challenge
 * @param {import('../console.jsx').Session['member']} props.member
 * @param {(session: object) => void} props.onSession
 * @param {() => void} props.onLeave
 */
export function Challenge({ challenge, member, onSession, onLeave }) {
  const [ended, setEnded] = useState(challenge.code === "not_signed_in");
  if (!ended) return <StepUp member={member} settle={challenge.settle} onEnded={() => setEnded(true)} />;
  const leave = () => {
    challenge.settle(false);
    onLeave();
  };
  return (
    <SignInAgain
      member={member}
      onLeave={leave}
      onSession={(session) => {
        onSession(session);
        challenge.settle(true);
      }}
    />
  );
}

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

function StepUp({ member, settle, onEnded }) {
  const { say } = useLocale();
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const [error, setError] = useState(undefined);

  const submit = async () => {
    setProblem(null);
    setError(undefined);
    if (!password) {
      setError(say("error.password.required"));
      document.getElementById("step-up-password").focus();
      return;
    }
    setBusy(true);
    const answer = await send("POST", "/v1/session/step-up", { body: { password } });
    setBusy(false);
    if (answer.ok) return settle(true);
    setPassword("");
    if (answer.problem.code === "not_signed_in") return onEnded();
    if (answer.problem.code !== "step_up_refused") return setProblem(answer.problem);
    setError(say("problem.step_up_refused"));
    return document.getElementById("step-up-password").focus();
  };

  return (
    <Dialog title={say("step-up.title")} onCancel={() => settle(false)}>
      <Form onSubmit={submit} busy={busy}>
        <ProblemNotice problem={problem} />
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
          id="step-up-password"
          label={say("password")}
          hint={say("step-up.hint", { email: member.email })}
          error={error}
          autocomplete="current-password"
          value={password}
          data-focus=""
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
        <div class="actions">
          <button class="primary">{say(busy ? "step-up.busy" : "step-up.confirm")}</button>
          <button type="button" onClick={() => settle(false)}>
            {say("cancel")}
          </button>
        </div>
      </Form>
    </Dialog>
  );
}
