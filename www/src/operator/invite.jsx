// A new account: first the question, then the one showing of its set-up link.
import { useState } from "preact/hooks";
import { useConsole } from "../console.jsx";
import { Dialog } from "../dialog.jsx";
import { useLocale } from "../locale.jsx";
import { ProblemNotice } from "../problem.jsx";
import { Secret, SecretDialog } from "../secret.jsx";
import { useForm } from "../use-form.js";
import { inviteAccount } from "./account.js";

/** @param {{onDone: () => void}} props the link has been stored, or the question was left */
export function Invite({ onDone }) {
  /** The only place that holds the link; gone with the dialog. */
  const [invited, setInvited] = useState(null);
  return invited ? <Link invited={invited} onDone={onDone} /> : <Question onInvited={setInvited} onCancel={onDone} />;
}

function Question({ onInvited, onCancel }) {
  const { say } = useLocale();
  const { request } = useConsole();
  const form = useForm({});
  const { problem } = form;

  const confirm = async () => {
    // A link whose answer was lost is worth nothing: trying again makes another.
    const answer = await form.submit([], () => inviteAccount(request, crypto.randomUUID()));
    if (answer?.ok) onInvited(answer.data);
  };

  return (
    <Dialog title={say("invite.title")} describedBy="invite-body" onCancel={() => form.busy || onCancel()}>
      <p id="invite-body">{say("invite.body")}</p>
      <ProblemNotice problem={problem} as={problem?.code === "no_answer" ? "invite_no_answer" : undefined} />
      <div class="actions">
        <button type="button" class="primary" onClick={confirm}>
          {say(form.busy ? "invite.busy" : "invite.confirm")}
        </button>
        <button type="button" onClick={() => form.busy || onCancel()}>
          {say("cancel")}
        </button>
      </div>
    </Dialog>
  );
}

/** @param {{invited: {link: string, account: import('./account.js').Account}, onDone: () => void}} props */
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
