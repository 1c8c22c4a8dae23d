// Makes an account: first the confirmation, then its set-up link, shown once.
import { useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Confirmation } from "../ui/confirmation.jsx";
import { useForm } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { Secret, SecretDialog } from "../ui/secret.jsx";
import { AccessLinks } from "./access.jsx";
import { inviteAccount } from "./requests.js";

/** @typedef {{link: string, account: import('./requests.js').Account}} Invited */

/**
 * @param {{onDone: () => void}} props `onDone` is called once the link is stored or the dialog was
 *   left
 */
export function Invite({ onDone }) {
  // The only place that holds the link; it goes with the dialog.
  const [invited, setInvited] = useState(/** @type {Invited | null} */ (null));
  return invited ? <Link invited={invited} onDone={onDone} /> : <Offer onInvited={setInvited} onCancel={onDone} />;
}

/** @param {{onInvited: (invited: Invited) => void, onCancel: () => void}} props */
function Offer({ onInvited, onCancel }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({});
  const { problem } = form;

  const confirm = async () => {
    // A link whose response was lost is useless, so a second try makes another.
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
      <ProblemNotice problem={problem} as={problem?.code === "no_answer" ? "invite_no_answer" : undefined}>
        <AccessLinks problem={problem} />
      </ProblemNotice>
    </Confirmation>
  );
}

/** @param {{invited: Invited, onDone: () => void}} props */
function Link({ invited, onDone }) {
  const { say, format } = useLocale();
  return (
    <SecretDialog
      title={say("invited.title")}
      lead={say("invited.once", {
        at: invited.account.link_until ? format.dateTime(invited.account.link_until) : "",
        zone: format.zone,
      })}
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
