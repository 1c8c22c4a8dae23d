// E-mail and password: to sign in, and to sign in again over a page.
import { useState } from "preact/hooks";
import { send } from "../api.js";
import { ErrorSummary, Field, Form, PasswordField, errorOf } from "../fields.jsx";
import { useLocale } from "../locale.jsx";
import { ProblemNotice } from "../problem.jsx";

/**
 * @param {object} props
 * @param {string} [props.email] fixed when somebody signs in again
 * @param {(session: object) => void} props.onSession
 * @param {any} [props.children] further buttons
 */
export function CredentialsForm({ email: fixed, onSession, children }) {
  const { say } = useLocale();
  const [email, setEmail] = useState(fixed ?? "");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const [missing, setMissing] = useState({ errors: [], turn: 0 });

  const submit = async () => {
    const errors = [
      !email.trim() && { id: "email", text: say("error.email.required") },
      !password && { id: "password", text: say("error.password.required") },
    ].filter(Boolean);
    setProblem(null);
    setMissing(({ turn }) => ({ errors, turn: turn + 1 }));
    if (errors.length) return;
    setBusy(true);
    const answer = await send("POST", "/v1/session", { body: { email: email.trim(), password } });
    setBusy(false);
    if (answer.ok) {
      onSession(answer.data);
      return;
    }
    setPassword("");
    setProblem(answer.problem);
  };

  return (
    <Form onSubmit={submit} busy={busy}>
      <ErrorSummary {...missing} />
      <ProblemNotice problem={problem} />
      <Field id="email" label={say("email")} error={errorOf(missing.errors, "email")}>
        {(control) => (
          <input
            {...control}
            type="email"
            autocomplete="username"
            value={email}
            readOnly={fixed !== undefined}
            onInput={(event) => setEmail(event.currentTarget.value)}
          />
        )}
      </Field>
      <PasswordField
        id="password"
        label={say("password")}
        error={errorOf(missing.errors, "password")}
        autocomplete="current-password"
        value={password}
        data-focus={fixed !== undefined ? "" : undefined}
        onInput={(event) => setPassword(event.currentTarget.value)}
      />
      <div class="actions">
        <button class="primary">{say(busy ? "signing-in" : "sign-in")}</button>
        {children}
      </div>
    </Form>
  );
}
