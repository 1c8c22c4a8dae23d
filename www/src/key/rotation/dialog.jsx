// Regenerates a key: asks, with an overlap of both pairs by choice, then shows the new pair once.
import { useRef, useState } from "preact/hooks";
import { keyAddress } from "../../client/route.js";
import { useSession } from "../../client/session.jsx";
import { sayWithin } from "../../i18n/bound.js";
import { useLocale } from "../../i18n/locale.jsx";
import { Dialog } from "../../ui/dialog.jsx";
import { ErrorSummary, Form } from "../../ui/fields.jsx";
import { useForm } from "../../ui/form.js";
import { Notice } from "../../ui/notice.jsx";
import { ProblemNotice } from "../../ui/problem.jsx";
import { boundText } from "../../ui/result.jsx";
import { AtStake, issuedBy } from "../at-stake.jsx";
import { conflictOf } from "../model.js";
import { Reveal } from "../reveal.jsx";
import { LastUse } from "../times.jsx";
import { NewExpiryField, OverlapField } from "./fields.jsx";
import { regenerateKey } from "./requests.js";
import { fieldsOf, firstValues, missingIn, overlapEnd } from "./values.js";

/**
 * @typedef {import('../model.js').Key} Key
 * @typedef {import('./requests.js').Regenerated} Regenerated
 */

/**
 * @param {object} props
 * @param {Key} props.subject
 * @param {(result: import('../model.js').KeyResult) => void} props.onDone called once the new pair
 *   is stored
 * @param {(key: Key) => void} props.onChanged called if somebody changed the key meanwhile
 * @param {() => void} props.onStale called if a key may exist that the page does not show
 * @param {() => void} props.onCancel
 */
export function Regeneration({ subject, onDone, ...form }) {
  const locale = useLocale();
  const { say, format } = locale;
  // The only place that holds the secret; it goes with the dialog.
  const [made, setMade] = useState(/** @type {Regenerated | null} */ (null));
  if (!made) return <RegenerationForm subject={subject} onMade={setMade} {...form} />;
  const { key, replaced, bound } = made;
  const until = replaced.overlap_until;
  const old = until
    ? say("regenerated.overlap", { until: format.end(until), zone: format.zone })
    : boundText(locale, { act: "regenerated", bound }, false);
  const done = () => onDone({ act: "regenerated", keys: [key], bound: until ? null : bound, works: until ? old : "" });
  return (
    <Reveal
      subject={key}
      secrets={made}
      title={say("regenerated.title", { name: key.name })}
      works={old}
      closeBody="regenerated.close.body"
      onDone={done}
    />
  );
}

/**
 * @param {object} props
 * @param {Key} props.subject
 * @param {(answer: Regenerated) => void} props.onMade
 * @param {(key: Key) => void} props.onChanged
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function RegenerationForm({ subject, onMade, onChanged, onStale, onCancel }) {
  const { say, format } = useLocale();
  const { request } = useSession();
  const form = useForm(firstValues);
  const { values, change, mistakes, busy } = form;
  // One dialog makes one key, even if a response is lost and the member submits again.
  const idempotencyKey = useRef(crypto.randomUUID());
  const expired = subject.status === "expired";

  const submit = async () => {
    const fields = fieldsOf(values, subject, format.zone);
    const send = () => regenerateKey(request, subject, fields, idempotencyKey.current);
    const answer = await form.submit(missingIn(values), send);
    if (answer?.ok) onMade(answer.data);
    const changed = conflictOf(answer?.problem);
    if (changed) onChanged(changed.key);
  };
  const leave = () => form.leave(onCancel, onStale);

  return (
    <Dialog
      role="alertdialog"
      title={say("regenerate.title", { name: subject.name })}
      describedBy="question"
      onCancel={leave}
      class="form"
    >
      <Form onSubmit={submit} busy={busy}>
        <div class="body">
          <ErrorSummary {...mistakes} />
          <Question subject={subject} values={values} />
          {!expired && <OverlapField subject={subject} values={values} change={change} errors={mistakes.errors} />}
          <NewExpiryField subject={subject} values={values} change={change} errors={mistakes.errors} />
          <RegenerationProblem problem={form.problem} name={subject.name} />
        </div>
        <div class="actions">
          <button class="primary">{say(busy ? "regenerate.busy" : "regenerate.confirm")}</button>
          <button type="button" onClick={leave} data-focus="">
            {say("cancel")}
          </button>
        </div>
      </Form>
    </Dialog>
  );
}

/**
 * Says what the choice does to the present pair, and what ends with it.
 * @param {{subject: Key, values: import('./values.js').RegenerationValues}} props
 */
function Question({ subject, values }) {
  const { say, gap, format } = useLocale();
  const { session } = useSession();
  const overlaps = values.overlap !== "none";
  const end = overlapEnd(values, subject, format.zone);
  const effect = () => {
    if (subject.status === "expired") return say("regenerate.body.expired");
    if (!overlaps) return sayWithin(say, "regenerate.body", session.account);
    if (end === null) return say("regenerate.body.overlap");
    return say("regenerate.body.until", { until: format.end(end), zone: format.zone });
  };
  return (
    <>
      <p id="question">
        {effect()}
        {gap}
        <LastUse subject={subject} sentence />
        {gap}
        {say(subject.uses_24h > 0 ? "at-stake.calls" : "at-stake.no-calls", { count: subject.uses_24h })}
      </p>
      {subject.replaces && subject.overlap_until && (
        <p>{say("regenerate.older", { until: format.end(subject.overlap_until), zone: format.zone })}</p>
      )}
      {subject.issuable && (overlaps ? <p>{say("regenerate.issued")}</p> : <AtStake path={issuedBy(subject)} />)}
    </>
  );
}

/**
 * Draws a problem of regenerating. A lost response and a pair that was made already have texts of
 * their own.
 * @param {{problem: import('../../client/api.js').Problem | null, name: string}} props
 */
function RegenerationProblem({ problem, name }) {
  const { say, format } = useLocale();
  const conflict = conflictOf(problem);
  if (conflict)
    return (
      <Notice about={conflict} bad={false}>
        <p>{say("changed.look", { by: conflict.by, time: format.clock(conflict.at) })}</p>
      </Notice>
    );
  if (problem?.code === "no_answer")
    return (
      <Notice about={problem}>
        <p>{say("regenerate.no-answer", { name })}</p>
      </Notice>
    );
  if (problem?.code === "already_issued" && problem.key)
    return (
      <Notice about={problem}>
        <p>
          {say("regenerate.already", { name: problem.key.name })}{" "}
          <a href={keyAddress(problem.key.id)}>{say("issue.already.open")}</a>
        </p>
      </Notice>
    );
  const as = problem?.code === "not_regenerable" ? `not_regenerable.${problem.reason}` : undefined;
  return <ProblemNotice problem={problem} as={as} />;
}
