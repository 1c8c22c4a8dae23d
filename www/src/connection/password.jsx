// Changing the service password: whatever the old one issued ends with it.
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { Confirmation } from "../ui/confirmation.jsx";
import { useForm } from "../ui/form.js";
import { withinKey } from "../i18n/bound.js";
import { renewService } from "./requests.js";

/**
 * @param {object} props
 * @param {import('./requests.js').Service} props.service
 * @param {(answer: object) => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
export function NewPassword({ service, onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { request, session } = useSession();
  const form = useForm({});
  const { freshness, freshness_s: within } = session.account;
  const change = async () => {
    const answer = await form.submit([], () => renewService(request, service));
    if (answer?.ok) onDone(answer.data);
    else if (answer) onStale();
  };
  const leave = () => !form.busy && onCancel();
  return (
    <Confirmation
      title={say("service.change.title")}
      body={say(withinKey("service.change.body", freshness, within), { seconds: within })}
      confirm={say(form.busy ? "service.change.busy" : "service.change.confirm")}
      danger
      onConfirm={change}
      onCancel={leave}
    >
      <ProblemNotice
        problem={form.problem}
        as={form.problem?.code === "changed_meanwhile" ? "service_changed" : undefined}
      />
    </Confirmation>
  );
}
