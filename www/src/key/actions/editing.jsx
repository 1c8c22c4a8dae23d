// Edits a key or an API user. The dialog names the callers that new networks would lock out before
// it saves anything, and goes on from the server's version after a conflict.
import { useState } from "preact/hooks";
import { useSession } from "../../client/session.jsx";
import { useLocale } from "../../i18n/locale.jsx";
import { Dialog } from "../../ui/dialog.jsx";
import { ErrorSummary, Form, FormActions } from "../../ui/fields.jsx";
import { useForm } from "../../ui/form.js";
import { checkNetworks } from "../model.js";
import { LockOutWarning } from "./lockout.jsx";

/**
 * @typedef {import('../../client/api.js').FieldError} FieldError
 * @typedef {import('../../client/api.js').Problem} Problem
 * @typedef {import('../../client/api.js').Request} Request
 * @typedef {import('../../client/session.jsx').Session} Session
 * @typedef {Record<string, unknown>} Changes
 */

/**
 * A form of what can be edited, and its requests. Times are those of `zone`.
 * @template Subject
 * @template Values
 * @template Saved
 * @typedef {object} Editable
 * @property {(subject: Subject, zone: string) => Values} valuesOf
 * @property {(before: Values, after: Values, zone: string) => Changes} changesOf
 * @property {(values: Values, zone: string, session: Session) => FieldError[]} missingIn
 * @property {(request: Request, changes: Changes) => Promise<FieldError[]>} check
 * @property {(request: Request, base: Subject, changes: Changes) =>
 *   Promise<import('../../client/api.js').Answer<Saved>>} save
 * @property {(problem: Problem | null) => Subject | undefined} changedIn returns the server's
 *   version if somebody changed the subject meanwhile
 */

/**
 * @template {{id: string, name: string}} Subject
 * @template {{networks: string}} Values
 * @template Saved
 * @param {Editable<Subject, Values, Saved>} editable
 * @param {object} options
 * @param {Subject} options.subject
 * @param {(saved: Saved, from: {base: Subject, values: Values}) => void} options.onSaved
 * @param {(subject: Subject) => void} [options.onChanged] called if somebody changed it meanwhile
 * @param {() => void} options.onStale called if the result of the changes is unknown
 * @param {() => void} options.onCancel
 */
export function useEditing(editable, { subject, onSaved, onChanged, onStale, onCancel }) {
  const { format } = useLocale();
  const { request, session } = useSession();
  // The version that the member started from; adopting a conflict moves it to the server's version.
  const [base, setBase] = useState(subject);
  const [lockedOut, setLockedOut] = useState(/** @type {import('../model.js').Caller[]} */ ([]));
  const form = useForm(() => editable.valuesOf(subject, format.zone));
  const { values } = form;
  const before = editable.valuesOf(base, format.zone);
  const changes = editable.changesOf(before, values, format.zone);

  // Names the callers that the new networks would lock out before it saves anything.
  const submit = async ({ warned = false } = {}) => {
    const missing = editable.missingIn(values, format.zone, session);
    if (!missing.length && !Object.keys(changes).length) {
      onCancel();
      return;
    }
    /** @type {import('../model.js').Caller[]} */
    let callers = [];
    /** @returns {Promise<import('../../client/api.js').Answer<Saved | null>>} */
    const send = async () => {
      if (!warned && "networks" in changes) {
        // A form that would be refused anyway asks nothing about callers.
        const errors = await editable.check(request, changes);
        if (errors.length) return { ok: false, problem: { code: "invalid", errors } };
        const checked = await checkNetworks(request, base, values.networks);
        if (!checked.ok) return checked;
        callers = checked.data.locked_out ?? [];
        if (callers.length) return { ok: true, data: null };
      }
      return editable.save(request, base, changes);
    };
    const answer = await form.submit(missing, send, () => editable.check(request, changes));
    if (!answer) return;
    if (callers.length) setLockedOut(callers);
    else if (answer.data) onSaved(answer.data, { base, values });
    const changed = editable.changedIn(answer.problem ?? null);
    if (changed) onChanged?.(changed);
  };
  /** @param {Subject} next @param {Values} merged */
  const adopt = (next, merged) => {
    form.setProblem(null);
    setBase(next);
    form.change(merged);
  };
  const leave = () => form.leave(onCancel, onStale);
  const closeLockOut = () => setLockedOut([]);
  const lockOut = {
    callers: lockedOut,
    /** @param {string[]} addresses */
    onAdd: (addresses) => {
      closeLockOut();
      const networks = [values.networks.trimEnd(), ...addresses].filter(Boolean).join("\n");
      form.change(/** @type {Partial<Values>} */ ({ networks }));
    },
    onSave: () => {
      closeLockOut();
      submit({ warned: true });
    },
    onCancel: closeLockOut,
  };
  return { form, base, before, changes, adopt, submit, leave, lockOut };
}

/**
 * Draws the dialog of an editor around its problem and its fields.
 * @template {{id: string, name: string}} Subject
 * @template {{networks: string}} Values
 * @param {object} props
 * @param {ReturnType<typeof useEditing<Subject, Values, unknown>>} props.editing
 * @param {import('preact').ComponentChildren} props.children
 */
export function EditorDialog({ editing, children }) {
  const { say } = useLocale();
  const { form, base, submit, leave, lockOut } = editing;
  return (
    <Dialog title={say("edit.title", { name: base.name })} onCancel={leave} dirty={form.dirty} class="form">
      <Form onSubmit={submit} busy={form.busy}>
        <div class="body">
          <ErrorSummary {...form.mistakes} />
          {children}
        </div>
        <FormActions submit={say(form.busy ? "edit.busy" : "edit.submit")} onCancel={leave} />
      </Form>
      {lockOut.callers.length > 0 && <LockOutWarning {...lockOut} />}
    </Dialog>
  );
}
