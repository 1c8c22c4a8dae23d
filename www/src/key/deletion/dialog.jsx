// Deleting keys: what it means, then a code from a mail, then done. Disabling needs no mail, so it stands by.
import { useState } from "preact/hooks";
import { serverNow } from "../../client/clock.js";
import { useSession } from "../../client/session.jsx";
import { sayWithin } from "../../i18n/bound.js";
import { useLocale } from "../../i18n/locale.jsx";
import { Dialog } from "../../ui/dialog.jsx";
import { useForm } from "../../ui/form.js";
import { ProblemNotice, isUncertain } from "../../ui/problem.jsx";
import { disableKey } from "../model.js";
import { CodeStep } from "./code.jsx";
import { DeletionProblem, DisableInstead, KeyList } from "./parts.jsx";
import { openDeletion } from "./requests.js";

/** How long a deleted key can be restored. The day is the server's once it has answered. */
const RESTORABLE_MS = 30 * 86_400_000;

/** After these the page shows something else than there is. */
const MOVED = ["not_found", "protected", "changed_meanwhile"];

/**
 * @param {object} props
 * @param {import('../model.js').Key[]} props.keys
 * @param {(result: import('../model.js').Result) => void} props.onDone
 * @param {() => void} props.onStale what became of the keys is not known
 * @param {() => void} props.onCancel
 */
export function DeletionDialog({ keys, onDone, onStale, onCancel }) {
  const [opened, setOpened] = useState(/** @type {import('./requests.js').Open | null} */ (null));
  const disabling = useDisabling(keys, onDone);
  const leave = (problem) => {
    if (isUncertain(problem) || MOVED.includes(problem?.code) || disabling.some) onStale();
    onCancel();
  };
  const deleted = ({ deleted: ids, bound, restorable_until }) =>
    onDone({ act: "deleted", keys: keys.filter(({ id }) => ids.includes(id)), bound, restorable_until });

  return opened ? (
    <CodeStep keys={keys} deletion={opened} disabling={disabling} onDone={deleted} onCancel={leave} />
  ) : (
    <FirstStep keys={keys} disabling={disabling} onOpened={setOpened} onCancel={leave} />
  );
}

/** Step 1: names the keys, says when they stop, how much they were used, and until when they can come back. */
function FirstStep({ keys, disabling, onOpened, onCancel }) {
  const { say, format } = useLocale();
  const { request, session } = useSession();
  const form = useForm({});
  const until = format.day(new Date(serverNow() + RESTORABLE_MS));
  const mailed = session.mail !== "off";
  const used = keys.filter(({ uses_24h }) => uses_24h > 0);

  const open = async () => {
    const answer = await form.submit([], () => openDeletion(request, keys));
    if (answer?.ok) onOpened(answer.data);
  };
  const busy = form.busy || disabling.busy;
  const leave = () => !busy && onCancel(form.problem);

  return (
    <Dialog role="alertdialog" title={say("delete.title")} describedBy="delete-body" onCancel={leave}>
      <div id="delete-body">
        <p>{sayWithin(say, "delete.body", session.account, { count: keys.length, until })}</p>
        <KeyList keys={keys} />
        {used.map(({ id, name, uses_24h }) => (
          <p key={id}>{say("delete.used", { name, count: uses_24h })}</p>
        ))}
      </div>
      {!mailed && <p class="notice">{say("delete.mail-off")}</p>}
      <DeletionProblem problem={form.problem} keys={keys} />
      <ProblemNotice problem={disabling.problem} />
      <div class="actions">
        {mailed && (
          <button type="button" class="danger" onClick={open}>
            {say(form.busy ? "delete.opening" : "delete.confirm")}
          </button>
        )}
        {(!mailed || form.problem) && <DisableInstead disabling={disabling} />}
        <button type="button" onClick={leave} data-focus="">
          {say("cancel")}
        </button>
      </div>
    </Dialog>
  );
}

/** Disables those that are enabled, one after the other; each answer counts for itself. */
function useDisabling(keys, onDone) {
  const { request } = useSession();
  const form = useForm({ done: [] });
  const { done } = form.values;
  const left = keys.filter(({ id, enabled }) => enabled && !done.some((key) => key.id === id));

  const run = async () => {
    const disabled = [...done];
    const answer = await form.submit([], async () => {
      let last = { ok: true, data: { bound: null } };
      for (const key of left) {
        last = await disableKey(request, key);
        if (!last.ok) break;
        disabled.push(last.data.key);
      }
      return last;
    });
    form.change({ done: disabled });
    if (answer?.ok) onDone({ act: "disabled", keys: disabled, bound: answer.data.bound });
  };
  return { run, left: left.length, some: done.length > 0, busy: form.busy, problem: form.problem };
}
