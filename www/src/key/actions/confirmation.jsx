// Confirms a single action on a key. The dialog names the key and says the effect, the bound and
// the way back. It stays open until the response.
import { useSession } from "../../client/session.jsx";
import { sayWithin } from "../../i18n/bound.js";
import { useLocale } from "../../i18n/locale.jsx";
import { Confirmation } from "../../ui/confirmation.jsx";
import { useForm } from "../../ui/form.js";
import { Notice } from "../../ui/notice.jsx";
import { ProblemNotice } from "../../ui/problem.jsx";
import { AtStake, issuedBy } from "../at-stake.jsx";
import { conflictOf, disableKey, enableKey, endOverlap, restoreKey } from "../model.js";
import { sayOfMember } from "../status.jsx";
import { LastUse } from "../times.jsx";

const ACTS = {
  disable: { send: disableKey, act: "disabled" },
  enable: { send: enableKey, act: "enabled" },
  restore: { send: restoreKey, act: "restored" },
  end: { send: endOverlap, act: "ended" },
};

/**
 * @param {object} props
 * @param {'disable' | 'enable' | 'restore' | 'end'} props.what
 * @param {import('../model.js').Key} props.subject
 * @param {(result: import('../model.js').KeyResult) => void} props.onDone
 * @param {(key: import('../model.js').Key) => void} props.onChanged called if somebody changed the
 *   key meanwhile
 * @param {() => void} props.onStale called if the result of the action is unknown
 * @param {() => void} props.onCancel
 */
export function KeyConfirmation({ what, subject, onDone, onChanged, onStale, onCancel }) {
  const locale = useLocale();
  const { say, gap, format } = locale;
  const { request, session } = useSession();
  const form = useForm({});
  const conflict = conflictOf(form.problem);
  const { send, act } = ACTS[what];
  // A key that was disabled when it was deleted comes back disabled, so no time matters.
  const stops = what === "disable" || what === "end";
  const starts = what === "enable" || (what === "restore" && subject.enabled);
  const isTimeless = what === "restore" && !subject.enabled;
  const body = isTimeless ? say("restore.body.disabled") : sayWithin(say, `${what}.body`, session.account);

  const confirm = async () => {
    const answer = await form.submit([], () => send(request, subject));
    if (answer?.ok) {
      const key = answer.data.key ?? subject;
      const but = starts && key.mfa_off ? sayOfMember(locale, "mfa-off.stays", key.mfa_off, session) : undefined;
      onDone({ act, keys: [key], bound: answer.data.bound, but });
    }
    const changed = conflictOf(answer?.problem);
    if (changed) onChanged(changed.key);
  };
  const leave = () => form.leave(onCancel, onStale);

  return (
    <Confirmation
      title={say(`${what}.title`, { name: subject.name })}
      body={
        <>
          {body}
          {starts && subject.mfa_off && (
            <>
              {gap}
              {sayOfMember(locale, "mfa-off.stays", subject.mfa_off, session)}
            </>
          )}
          {stops && (
            <>
              {gap}
              <LastUse subject={subject} sentence />
              {gap}
              {say(subject.uses_24h > 0 ? "at-stake.calls" : "at-stake.no-calls", { count: subject.uses_24h })}
            </>
          )}
        </>
      }
      confirm={say(form.busy ? `${what}.busy` : `${what}.confirm`)}
      onConfirm={confirm}
      onCancel={leave}
    >
      {stops && subject.issuable && <AtStake path={issuedBy(subject)} />}
      {conflict ? (
        <Notice about={conflict} bad={false}>
          <p>{say("changed.look", { by: conflict.by, time: format.clock(conflict.at) })}</p>
        </Notice>
      ) : (
        <ProblemNotice problem={form.problem} />
      )}
    </Confirmation>
  );
}
