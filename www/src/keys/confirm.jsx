// Confirmations of single acts. Each names the key, says effect, bound and way back, and stays open until the answer.
import { useRef, useState } from "preact/hooks";
import { useConsole } from "../console.jsx";
import { Dialog } from "../dialog.jsx";
import { useLocale } from "../locale.jsx";
import { Notice } from "../notice.jsx";
import { ProblemNotice, leavesUnsure } from "../problem.jsx";
import { deleteKey, disableKey, enableKey } from "./key.js";

const ACTS = {
  disable: { send: disableKey, act: "disabled" },
  enable: { send: enableKey, act: "enabled" },
  delete: { send: deleteKey, act: "deleted" },
};

/**
 * @param {object} props
 * @param {'disable' | 'enable' | 'delete'} props.what
 * @param {import('./key.js').Key} props.subject
 * @param {(outcome: import('./key.js').Outcome) => void} props.onDone
 * @param {(key: import('./key.js').Key) => void} props.onChanged somebody else changed the key meanwhile
 * @param {() => void} props.onUnsure what became of the act is not known
 * @param {() => void} props.onCancel
 */
export function Confirm({ what, subject, onDone, onChanged, onUnsure, onCancel }) {
  const { say, format } = useLocale();
  const { request, session } = useConsole();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const sending = useRef(false);
  const { send, act } = ACTS[what];
  const slots = { name: subject.name, id: subject.access_key };
  const within = session.account.freshness_s;

  const confirm = async () => {
    if (sending.current) return;
    sending.current = true;
    setBusy(true);
    setProblem(null);
    const answer = await send(request, subject);
    sending.current = false;
    setBusy(false);
    if (answer.ok) return onDone({ act, key: answer.data.key ?? subject, bound: answer.data.bound });
    if (answer.problem.code === "changed_meanwhile") onChanged(answer.problem.key);
    return setProblem(answer.problem);
  };
  const leave = () => {
    if (busy) return;
    if (leavesUnsure(problem)) onUnsure();
    onCancel();
  };

  return (
    <Dialog role="alertdialog" title={say(`${what}.title`, slots)} describedBy="confirm-body" onCancel={leave}>
      <p id="confirm-body">
        {say(within === 0 ? `${what}.body.now` : `${what}.body`, { ...slots, count: within, seconds: within })}
      </p>
      {problem?.code === "changed_meanwhile" ? (
        <Notice about={problem} bad={false}>
          <p>{say("changed.look", { by: problem.by, time: format.clock(problem.at) })}</p>
        </Notice>
      ) : (
        <ProblemNotice problem={problem} />
      )}
      <div class="actions">
        <button type="button" class={what === "delete" ? "danger" : "primary"} onClick={confirm}>
          {say(busy ? `${what}.busy` : `${what}.confirm`)}
        </button>
        <button type="button" onClick={leave} data-focus="">
          {say("cancel")}
        </button>
      </div>
    </Dialog>
  );
}
