// Editing a key: the same form; a change that met another one shows both, and one that locks callers out says whom.
import { useState } from "preact/hooks";
import { useSession } from "../../client/session.jsx";
import { useLocale } from "../../i18n/locale.jsx";
import { Dialog } from "../../ui/dialog.jsx";
import { ErrorSummary, Form, FormActions } from "../../ui/fields.jsx";
import { useForm } from "../../ui/form.js";
import { ProblemNotice } from "../../ui/problem.jsx";
import { KeyFields } from "../form/fields.jsx";
import { changesOf, missingIn, valuesOf } from "../form/values.js";
import { checkFields, checkNetworks, editKey } from "../model.js";
import { Conflict } from "./conflict.jsx";
import { LockOutWarning } from "./lockout.jsx";

/**
 * @param {object} props
 * @param {import('../model.js').Key} props.subject
 * @param {(result: import('../model.js').Result) => void} props.onDone
 * @param {(key: import('../model.js').Key) => void} props.onChanged
 * @param {() => void} props.onStale what became of the changes is not known
 * @param {() => void} props.onCancel
 */
export function Editor({ subject, onDone, onChanged, onStale, onCancel }) {
  const { say, format } = useLocale();
  const { request } = useSession();
  /** What the member started from; a conflict that they look at moves it to what the server has now. */
  const [base, setBase] = useState(subject);
  const [lockedOut, setLockedOut] = useState([]);
  const form = useForm(() => valuesOf(subject, format.zone));
  const { values, problem } = form;

  /** Whoever calls from an address that the new networks leave out is told of before anything is saved. */
  const submit = async ({ warned = false } = {}) => {
    const changes = changesOf(valuesOf(base, format.zone), values, format.zone);
    const missing = missingIn(values, format.zone);
    if (!missing.length && !Object.keys(changes).length) {
      onCancel();
      return;
    }
    let callers = [];
    const send = async () => {
      if (!warned && "networks" in changes) {
        const checked = await checkNetworks(request, base, changes.networks);
        if (!checked.ok) return checked;
        callers = checked.data.locked_out ?? [];
        if (callers.length) return checked;
      }
      return editKey(request, base, changes);
    };
    const answer = await form.submit(missing, send, () => checkFields(request, changes));
    if (!answer) return;
    if (callers.length) setLockedOut(callers);
    else if (answer.ok) onDone({ act: "edited", keys: [answer.data.key], bound: answer.data.bound });
    else if (answer.problem.code === "changed_meanwhile") onChanged(answer.problem.key);
  };
  const adopt = (key, next) => {
    form.setProblem(null);
    setBase(key);
    form.change(next);
  };
  const leave = () => form.leave(onCancel, onStale);

  return (
    <Dialog title={say("edit.title", { name: base.name })} onCancel={leave} class="form">
      <Form onSubmit={submit} busy={form.busy}>
        <div class="body">
          <ErrorSummary {...form.mistakes} />
          {problem?.code === "changed_meanwhile" ? (
            <Conflict problem={problem} base={valuesOf(base, format.zone)} mine={values} onAdopt={adopt} />
          ) : (
            <ProblemNotice problem={problem} />
          )}
          <KeyFields values={values} change={form.change} errors={form.mistakes.errors} held={base} />
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
