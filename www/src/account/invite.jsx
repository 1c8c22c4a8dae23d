// Invites a member: asks for address, role and language, and mails a link.
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { ErrorSummary, Field, Form, FormActions, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { WarningIcon } from "../ui/icons.jsx";
import { LanguageSelect } from "../ui/selects.jsx";
import { InvitationProblem } from "./invitations.jsx";
import { invite } from "./requests.js";
import { RoleChoice } from "./roles.jsx";

/**
 * @param {object} props
 * @param {(invitation: import('./requests.js').Invitation) => void} props.onDone
 * @param {() => void} props.onStale called if the result is unknown
 * @param {() => void} props.onCancel
 */
export function Invite({ onDone, onStale, onCancel }) {
  const { say, lang } = useLocale();
  const { request, session } = useSession();
  const form = useForm({
    email: "",
    role: /** @type {import('./requests.js').Role} */ ("viewer"),
    language: /** @type {import('../i18n/locale.jsx').Language} */ (lang),
  });
  const { values, mistakes } = form;
  const leave = () => form.leave(onCancel, onStale);

  const submit = async () => {
    const answer = await form.submit(missingFields(values, ["email"]), () =>
      invite(request, { ...values, email: values.email.trim() }),
    );
    if (answer?.ok) onDone(answer.data.invitation);
  };

  if (session.mail === "off")
    return (
      <Dialog title={say("invitation.title")} onCancel={onCancel}>
        <p>{say("invitation.mail-off")}</p>
        <div class="actions">
          <button type="button" onClick={onCancel}>
            {say("close")}
          </button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={say("invitation.title")} onCancel={leave} dirty={form.dirty}>
      <Form onSubmit={submit} busy={form.busy}>
        <ErrorSummary {...mistakes} />
        <InvitationProblem problem={form.problem} />
        {session.mail === "failing" && (
          <p class="notice">
            <span>
              <WarningIcon /> {say("invitation.mail-failing")}
            </span>
          </p>
        )}
        <Field
          id="email"
          label={say("email")}
          hint={say("invitation.email.hint")}
          error={errorOf(mistakes.errors, "email")}
        >
          {(control) => <input {...control} {...form.field("email")} type="email" autocomplete="off" />}
        </Field>
        <RoleChoice value={values.role} onChange={(role) => form.change({ role })} />
        <Field id="language" label={say("invitation.language")} error={errorOf(mistakes.errors, "language")}>
          {(control) => (
            <LanguageSelect {...control} value={values.language} onChange={(language) => form.change({ language })} />
          )}
        </Field>
        <FormActions submit={say(form.busy ? "invitation.busy" : "invitation.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}
