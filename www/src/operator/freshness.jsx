// Edits the time within which an account's changes hold everywhere.
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { ErrorSummary, Field, Form, FormActions, errorOf } from "../ui/fields.jsx";
import { useForm } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { AccessLinks } from "./access.jsx";
import { setFreshness } from "./requests.js";

/** An hour, the longest time that the server accepts. */
const SECONDS_MAX = 3600;

/**
 * @param {object} props
 * @param {import('./requests.js').OpenAccount} props.account
 * @param {(act: string, bound: import('../ui/result.jsx').Bound | null) => void} props.onDone
 * @param {() => void} props.onCancel
 */
export function FreshnessForm({ account, onDone, onCancel }) {
  const { say } = useLocale();
  const { request, session } = useSession();
  const form = useForm({ typed: String(account.freshness_s) });
  const hints = {
    bounded: say("freshness.hint", { max: SECONDS_MAX }),
    eventual: say("freshness.hint.eventually", { max: SECONDS_MAX }),
  };
  const leave = () => form.leave(onCancel);

  const submit = async () => {
    const text = form.values.typed.normalize("NFKC").trim();
    const seconds = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    const wrong = seconds <= SECONDS_MAX ? [] : [{ pointer: "#/freshness_s", code: "other", max: SECONDS_MAX }];
    const answer = await form.submit(wrong, () => setFreshness(request, account, seconds));
    if (answer?.ok) onDone("freshness", answer.data.bound ?? null);
  };

  return (
    <Dialog title={say("operator.freshness")} onCancel={leave} dirty={form.dirty}>
      <Form onSubmit={submit} busy={form.busy}>
        <ErrorSummary {...form.mistakes} />
        <ProblemNotice problem={form.problem}>
          <AccessLinks problem={form.problem} />
        </ProblemNotice>
        <Field
          id="freshness_s"
          label={say("freshness.seconds")}
          hint={hints[session.account.freshness]}
          error={errorOf(form.mistakes.errors, "freshness_s")}
        >
          {(control) => <input {...control} {...form.field("typed")} inputMode="numeric" autocomplete="off" />}
        </Field>
        <FormActions submit={say(form.busy ? "edit.busy" : "edit.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}
