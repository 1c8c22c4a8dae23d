// Issues a key: one short form, then the key in clear text.
import { useRef, useState } from "preact/hooks";
import { keyAddress } from "../client/route.js";
import { daysOf, policyOf } from "../client/policy.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Advice } from "../key/advice.jsx";
import { KeyFields } from "../key/form/fields.jsx";
import { emptyValues, fieldsOf, missingIn, newFieldsOf } from "../key/form/values.js";
import { checkFields, issueKey } from "../key/model.js";
import { Reveal } from "../key/reveal.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { ErrorSummary, Form, FormActions } from "../ui/fields.jsx";
import { useForm } from "../ui/form.js";
import { Notice } from "../ui/notice.jsx";
import { ProblemNotice } from "../ui/problem.jsx";

/** @typedef {import('../key/model.js').Secrets & {key: import('../key/model.js').Key}} Issued */

/**
 * @param {object} props
 * @param {(key: import('../key/model.js').Key) => void} props.onIssued called with the server's
 *   response
 * @param {() => void} props.onStale called if a key may exist that the page does not show
 * @param {() => void} props.onDone called once the key is stored or the form was left
 */
export function Issue({ onIssued, onStale, onDone }) {
  // The only place that holds the secret; it goes with the dialog.
  const [issued, setIssued] = useState(/** @type {Issued | null} */ (null));
  /** @param {Issued} answer */
  const show = (answer) => {
    setIssued(answer);
    onIssued(answer.key);
  };
  return issued ? (
    <Reveal subject={issued.key} secrets={issued} onDone={onDone} />
  ) : (
    <IssueForm onIssued={show} onStale={onStale} onCancel={onDone} />
  );
}

/**
 * @param {{onIssued: (answer: Issued) => void, onStale: () => void, onCancel: () => void}} props
 */
function IssueForm({ onIssued, onStale, onCancel }) {
  const { say, format } = useLocale();
  const { request, session } = useSession();
  const form = useForm(() => emptyValues(daysOf(policyOf(session).longest_life)));
  // One dialog issues one key, even if a response is lost and the member submits again.
  const idempotencyKey = useRef(crypto.randomUUID());

  const submit = async () => {
    const fields = newFieldsOf(form.values, format.zone);
    const answer = await form.submit(
      missingIn(form.values, format.zone, session.permissions),
      () => issueKey(request, fields, idempotencyKey.current),
      () => checkFields(request, fieldsOf(form.values, format.zone)),
    );
    if (answer?.ok) onIssued(answer.data);
  };
  const leave = () => form.leave(onCancel, onStale);

  // What was typed is a key already, so nothing is lost.
  const dirty = form.dirty && form.problem?.code !== "already_issued";

  return (
    <Dialog title={say("issue.title")} onCancel={leave} dirty={dirty} class="form">
      <Form onSubmit={submit} busy={form.busy}>
        <div class="body">
          <ErrorSummary {...form.mistakes} />
          <IssueProblem problem={form.problem} name={form.values.name.trim()} />
          <KeyFields values={form.values} change={form.change} errors={form.mistakes.errors} />
          <Advice />
        </div>
        <FormActions submit={say(form.busy ? "issue.busy" : "issue.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}

/**
 * Draws a problem of issuing. A lost response and a key that was issued already have texts of their
 * own.
 * @param {{problem: import('../client/api.js').Problem | null, name: string}} props
 */
function IssueProblem({ problem, name }) {
  const { say } = useLocale();
  if (problem?.code === "no_answer") {
    return (
      <Notice about={problem}>
        <p>{say("issue.no-answer", { name })}</p>
      </Notice>
    );
  }
  if (problem?.code === "already_issued" && problem.key) {
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
