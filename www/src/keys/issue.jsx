// Issuing a key: one short form, then the reveal.
import { useRef, useState } from "preact/hooks";
import { useConsole } from "../console.jsx";
import { Dialog } from "../dialog.jsx";
import { ErrorSummary, Form } from "../fields.jsx";
import { useLocale } from "../locale.jsx";
import { Notice } from "../notice.jsx";
import { ProblemNotice, fieldError, leavesUnsure } from "../problem.jsx";
import { keyAddress } from "../route.js";
import { emptyDraft, fieldsOf, missingIn } from "./draft.js";
import { Advice, KeyFields } from "./fields.jsx";
import { issueKey } from "./key.js";
import { Reveal } from "./reveal.jsx";

/**
 * @param {object} props
 * @param {(key: import('./key.js').Key) => void} props.onIssued at once, from the server's answer
 * @param {() => void} props.onUnsure a key may exist that the page does not know
 * @param {() => void} props.onDone the key has been stored, or the form was left
 */
export function Issue({ onIssued, onUnsure, onDone }) {
  /** The only place that holds a secret; gone with the dialog. */
  const [issued, setIssued] = useState(null);
  const show = (answer) => {
    setIssued(answer);
    onIssued(answer.key);
  };
  return issued ? (
    <Reveal issued={issued} onDone={onDone} />
  ) : (
    <IssueForm onIssued={show} onUnsure={onUnsure} onCancel={onDone} />
  );
}

function IssueForm({ onIssued, onUnsure, onCancel }) {
  const locale = useLocale();
  const { say, format } = locale;
  const { request } = useConsole();
  const [draft, setDraft] = useState(emptyDraft);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const [mistakes, setMistakes] = useState({ errors: [], turn: 0 });
  /** One dialog issues one key, also when an answer is lost and the form is sent again. */
  const idempotencyKey = useRef(crypto.randomUUID());
  const sending = useRef(false);

  const show = (errors) =>
    setMistakes(({ turn }) => ({ errors: errors.map((error) => fieldError(locale, error)), turn: turn + 1 }));
  const submit = async () => {
    const missing = missingIn(draft, format.zone);
    setProblem(null);
    show(missing);
    if (missing.length || sending.current) return;
    sending.current = true;
    setBusy(true);
    const answer = await issueKey(request, fieldsOf(draft, format.zone), idempotencyKey.current);
    sending.current = false;
    setBusy(false);
    if (answer.ok) onIssued(answer.data);
    else if (answer.problem.errors?.length) show(answer.problem.errors);
    else setProblem({ ...answer.problem, name: draft.name.trim() });
  };
  const leave = () => {
    if (busy) return;
    if (leavesUnsure(problem)) onUnsure();
    onCancel();
  };

  return (
    <Dialog title={say("issue.title")} onCancel={leave} class="form">
      <Form onSubmit={submit} busy={busy}>
        <div class="body">
          <ErrorSummary {...mistakes} />
          <IssueProblem problem={problem} />
          <KeyFields
            draft={draft}
            change={(change) => setDraft((before) => ({ ...before, ...change }))}
            errors={mistakes.errors}
          />
          <Advice />
        </div>
        <div class="actions">
          <button class="primary">{say(busy ? "issue.busy" : "issue.submit")}</button>
          <button type="button" onClick={leave}>
            {say("cancel")}
          </button>
        </div>
      </Form>
    </Dialog>
  );
}

/** Two problems belong to issuing alone: the answer got lost, and the key had been issued all the same. */
function IssueProblem({ problem }) {
  const { say } = useLocale();
  if (problem?.code === "no_answer") {
    return (
      <Notice about={problem}>
        <p>{say("issue.no-answer", { name: problem.name })}</p>
      </Notice>
    );
  }
  if (problem?.code === "already_issued") {
    return (
      <Notice about={problem}>
        <p>
          {say("issue.already", { name: problem.key.name })}{" "}
          <a href={keyAddress(problem.key.id)}>{say("issue.already.open")}</a>
        </p>
      </Notice>
    );
  }
  return <ProblemNotice problem={problem} />;
}
