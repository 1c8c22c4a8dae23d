// The bound within which an account's changes hold everywhere.
import { useState } from "preact/hooks";
import { useConsole } from "../console.jsx";
import { Dialog } from "../dialog.jsx";
import { ErrorSummary, Field, Form, errorOf } from "../fields.jsx";
import { useLocale } from "../locale.jsx";
import { ProblemNotice } from "../problem.jsx";
import { setFreshness } from "./account.js";

/** An hour: the server takes no longer bound. */
const SECONDS_MAX = 3600;

/**
 * @param {object} props
 * @param {import('./account.js').Account} props.account
 * @param {(act: string, bound: object | null) => void} props.onDone
 * @param {() => void} props.onCancel
 */
export function FreshnessForm({ account, onDone, onCancel }) {
  const { say } = useLocale();
  const { request } = useConsole();
  const [typed, setTyped] = useState(String(account.freshness_s));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const [mistakes, setMistakes] = useState({ errors: [], turn: 0 });
  const leave = () => busy || onCancel();

  const submit = async () => {
    const text = typed.normalize("NFKC").trim();
    const seconds = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    const fits = seconds <= SECONDS_MAX;
    const error = { id: "freshness_s", text: say("error.freshness_s.other", { max: SECONDS_MAX }) };
    setProblem(null);
    setMistakes(({ turn }) => ({ errors: fits ? [] : [error], turn: turn + 1 }));
    if (!fits) return;
    setBusy(true);
    const answer = await setFreshness(request, account, seconds);
    setBusy(false);
    if (answer.ok) onDone("freshness", answer.data.bound);
    else setProblem(answer.problem);
  };

  return (
    <Dialog title={say("operator.freshness")} onCancel={leave}>
      <Form onSubmit={submit} busy={busy}>
        <ErrorSummary {...mistakes} />
        <ProblemNotice problem={problem} />
        <Field
          id="freshness_s"
          label={say("freshness.seconds")}
          hint={say("freshness.hint", { max: SECONDS_MAX })}
          error={errorOf(mistakes.errors, "freshness_s")}
        >
          {(control) => (
            <input
              {...control}
              value={typed}
              inputMode="numeric"
              autocomplete="off"
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          )}
        </Field>
        <div class="actions">
          <button class="primary">{say(busy ? "edit.busy" : "edit.submit")}</button>
          <button type="button" onClick={leave}>
            {say("cancel")}
          </button>
        </div>
      </Form>
    </Dialog>
  );
}
