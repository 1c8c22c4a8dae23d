// Warns of callers that new networks would lock out, and offers to add them.
import { serverNow } from "../../client/clock.js";
import { useLocale } from "../../i18n/locale.jsx";
import { Dialog } from "../../ui/dialog.jsx";

/** Most callers that the dialog names; it counts the others. */
const NAMED_MAX = 8;

/**
 * @param {object} props
 * @param {import('../model.js').Caller[]} props.callers
 * @param {(addresses: string[]) => void} props.onAdd
 * @param {() => void} props.onSave
 * @param {() => void} props.onCancel
 */
export function LockOutWarning({ callers, onAdd, onSave, onCancel }) {
  const { say, format } = useLocale();
  const now = serverNow();
  const add =
    callers.length === 1 ? "lock-out.add.one" : callers.length === 2 ? "lock-out.add.both" : "lock-out.add.all";
  return (
    <Dialog
      role="alertdialog"
      title={say("lock-out.title", { count: callers.length })}
      describedBy="lock-out-body"
      onCancel={onCancel}
    >
      <div id="lock-out-body">
        <p>{say("lock-out.body", { count: callers.length })}</p>
        <ul class="named">
          {callers.slice(0, NAMED_MAX).map(({ address, count, last_at }) => (
            <li key={address}>
              {say("lock-out.caller", { address: <code>{address}</code>, count, ago: format.past(last_at, now) })}
            </li>
          ))}
        </ul>
        {callers.length > NAMED_MAX && <p>{say("networks.more", { count: callers.length - NAMED_MAX })}</p>}
      </div>
      <div class="actions">
        <button type="button" class="primary" onClick={() => onAdd(callers.map(({ address }) => address))}>
          {say(add)}
        </button>
        <button type="button" onClick={onSave}>
          {say("lock-out.save")}
        </button>
        <button type="button" onClick={onCancel} data-focus="">
          {say("cancel")}
        </button>
      </div>
    </Dialog>
  );
}
