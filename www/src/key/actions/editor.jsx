// Edits a key. The editor shows both versions after a conflict, and names the callers that new
// networks would lock out.
import { useState } from "preact/hooks";
import { useSession } from "../../client/session.jsx";
import { useLocale } from "../../i18n/locale.jsx";
import { Dialog } from "../../ui/dialog.jsx";
import { ErrorSummary, Form, FormActions } from "../../ui/fields.jsx";
import { useForm } from "../../ui/form.js";
import { ProblemNotice } from "../../ui/problem.jsx";
import { EditAtStake } from "../at-stake.jsx";
import { KeyFields } from "../form/fields.jsx";
import { changesOf, missingIn, valuesOf } from "../form/values.js";
import { checkFields, checkNetworks, conflictOf, editKey } from "../model.js";
import { Conflict } from "./conflict.jsx";
import { LockOutWarning } from "./lockout.jsx";

/** @typedef {{key: import('../model.js').Key, bound: import('../model.js').Bound | null}} Saved */

/**
 * @param {object} props
 * @param {import('../model.js').Key} props.subject
 * @param {(result: import('../model.js').KeyResult) => void} props.onDone
 * @param {(key: import('../model.js').Key) => void} props.onChanged
 * @param {() => void} props.onStale called if the result of the changes is unknown
 * @param {() => void} props.onCancel
 */
export function Editor({ subject, onDone, onChanged, onStale, onCancel }) {
  const { say, format } = useLocale();
  const { request, session } = useSession();
  // The version that the member started from; adopting a conflict moves it to the server's version.
  const [base, setBase] = useState(subject);
  const [lockedOut, setLockedOut] = useState(/** @type {import('../model.js').Caller[]} */ ([]));
  const form = useForm(() => valuesOf(subject, format.zone));
  const { values, problem } = form;
  const conflict = conflictOf(problem);

  // Names the callers that the new networks would lock out before it saves anything.
  const submit = async ({ warned = false } = {}) => {
    const changes = changesOf(valuesOf(base, format.zone), values, format.zone);
    const missing = missingIn(values, format.zone, session.permissions);
    if (!missing.length && !Object.keys(changes).length) {
      onCancel();
      return;
    }
    /** @type {import('../model.js').Caller[]} */
    let callers = [];
    /** @returns {Promise<import('../../client/api.js').Answer<Partial<Saved>>>} */
    const send = async () => {
      if (!warned && "networks" in changes) {
        // A form that would be refused anyway asks nothing about callers.
        const errors = await checkFields(request, changes);
        if (errors.length) return { ok: false, problem: { code: "invalid", errors } };
        const checked = await checkNetworks(request, base, values.networks);
        if (!checked.ok) return checked;
        callers = checked.data.locked_out ?? [];
        if (callers.length) return { ok: true, data: {} };
      }
      return editKey(request, base, changes);
    };
    const answer = await form.submit(missing, send, () => checkFields(request, changes));
    if (!answer) return;
    if (callers.length) setLockedOut(callers);
    else if (answer.data?.key) onDone({ act: "edited", keys: [answer.data.key], bound: answer.data.bound ?? null });
    const changed = conflictOf(answer.problem);
    if (changed) onChanged(changed.key);
  };
  /** @param {import('../model.js').Key} key @param {import('../form/values.js').KeyValues} next */
  const adopt = (key, next) => {
    form.setProblem(null);
    setBase(key);
    form.change(next);
  };
  const leave = () => form.leave(onCancel, onStale);

  return (
    <Dialog title={say("edit.title", { name: base.name })} onCancel={leave} dirty={form.dirty} class="form">
      <Form onSubmit={submit} busy={form.busy}>
        <div class="body">
          <ErrorSummary {...form.mistakes} />
          {conflict ? (
            <Conflict conflict={conflict} base={valuesOf(base, format.zone)} mine={values} onAdopt={adopt} />
          ) : (
            <ProblemNotice problem={problem} />
          )}
          <KeyFields values={values} change={form.change} errors={form.mistakes.errors} held={base} />
          <EditAtStake subject={base} changes={changesOf(valuesOf(base, format.zone), values, format.zone)} />
        </div>
        <FormActions submit={say(form.busy ? "edit.busy" : "edit.submit")} onCancel={leave} />
      </Form>
      {lockedOut.length > 0 && (
        <LockOutWarning
          callers={lockedOut}
          onAdd={(networks) => {
            form.change({ networks: [values.networks.trimEnd(), ...networks].filter(Boolean).join("\n") });
            setLockedOut([]);
          }}
          onSave={() => {
            setLockedOut([]);
            submit({ warned: true });
          }}
          onCancel={() => setLockedOut([])}
        />
      )}
    </Dialog>
  );
}
