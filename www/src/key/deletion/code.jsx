// Draws step 2 of a deletion, which asks for the code from the mail.
import { useEffect, useState } from "preact/hooks";
import { send } from "../../client/api.js";
import { useSession } from "../../client/session.jsx";
import { useLocale } from "../../i18n/locale.jsx";
import { useAnnounce } from "../../ui/announcer.jsx";
import { Dialog } from "../../ui/dialog.jsx";
import { CodeField, Form, errorOf } from "../../ui/fields.jsx";
import { useForm, useMistakeFocus } from "../../ui/form.js";
import { WarningIcon } from "../../ui/icons.jsx";
import { Notice } from "../../ui/notice.jsx";
import { ProblemNotice } from "../../ui/problem.jsx";
import { DeletionProblem, DisableInstead, KeyList } from "./parts.jsx";
import { confirmDeletion, loadDeletion, mailNewCode, openDeletion } from "./requests.js";

const POLL_MS = 2000;
const FIELD = "code";

/**
 * @param {object} props
 * @param {import('../model.js').Key[]} props.keys
 * @param {import('./requests.js').Deletion} props.deletion as it was opened
 * @param {import('./parts.jsx').Disabling} props.disabling
 * @param {(answer: import('./requests.js').Deleted) => void} props.onDone
 * @param {(problem: import('../../client/api.js').Problem | null) => void} props.onCancel
 */
export function CodeStep({ keys, deletion: opened, disabling, onDone, onCancel }) {
  const { say, format } = useLocale();
  const announce = useAnnounce();
  const { request } = useSession();
  const [deletion, setDeletion] = useState(opened);
  const [mailed, setMailed] = useState(0);
  const sending = useForm({ code: "" });
  const mailing = useForm({});
  useMistakeFocus(sending.mistakes);
  useMailStatus(deletion, setDeletion);

  /** @param {string} code @param {Record<string, number>} parameters */
  const refuse = (code, parameters) => {
    sending.setProblem(null);
    sending.show([{ pointer: `#/${FIELD}`, code, ...parameters }]);
  };
  const submit = async () => {
    const { code } = sending.values;
    const missing = code.trim() ? [] : [{ pointer: `#/${FIELD}`, code: "required" }];
    const answer = await sending.submit(missing, () => confirmDeletion(request, deletion, code));
    if (answer?.ok) onDone(answer.data);
    else if (answer?.problem.code === "code_wrong") {
      const { tries_left = 0 } = answer.problem;
      setDeletion((before) => ({ ...before, tries_left }));
      if (tries_left > 0) refuse("wrong", { count: tries_left });
      else refuse("over", {});
    } else if (answer?.problem.code === "code_over") refuse("over", {});
  };
  // Once the tries or the time of this deletion are over, another begins for the same keys.
  const mailAgain = async () => {
    const answer = await mailing.submit([], async () => {
      const again = deletion.tries_left > 0 ? await mailNewCode(request, deletion) : null;
      return !again || again.problem?.code === "code_over" ? openDeletion(request, keys) : again;
    });
    if (!answer?.ok) return;
    sending.setProblem(null);
    sending.show([]);
    setDeletion(answer.data);
    setMailed(mailed + 1);
    announce(say("delete.mailed-again", { address: answer.data.sent_to }));
    document.getElementById(FIELD)?.focus();
  };
  const busy = sending.busy || mailing.busy || disabling.busy;
  const leave = () => !busy && onCancel(sending.problem);
  const error = errorOf(sending.mistakes.errors, FIELD);
  const isStuck = ["failing", "refused"].includes(deletion.mail);
  const slots = {
    count: keys.length,
    address: <strong>{deletion.sent_to}</strong>,
    until: <strong>{format.clock(deletion.expires_at)}</strong>,
    zone: format.zone,
  };

  return (
    <Dialog title={say("delete.title")} describedBy="code-body" onCancel={leave} cross={false}>
      <Form onSubmit={submit} busy={busy}>
        <div id="code-body">
          <p>{say(mailed ? "delete.mailed-new" : "delete.mailed", slots)}</p>
          <KeyList keys={keys} />
        </div>
        {isStuck && (
          <Notice about={deletion.mail}>
            <p>
              <WarningIcon /> {say(deletion.mail === "refused" ? "delete.mail-refused" : "delete.mail-failing")}
            </p>
          </Notice>
        )}
        <DeletionProblem problem={sending.problem ?? mailing.problem} keys={keys} />
        <ProblemNotice problem={disabling.problem} />
        <CodeField
          id={FIELD}
          label={say("delete.code")}
          hint={error ? say("delete.code.hint") : say("delete.code.tries", { count: deletion.tries_left })}
          error={error}
          first
          {...sending.field("code")}
        />
        <div class="actions">
          <button class="danger">{say(sending.busy ? "delete.busy" : "delete.send")}</button>
          <button type="button" onClick={mailAgain}>
            {say(mailing.busy ? "delete.mailing" : "delete.mail-again")}
          </button>
          {isStuck && <DisableInstead disabling={disabling} />}
          <button type="button" onClick={leave}>
            {say("cancel")}
          </button>
        </div>
      </Form>
    </Dialog>
  );
}

/**
 * Loads the deletion again and again until its mail is out.
 * @param {import('./requests.js').Deletion} deletion
 * @param {(change: (before: import('./requests.js').Deletion) => import('./requests.js').Deletion)
 *   => void} onDeletion
 */
function useMailStatus(deletion, onDeletion) {
  useEffect(() => {
    if (["sent", "refused"].includes(deletion.mail)) return undefined;
    const control = new AbortController();
    const timer = setInterval(async () => {
      const answer = await loadDeletion(send, deletion, control.signal);
      if (answer.ok) onDeletion((before) => ({ ...before, ...answer.data }));
    }, POLL_MS);
    return () => {
      clearInterval(timer);
      control.abort();
    };
  }, [deletion.id, deletion.mail]);
}
