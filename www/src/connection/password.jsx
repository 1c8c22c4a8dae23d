// Changes the service password, which ends every key that the old password issued.
import { useSession } from "../client/session.jsx";
import { sayWithin } from "../i18n/bound.js";
import { useLocale } from "../i18n/locale.jsx";
import { AtStake, BY_SERVICE } from "../key/at-stake.jsx";
import { Confirmation } from "../ui/confirmation.jsx";
import { useForm } from "../ui/form.js";
import { ServiceProblem } from "./problem.jsx";
import { renewService } from "./requests.js";

/**
 * @param {object} props
 * @param {import('./requests.js').Service} props.service
 * @param {(answer: import('./requests.js').ServiceSecrets
 *   & {bound: import('../key/model.js').Bound | null}) => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
export function NewPassword({ service, onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { request, session } = useSession();
  const form = useForm({});
  const change = async () => {
    const answer = await form.submit([], () => renewService(request, service));
    if (answer?.ok) onDone(answer.data);
    else if (answer) onStale();
  };
  const leave = () => form.leave(onCancel);
  return (
    <Confirmation
      title={say("service.change.title")}
      body={sayWithin(say, "service.change.body", session.account)}
      confirm={say(form.busy ? "service.change.busy" : "service.change.confirm")}
      danger
      onConfirm={change}
      onCancel={leave}
    >
      <AtStake path={BY_SERVICE} />
      <ServiceProblem problem={form.problem} />
    </Confirmation>
  );
}
