// Edits the limits of keys issued with the service password.
import { useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { AtStake, BY_SERVICE } from "../key/at-stake.jsx";
import { LimitsFields } from "../key/form/limits.jsx";
import { differing, limitsFields, limitsValuesOf, missingInLimits } from "../key/form/values.js";
import { Dialog } from "../ui/dialog.jsx";
import { ErrorSummary, Form, FormActions } from "../ui/fields.jsx";
import { useForm } from "../ui/form.js";
import { ServiceProblem } from "./problem.jsx";
import { editService } from "./requests.js";

/**
 * @param {object} props
 * @param {import('./requests.js').Service} props.service
 * @param {(answer: {bound: import('../key/model.js').Bound | null}) => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
export function LimitsDialog({ service, onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { request } = useSession();
  const [first] = useState(() => limitsValuesOf(service.ceiling));
  const form = useForm(first);
  const submit = async () => {
    const missing = missingInLimits(form.values, "#");
    const changes = differing(limitsFields(first), limitsFields(form.values));
    if (!missing.length && !Object.keys(changes).length) return onCancel();
    const answer = await form.submit(missing, () => editService(request, service, changes));
    if (answer?.ok) onDone(answer.data);
    else if (answer && !answer.problem.errors) onStale();
    return undefined;
  };
  const leave = () => form.leave(onCancel);
  return (
    <Dialog title={say("service.limits")} onCancel={leave} dirty={form.dirty} class="form">
      <Form onSubmit={submit} busy={form.busy}>
        <div class="body">
          <ErrorSummary {...form.mistakes} />
          <ServiceProblem problem={form.problem} />
          <p class="hint">{say("limits.lead")}</p>
          <AtStake path={BY_SERVICE} limits />
          <LimitsFields
            limits={form.values}
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
