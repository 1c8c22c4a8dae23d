// Changes the member's e-mail address: mails a code to the new one, then takes the code.
import { useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { ErrorSummary, Field, Form, FormActions, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { MailboxStep } from "../ui/mailbox.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { confirmAddress, mailAddressCode } from "./requests.js";

/** @typedef {import('../client/session.jsx').Session} Session */

/** @param {{onDone: (session: Session) => void, onCancel: () => void}} props */
export function AddressDialog({ onDone, onCancel }) {
  const { say } = useLocale();
  const { request, session } = useSession();
  const form = useForm({ email: "" });
  const [code, setCode] = useState(/** @type {import('../ui/mailbox.jsx').MailboxCode | null} */ (null));
  const email = form.values.email.trim();
  const mail = () => mailAddressCode(request, email);
  const leave = () => form.leave(onCancel);

  const submit = async () => {
    const answer = await form.submit(missingFields(form.values, ["email"]), mail);
    if (answer?.ok) setCode(answer.data);
  };
  const back = () => setCode(null);
  const { problem } = form;
  return (
    <Dialog
      key={code ? "code" : "form"}
      title={say("address.change.title")}
      onCancel={leave}
      dirty={!code && form.dirty}
      cross={!code}
    >
      {code ? (
        <MailboxStep
          address={email}
          code={code}
          mail={mail}
          confirm={(typed) => confirmAddress(request, email, typed)}
          onDone={onDone}
          onRefused={(refused) => {
            if (!["address_taken", "mail_off"].includes(refused.code)) return false;
            form.setProblem(refused);
            back();
            return true;
          }}
          onBack={back}
          onCancel={onCancel}
          submit={say("address.submit")}
          busy={say("password.change.busy")}
        />
      ) : (
        <Form onSubmit={submit} busy={form.busy}>
          <ErrorSummary {...form.mistakes} />
          <ProblemNotice
            problem={problem}
            as={problem?.code === "address_taken" ? "address_of_another" : undefined}
            text={problem?.code === "mail_off" ? say("mailbox.mail-off") : undefined}
          />
          <p>{say("address.change.body", { address: session.member.email })}</p>
          <Field id="email" label={say("address.new")} error={errorOf(form.mistakes.errors, "email")}>
            {(control) => <input {...control} {...form.field("email")} type="email" autocomplete="email" />}
          </Field>
          <FormActions submit={say(form.busy ? "delete.mailing" : "reset.send")} onCancel={leave} />
        </Form>
      )}
    </Dialog>
  );
}
