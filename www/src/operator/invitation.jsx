// A new account: first the question, then the one showing of its set-up link.
import { useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Confirmation } from "../ui/confirmation.jsx";
import { useForm } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { Secret, SecretDialog } from "../ui/secret.jsx";
import { inviteAccount } from "./requests.js";

/** @param {{onDone: () => void}} props the link has been stored, or the question was left */
export function Invite({ onDone }) {
  /** The only place that holds the link; gone with the dialog. */
  const [invited, setInvited] = useState(null);
  return invited ? <Link invited={invited} onDone={onDone} /> : <Offer onInvited={setInvited} onCancel={onDone} />;
}

function Offer({ onInvited, onCancel }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({});
  const { problem } = form;

  const confirm = async () => {
    // A link whose answer was lost is worth nothing: trying again makes another.
    const answer = await form.submit([], () => inviteAccount(request, crypto.randomUUID()));
    if (answer?.ok) onInvited(answer.data);
  };

  return (
    <Confirmation
      title={say("invite.title")}
      body={say("invite.body")}
      confirm={say(form.busy ? "invite.busy" : "invite.confirm")}
      onConfirm={confirm}
      onCancel={() => form.leave(onCancel)}
    >
      <ProblemNotice problem={problem} as={problem?.code === "no_answer" ? "invite_no_answer" : undefined} />
    </Confirmation>
  );
}

/** @param {{invited: {link: string, account: import('./requests.js').Account}, onDone: () => void}} props */
function Link({ invited, onDone }) {
  const { say, format } = useLocale();
  return (
    <SecretDialog
      title={say("invited.title")}
      lead={say("invited.once", { at: format.dateTime(invited.account.link_until), zone: format.zone })}
      once
      closeBody="invited.close.body"
      onDone={onDone}
    >
      {({ copied, onCopied }) => (
        <>
          <Secret
            id="link"
            label={say("invited.link")}
            value={invited.link}
            copyLabel={say("copy.link")}
            refused="copy.refused.text"
            main
            primary={!copied}
            onCopied={onCopied}
          />
          <p class="hint">{say("invited.where")}</p>
        </>
      )}
    </SecretDialog>
  );
}
