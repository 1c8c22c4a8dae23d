// Deletes an API user in two steps: the member's password, then a second click.
import { useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { sayWithin } from "../i18n/bound.js";
import { useLocale } from "../i18n/locale.jsx";
import { LastUse, restorableDay } from "../key/times.jsx";
import { Confirmation } from "../ui/confirmation.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { Form, FormActions, PasswordField, PasswordOwner, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm, useMistakeFocus } from "../ui/form.js";
import { UserProblem } from "./conflict.jsx";
import { conflictOf, deleteUser } from "./requests.js";

/** Codes of a password that is not the member's. */
const REFUSED = ["step_up_refused", "sign_in_refused"];

const PASSWORD = "delete-password";

/** @param {import('./requests.js').ActionProps} props */
export function UserDeletion({ subject, onSaved, onDone, onChanged, onStale }) {
  const { say, format, gap } = useLocale();
  const { request, session } = useSession();
  const form = useForm({ [PASSWORD]: "" });
  const [asking, setAsking] = useState(false);
  const until = restorableDay(format);
  const { name } = subject;
  useMistakeFocus(form.mistakes);

  const ask = () => {
    form.setProblem(null);
    const missing = missingFields(form.values, [PASSWORD]);
    form.show(missing);
    setAsking(missing.length === 0);
  };
  const confirm = async () => {
    const answer = await form.submit([], () => deleteUser(request, subject, form.values[PASSWORD]));
    if (!answer) return;
    if (answer.ok) {
      const { user, bound } = answer.data;
      onSaved({ act: "user_deleted", keys: [user], bound, restorable_until: user.restorable_until ?? undefined });
      onDone();
      return;
    }
    setAsking(false);
    if (REFUSED.includes(answer.problem.code)) {
      form.change({ [PASSWORD]: "" });
      form.setProblem(null);
      form.show([{ pointer: `#/${PASSWORD}`, code: "refused" }]);
    }
    const changed = conflictOf(answer.problem);
    if (changed) onChanged(changed.user);
  };
  const leave = () => form.leave(onDone, onStale);

  return (
    <Dialog title={say("api-user.delete.title", { name })} onCancel={leave}>
      <Form onSubmit={ask} busy={form.busy}>
        <UserProblem problem={form.problem} />
        <p>
          {sayWithin(say, "api-user.delete.body", session.account, { until })}
          {gap}
          <LastUse subject={subject} sentence />
        </p>
        <PasswordOwner email={session.member.email} />
        <PasswordField
          id={PASSWORD}
          label={say("password")}
          hint={say("api-user.delete.password.hint", { email: session.member.email })}
          error={errorOf(form.mistakes.errors, PASSWORD)}
          autocomplete="current-password"
          {...form.field(PASSWORD)}
          first
        />
        <FormActions submit={say("api-user.delete.next")} onCancel={leave} />
      </Form>
      {asking && (
        <Confirmation
          title={say("api-user.delete.last", { name })}
          body={say("api-user.delete.last.body", { until })}
          confirm={say(form.busy ? "delete.busy" : "act.delete")}
          danger
          onConfirm={confirm}
          onCancel={() => !form.busy && setAsking(false)}
        />
      )}
    </Dialog>
  );
}
