// A new account: first the question, then the one showing of its set-up link.
import { useRef, useState } from "preact/hooks";
import { useConsole } from "../console.jsx";
import { Dialog } from "../dialog.jsx";
import { CloseQuestion, Secret, useGuard } from "../keys/reveal.jsx";
import { useLocale } from "../locale.jsx";
import { ProblemNotice } from "../problem.jsx";
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
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const sending = useRef(false);

  const confirm = async () => {
    if (sending.current) return;
    sending.current = true;
    setBusy(true);
    setProblem(null);
    // A link whose answer was lost is worth nothing: trying again makes another.
    const answer = await inviteAccount(request, crypto.randomUUID());
    sending.current = false;
    setBusy(false);
    if (answer.ok) onInvited(answer.data);
    else setProblem(answer.problem);
  };

  return (
    <Dialog title={say("invite.title")} describedBy="invite-body" onCancel={() => busy || onCancel()}>
      <p id="invite-body">{say("invite.body")}</p>
      <ProblemNotice problem={problem} as={problem?.code === "no_answer" ? "invite_no_answer" : undefined} />
      <div class="actions">
        <button type="button" class="primary" onClick={confirm}>
          {say(busy ? "invite.busy" : "invite.confirm")}
        </button>
        <button type="button" onClick={() => busy || onCancel()}>
          {say("cancel")}
        </button>
      </div>
    </Dialog>
  );
}

/** @param {{invited: {link: string, account: import('./account.js').Account}, onDone: () => void}} props */
function Link({ invited, onDone }) {
  const { say, format } = useLocale();
  const [copied, setCopied] = useState(false);
  const [asking, setAsking] = useState(false);
  useGuard(onDone);

  return (
    <Dialog title={say("invited.title")} onCancel={() => setAsking(true)} focus="title" class="reveal" cross={false}>
      <div class="body">
        <p class="lead">{say("invited.once", { at: format.dateTime(invited.account.link_until), zone: format.zone })}</p>
        <Secret
          id="link"
          label={say("invited.link")}
          value={invited.link}
          copyLabel={say("copy.link")}
          refused="copy.refused.text"
          main
          primary={!copied}
          onCopied={() => setCopied(true)}
        />
        <p class="hint">{say("invited.where")}</p>
      </div>
      <div class="actions">
        <button type="button" class={copied ? "primary" : undefined} onClick={onDone}>
          {say("reveal.stored")}
        </button>
      </div>
      {asking && (
        <CloseQuestion copied={copied} body="invited.close.body" onKeep={() => setAsking(false)} onClose={onDone} />
      )}
    </Dialog>
  );
}
