// What keys issued with the service password may be at most.
import { useState } from "preact/hooks";
import { useConsole } from "../client/session.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { ErrorSummary, Form, FormActions } from "../ui/fields.jsx";
import { CeilingFields } from "../key/form/limits.jsx";
import { ceilingDraftOf, ceilingFields, differing, missingInCeiling } from "../key/form/values.js";
import { useLocale } from "../i18n/locale.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { useForm } from "../ui/form.js";
import { editService } from "./requests.js";

/**
 * @param {object} props
 * @param {import('./requests.js').Service} props.service
 * @param {(answer: object) => void} props.onDone
 * @param {() => void} props.onUnsure
 * @param {() => void} props.onCancel
 */
export function CeilingDialog({ service, onDone, onUnsure, onCancel }) {
  const { say } = useLocale();
  const { request } = useConsole();
  const [first] = useState(() => ceilingDraftOf(service.ceiling));
  const form = useForm(first);
  const submit = async () => {
    const missing = [missingInCeiling(form.values, "#")].filter(Boolean);
    const changes = differing(ceilingFields(first), ceilingFields(form.values));
    if (!missing.length && !Object.keys(changes).length) return onCancel();
    const answer = await form.submit(missing, () => editService(request, service, changes));
    if (answer?.ok) onDone(answer.data);
    else if (answer && !answer.problem.errors) onUnsure();
    return undefined;
  };
  const leave = () => !form.busy && onCancel();
  return (
    <Dialog title={say("service.ceiling")} onCancel={leave} class="form">
      <Form onSubmit={submit} busy={form.busy}>
        <div class="body">
          <ErrorSummary {...form.mistakes} />
          <ProblemNotice
            problem={form.problem}
            as={form.problem?.code === "changed_meanwhile" ? "service_changed" : undefined}
          />
          <p class="hint">{say("ceiling.lead")}</p>
          <CeilingFields
            ceiling={form.values}
            change={form.change}
            errors={form.mistakes.errors}
            held={service.ceiling.permissions}
          />
        </div>
        <FormActions submit={say(form.busy ? "edit.busy" : "edit.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}
