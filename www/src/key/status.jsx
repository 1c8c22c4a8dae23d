// Shows a key's status as a word with an icon; icons differ by shape.
import { serverNow } from "../client/clock.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ActiveIcon, DeletedIcon, DisabledIcon, ExpiredIcon, ShieldIcon, WaitingIcon } from "../ui/icons.jsx";

const ICONS = {
  active: ActiveIcon,
  disabled: DisabledIcon,
  mfa_off: ShieldIcon,
  expired: ExpiredIcon,
  ended: ExpiredIcon,
  not_yet_valid: WaitingIcon,
  deleted: DeletedIcon,
};

/**
 * Says the message `key` of the member whose MFA is off, `key.own` to that member, and `key.removed`
 * of one who is none any more.
 * @param {import('../i18n/locale.jsx').Locale} locale
 * @param {string} key
 * @param {import('./model.js').WithoutMfa} member
 * @param {import('../client/session.jsx').Session} session
 */
export function sayOfMember({ say }, key, { id, name, removed }, session) {
  if (id === session.member.id) return say(`${key}.own`);
  return say(removed ? `${key}.removed` : key, { name });
}

/** @param {{subject: import('./model.js').Key}} props */
export function Status({ subject: { status, mfa_off, restorable_until, overlap_until, replaced_by } }) {
  const locale = useLocale();
  const { say, format } = locale;
  const { session } = useSession();
  const Icon = ICONS[status];
  return (
    <>
      <span class={`status ${status}`}>
        <Icon />
        {say(`status.${status}`)}
      </span>
      {status === "ended" && <span class="by">{say("status.ended.why")}</span>}
      {status === "mfa_off" && mfa_off && (
        <span class="by">{sayOfMember(locale, "status.mfa_off.until", mfa_off, session)}</span>
      )}
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
