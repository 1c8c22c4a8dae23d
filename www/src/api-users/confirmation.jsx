// Confirms that an API user is locked, unlocked or restored. The dialog says the effect, the bound
// and the way back, and stays open until the response.
import { useSession } from "../client/session.jsx";
import { sayWithin } from "../i18n/bound.js";
import { useLocale } from "../i18n/locale.jsx";
import { LastUse } from "../key/times.jsx";
import { Confirmation } from "../ui/confirmation.jsx";
import { useForm } from "../ui/form.js";
import { UserProblem } from "./conflict.jsx";
import { conflictOf, lockUser, restoreUser, unlockUser } from "./requests.js";

const ACTS = {
  lock: { send: lockUser, act: "user_locked" },
  unlock: { send: unlockUser, act: "user_unlocked" },
  restore: { send: restoreUser, act: "user_restored" },
};

/** @param {import('./requests.js').ActionProps & {what: 'lock' | 'unlock' | 'restore'}} props */
export function UserConfirmation({ what, subject, onSaved, onDone, onChanged, onStale }) {
  const { say, gap } = useLocale();
  const { request, session } = useSession();
  const form = useForm({});
  const { send, act } = ACTS[what];
  // A user that was locked when it was deleted comes back locked, so no time matters.
  const body =
    what === "restore" && subject.locked
      ? say("api-user.restore.body.locked")
      : sayWithin(say, `api-user.${what}.body`, session.account);

  const confirm = async () => {
    const answer = await form.submit([], () => send(request, subject));
    if (answer?.ok) {
      onSaved({ act, keys: [answer.data.user], bound: answer.data.bound });
      onDone();
    }
    const changed = conflictOf(answer?.problem);
    if (changed) onChanged(changed.user);
  };
  return (
    <Confirmation
      title={say(`api-user.${what}.title`, { name: subject.name })}
      body={
        <>
          {body}
          {what === "lock" && (
            <>
              {gap}
              <LastUse subject={subject} sentence />
            </>
          )}
        </>
      }
      confirm={say(form.busy ? `api-user.${what}.busy` : `act.${what}`)}
      onConfirm={confirm}
      onCancel={() => form.leave(onDone, onStale)}
    >
      <UserProblem problem={form.problem} />
    </Confirmation>
  );
}
