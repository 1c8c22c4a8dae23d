// Confirms an action on an account. The dialog says the effect, the bound and the way back. It
// stays open until the response.
import { useSession } from "../client/session.jsx";
import { sayWithin } from "../i18n/bound.js";
import { useLocale } from "../i18n/locale.jsx";
import { Confirmation } from "../ui/confirmation.jsx";
import { useForm } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { AccessLinks } from "./access.jsx";
import { beginRestore, finishRestore, rebuild, resume, suspend, withdraw } from "./requests.js";

const ACTS = {
  suspend: { send: suspend, act: "suspended" },
  resume: { send: resume, act: "resumed" },
  rebuild: { send: rebuild, act: "rebuilt" },
  "restore-begin": { send: beginRestore, act: "restore-begun" },
  "restore-finish": { send: finishRestore, act: "restore-finished" },
  withdraw: { send: withdraw, act: "withdrawn" },
};

/** @typedef {keyof typeof ACTS} AccountAction */

/**
 * Says how many keys of an account stop with it, and how many are in use.
 * @param {import('../i18n/locale.jsx').Locale} locale
 * @param {import('./requests.js').AccountKeys} keys
 */
function accountAtStake({ say, gap }, { by_members, by_issuers, used_24h }) {
  const used = used_24h > 0 ? "at-stake.account.used" : "at-stake.account.unused";
  return [
    say("at-stake.account.members", { count: by_members }),
    say("at-stake.account.issuers", { count: by_issuers }),
    say(used, { count: used_24h }),
    say("at-stake.account.sealed"),
  ].join(gap);
}

/**
 * @param {object} props
 * @param {AccountAction} props.what
 * @param {import('./requests.js').Account | import('./requests.js').OpenAccount} props.account
 * @param {string} props.name
 * @param {(act: string, bound: import('../key/model.js').Bound | null) => void} props.onDone
 * @param {() => void} props.onStale called if the result of the action is unknown
 * @param {() => void} props.onCancel
 */
export function AccountConfirmation({ what, account, name, onDone, onStale, onCancel }) {
  const locale = useLocale();
  const { say, has } = locale;
  const { request, session } = useSession();
  const form = useForm({});
  const { send, act } = ACTS[what];
  const body = `operate.${what}.body`;
  const isOpen = "within_s" in account;
  const bound = { freshness: session.account.freshness, freshness_s: isOpen ? account.within_s : 0 };

  const confirm = async () => {
    const answer = await form.submit([], () => send(request, account));
    if (answer?.ok) onDone(act, answer.data?.bound ?? null);
  };
  const leave = () => form.leave(onCancel, onStale);

  return (
    <Confirmation
      title={say(`operate.${what}.title`, { name })}
      body={has(`${body}.now`) ? sayWithin(say, body, bound) : say(body)}
      confirm={say(form.busy ? "operate.busy" : `operate.${what}.confirm`)}
      danger={what === "suspend" || what === "withdraw"}
      onConfirm={confirm}
      onCancel={leave}
    >
      {what === "suspend" && isOpen && account.keys && <p class="at-stake">{accountAtStake(locale, account.keys)}</p>}
      <ProblemNotice problem={form.problem} as={form.problem?.code === "setup_done" ? "account_set_up" : undefined}>
        <AccessLinks problem={form.problem} />
      </ProblemNotice>
    </Confirmation>
  );
}
