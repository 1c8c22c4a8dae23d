// Deletes keys in two steps: the effect, then a code from a mail. Disabling needs no mail, so the
// dialog offers it too. Where the account's policy demands no code, one key goes in one step.
import { useState } from "preact/hooks";
import { policyOf } from "../../client/policy.js";
import { useSession } from "../../client/session.jsx";
import { sayWithin } from "../../i18n/bound.js";
import { useLocale } from "../../i18n/locale.jsx";
import { Dialog } from "../../ui/dialog.jsx";
import { useForm } from "../../ui/form.js";
import { ProblemNotice, isUncertain } from "../../ui/problem.jsx";
import { AtStake, issuedBy } from "../at-stake.jsx";
import { disableKey } from "../model.js";
import { restorableDay } from "../times.jsx";
import { CodeStep } from "./code.jsx";
import { DeletionProblem, DisableInstead, KeyList } from "./parts.jsx";
import { deleteKey, openDeletion } from "./requests.js";

/**
 * Returns `true` if the deletion needs no code.
 * @param {import('../model.js').Key[]} keys
 * @param {import('../../client/session.jsx').Session} session
 */
const isDirect = (keys, session) => keys.length === 1 && !policyOf(session).deletion_by_code;

/** Codes after which the page may show what is no longer so. */
const STALE = ["not_found", "protected", "changed_meanwhile"];

/**
 * @param {object} props
 * @param {import('../model.js').Key[]} props.keys
 * @param {(result: import('../model.js').KeyResult) => void} props.onDone
 * @param {() => void} props.onStale called if the page may show what is no longer so
 * @param {() => void} props.onCancel
 */
export function DeletionDialog({ keys, onDone, onStale, onCancel }) {
  const [opened, setOpened] = useState(/** @type {import('./requests.js').Deletion | null} */ (null));
  const disabling = useDisabling(keys, onDone);
  /** @param {import('../../client/api.js').Problem | null} problem */
  const leave = (problem) => {
    if (isUncertain(problem) || (problem && STALE.includes(problem.code)) || disabling.some) onStale();
    onCancel();
  };
  /** @param {import('./requests.js').Deleted} answer */
  const deleted = ({ deleted: ids, bound, restorable_until }) =>
    onDone({ act: "deleted", keys: keys.filter(({ id }) => ids.includes(id)), bound, restorable_until });

  return opened ? (
    <CodeStep keys={keys} deletion={opened} disabling={disabling} onDone={deleted} onCancel={leave} />
  ) : (
    <FirstStep keys={keys} disabling={disabling} onOpened={setOpened} onDeleted={deleted} onCancel={leave} />
  );
}

/**
 * Draws step 1: names the keys, and says when they stop, how much they were used, and until when
 * they can be restored.
 * @param {object} props
 * @param {import('../model.js').Key[]} props.keys
 * @param {import('./parts.jsx').Disabling} props.disabling
 * @param {(deletion: import('./requests.js').Deletion) => void} props.onOpened
 * @param {(deleted: import('./requests.js').Deleted) => void} props.onDeleted
 * @param {(problem: import('../../client/api.js').Problem | null) => void} props.onCancel
 */
function FirstStep({ keys, disabling, onOpened, onDeleted, onCancel }) {
  const { say, format } = useLocale();
  const { request, session } = useSession();
  const form = useForm({});
  const until = restorableDay(format);
  const direct = isDirect(keys, session);
  const mailed = direct || session.mail !== "off";
  const used = keys.filter(({ uses_24h }) => uses_24h > 0);

  const open = async () => {
    if (direct) {
      const answer = await form.submit([], () => deleteKey(request, keys[0]));
      return answer?.ok && onDeleted(answer.data);
    }
    const answer = await form.submit([], () => openDeletion(request, keys));
    return answer?.ok && onOpened(answer.data);
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
        {used.length === 0 && <p>{say("delete.unused", { count: keys.length })}</p>}
      </div>
      {keys
        .filter(({ issuable }) => issuable)
        .map((key) => (
          <AtStake key={key.id} path={issuedBy(key)} name={keys.length > 1 ? key.name : undefined} />
        ))}
      {!mailed && <p class="notice">{say("delete.mail-off")}</p>}
      <DeletionProblem problem={form.problem} keys={keys} />
      <ProblemNotice problem={disabling.problem} />
      <div class="actions">
        {mailed && (
          <button type="button" class="danger" onClick={open}>
            {say(form.busy ? (direct ? "delete.busy" : "delete.opening") : "delete.confirm")}
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

/**
 * Disables the enabled keys one after the other; each response counts by itself.
 * @param {import('../model.js').Key[]} keys
 * @param {(result: import('../model.js').KeyResult) => void} onDone
 * @returns {import('./parts.jsx').Disabling}
 */
export function useDisabling(keys, onDone) {
  const { request } = useSession();
  const form = useForm({ done: /** @type {import('../model.js').Key[]} */ ([]) });
  const { done } = form.values;
  const left = keys.filter(({ id, enabled }) => enabled && !done.some((key) => key.id === id));

  const run = async () => {
    const disabled = [...done];
    const answer = await form.submit([], async () => {
      /** @type {Awaited<ReturnType<typeof disableKey>>} */
      let last = { ok: true, data: { bound: null } };
      for (const key of left) {
        last = await disableKey(request, key);
        if (!last.ok) break;
        disabled.push(last.data.key ?? key);
      }
      return last;
    });
    form.change({ done: disabled });
    if (answer?.ok) onDone({ act: "disabled", keys: disabled, bound: answer.data.bound });
  };
  return { run, left: left.length, some: done.length > 0, busy: form.busy, problem: form.problem };
}
