// Renames the key pair.
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { conflictOf, editKey } from "../key/model.js";
import { Dialog } from "../ui/dialog.jsx";
import { ErrorSummary, Field, Form, FormActions, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { Notice } from "../ui/notice.jsx";
import { ProblemNotice } from "../ui/problem.jsx";

/**
 * @param {object} props
 * @param {import('../key/model.js').Key} props.subject
 * @param {(result: import('../key/model.js').KeyResult) => void} props.onDone
 * @param {(key: import('../key/model.js').Key) => void} props.onChanged called if somebody changed
 *   the key meanwhile
 * @param {() => void} props.onStale called if the result is unknown
 * @param {() => void} props.onCancel
 */
export function Rename({ subject, onDone, onChanged, onStale, onCancel }) {
  const { say, format } = useLocale();
  const { request } = useSession();
  const form = useForm({ name: subject.name });
  const { values, mistakes } = form;
  const conflict = conflictOf(form.problem);
  const leave = () => form.leave(onCancel, onStale);

  const submit = async () => {
    if (!form.dirty) return onCancel();
    const name = values.name.trim();
    const answer = await form.submit(missingFields({ name }, ["name"]), () => editKey(request, subject, { name }));
    if (answer?.ok) onDone({ act: "renamed", keys: [answer.data.key], bound: null });
    const changed = conflictOf(answer?.problem);
    return changed && onChanged(changed.key);
  };
  return (
    <Dialog title={say("rename.title", { name: subject.name })} onCancel={leave} dirty={form.dirty}>
      <Form onSubmit={submit} busy={form.busy}>
        <ErrorSummary {...mistakes} />
        {conflict ? (
          <Notice about={conflict} bad={false}>
            <p>{say("changed.look", { by: conflict.by, time: format.clock(conflict.at) })}</p>
          </Notice>
        ) : (
          <ProblemNotice problem={form.problem} />
        )}
        <Field id="name" label={say("form.name")} hint={say("pair.name.hint")} error={errorOf(mistakes.errors, "name")}>
          {(control) => <input {...control} {...form.field("name")} autocomplete="off" />}
        </Field>
        <FormActions submit={say(form.busy ? "rename.busy" : "rename.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}
