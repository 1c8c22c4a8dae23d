// Shows a key's status as a word with an icon; icons differ by shape.
import { serverNow } from "../client/clock.js";
import { useLocale } from "../i18n/locale.jsx";
import { ActiveIcon, DeletedIcon, DisabledIcon, ExpiredIcon, WaitingIcon } from "../ui/icons.jsx";

const ICONS = {
  active: ActiveIcon,
  disabled: DisabledIcon,
  expired: ExpiredIcon,
  ended: ExpiredIcon,
  not_yet_valid: WaitingIcon,
  deleted: DeletedIcon,
};

/** @param {{subject: import('./model.js').Key}} props */
export function Status({ subject: { status, restorable_until, overlap_until, replaced_by } }) {
  const { say, format } = useLocale();
  const Icon = ICONS[status];
  return (
    <>
      <span class={`status ${status}`}>
        <Icon />
        {say(`status.${status}`)}
      </span>
      {status === "ended" && <span class="by">{say("status.ended.why")}</span>}
      {overlap_until && Date.parse(overlap_until) > serverNow() && (
        <span class="by">
          {say(replaced_by ? "status.replaced" : "status.rotating", {
            until: <time dateTime={overlap_until}>{format.end(overlap_until, { short: true })}</time>,
          })}
        </span>
      )}
      {restorable_until && (
        <span class="by">
          {say("status.until", {
            day: <time dateTime={restorable_until}>{format.day(new Date(restorable_until))}</time>,
          })}
        </span>
      )}
    </>
  );
}
