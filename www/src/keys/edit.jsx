// Editing a key: the same form; a change that met another one shows both.
import { useRef, useState } from "preact/hooks";
import { useConsole } from "../console.jsx";
import { Dialog } from "../dialog.jsx";
import { ErrorSummary, Form } from "../fields.jsx";
import { useLocale } from "../locale.jsx";
import { ProblemNotice, fieldError, leavesUnsure } from "../problem.jsx";
import { Conflict } from "./conflict.jsx";
import { changesOf, draftOf, missingIn } from "./draft.js";
import { KeyFields } from "./fields.jsx";
import { editKey } from "./key.js";

/**
 * @param {object} props
 * @param {import('./key.js').Key} props.subject
 * @param {(outcome: import('./key.js').Outcome) => void} props.onDone
 * @param {(key: import('./key.js').Key) => void} props.onChanged
 * @param {() => void} props.onUnsure what became of the changes is not known
 * @param {() => void} props.onCancel
 */
export function Edit({ subject, onDone, onChanged, onUnsure, onCancel }) {
  const locale = useLocale();
  const { say, format } = locale;
  const { request } = useConsole();
  /** What the member started from; a conflict that they look at moves it to what the server has now. */
  const [base, setBase] = useState(subject);
  const [draft, setDraft] = useState(() => draftOf(subject, format.zone));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const [mistakes, setMistakes] = useState({ errors: [], turn: 0 });
  const sending = useRef(false);

  const show = (errors) =>
    setMistakes(({ turn }) => ({ errors: errors.map((error) => fieldError(locale, error)), turn: turn + 1 }));
  const submit = async () => {
    const missing = missingIn(draft, format.zone);
    setProblem(null);
    show(missing);
    if (missing.length || sending.current) return;
    const changes = changesOf(draftOf(base, format.zone), draft, format.zone);
    if (!Object.keys(changes).length) {
      onCancel();
      return;
    }
    sending.current = true;
    setBusy(true);
    const answer = await editKey(request, base, changes);
    sending.current = false;
    setBusy(false);
    if (answer.ok) onDone({ act: "edited", key: answer.data.key, bound: answer.data.bound });
    else if (answer.problem.errors?.length) show(answer.problem.errors);
    else setProblem(answer.problem);
    if (answer.problem?.code === "changed_meanwhile") onChanged(answer.problem.key);
  };
  const adopt = (key, next) => {
    setProblem(null);
    setBase(key);
    setDraft(next);
  };
  const leave = () => {
    if (busy) return;
    if (leavesUnsure(problem)) onUnsure();
    onCancel();
  };

  return (
    <Dialog title={say("edit.title", { name: base.name })} onCancel={leave} class="form">
      <Form onSubmit={submit} busy={busy}>
        <div class="body">
          <ErrorSummary {...mistakes} />
          {problem?.code === "changed_meanwhile" ? (
            <Conflict problem={problem} base={draftOf(base, format.zone)} mine={draft} onAdopt={adopt} />
          ) : (
            <ProblemNotice problem={problem} />
          )}
          <KeyFields
            draft={draft}
            change={(change) => setDraft((before) => ({ ...before, ...change }))}
            errors={mistakes.errors}
            held={base.permissions}
          />
        </div>
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
