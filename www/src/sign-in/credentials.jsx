// Asks for e-mail and password, and then for the second factor of a member who has one: to sign in,
// and to sign in again.
import { useState } from "preact/hooks";
import { send } from "../client/api.js";
import { challengeIn } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ErrorSummary, Field, Form, PasswordField, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { ChallengeForm } from "./factor.jsx";
import { PasskeySignIn } from "./passkey.jsx";

/**
 * @param {object} props
 * @param {string} [props.email] fixed when the member signs in again
 * @param {string} [props.typed] an address that was typed before
 * @param {(email: string) => void} [props.onTyped] called with each address that is typed
 * @param {(session: import('../client/session.jsx').Session) => void} props.onSession
 * @param {import('preact').ComponentChildren} [props.children] further buttons
 */
export function CredentialsForm({ email: fixed, typed = "", onTyped, onSession, children }) {
  const { say } = useLocale();
  const form = useForm({ email: fixed ?? typed, password: "" });
  const [challenge, setChallenge] = useState(
    /** @type {import('../client/session.jsx').FactorChallenge | null} */ (null),
  );
  const { values, mistakes } = form;

  const submit = async () => {
    const body = { email: values.email.trim(), password: values.password };
    /** @type {import('../client/api.js').Answer<import('../client/session.jsx').Session> | null} */
    const answer = await form.submit(missingFields(values, ["email", "password"]), () =>
      send("POST", "/v1/session", { body }),
    );
    if (!answer) return;
    // The password is needed no more.
    const opened = answer.ok ? challengeIn(answer.data) : null;
    if (answer.ok && !opened) onSession(answer.data);
    else form.change({ password: "" });
    setChallenge(opened);
  };
  if (challenge)
    return (
      <ChallengeForm
        challenge={challenge}
        onSession={onSession}
        onOver={(problem) => {
          setChallenge(null);
          form.setProblem(problem);
        }}
      />
    );

  return (
    <>
      <Form onSubmit={submit} busy={form.busy}>
        <ErrorSummary {...mistakes} />
        <ProblemNotice problem={form.problem} />
        <Field id="email" label={say("email")} error={errorOf(mistakes.errors, "email")}>
          {(control) => (
            <input
              {...control}
              type="email"
              autocomplete="username webauthn"
              value={values.email}
              onInput={(event) => {
                form.change({ email: event.currentTarget.value });
                onTyped?.(event.currentTarget.value);
              }}
              readOnly={fixed !== undefined}
            />
          )}
        </Field>
        <PasswordField
          id="password"
          label={say("password")}
          error={errorOf(mistakes.errors, "password")}
          autocomplete="current-password"
          {...form.field("password")}
          first={fixed !== undefined}
        />
        <div class="actions">
          <button class="primary">{say(form.busy ? "signing-in" : "sign-in")}</button>
          {children}
        </div>
      </Form>
      <PasskeySignIn onSession={onSession} />
    </>
  );
}
