// Shows the status of a key as a word with an icon, and the parts that API users share. Icons
// differ by shape.
import { serverNow } from "../client/clock.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ActiveIcon, DeletedIcon, DisabledIcon, ExpiredIcon, LockIcon, ShieldIcon, WaitingIcon } from "../ui/icons.jsx";

const ICONS = {
  active: ActiveIcon,
  disabled: DisabledIcon,
  account_suspended: DisabledIcon,
  locked: LockIcon,
  mfa_off: ShieldIcon,
  expired: ExpiredIcon,
  ended: ExpiredIcon,
  not_yet_valid: WaitingIcon,
  deleted: DeletedIcon,
};

/** @param {{status: keyof typeof ICONS}} props */
export function StatusWord({ status }) {
  const { say } = useLocale();
  const Icon = ICONS[status];
  return (
    <span class={`status ${status}`}>
      <Icon />
      {say(`status.${status}`)}
    </span>
  );
}

/**
 * Says until which day something deleted can be restored.
 * @param {{at: string | null}} props `null` if it cannot be
 */
export function RestorableUntil({ at }) {
  const { say, format } = useLocale();
  if (!at) return null;
  return <span class="by">{say("status.until", { day: <time dateTime={at}>{format.day(new Date(at))}</time> })}</span>;
}

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
  return (
    <>
      <StatusWord status={status} />
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
      <RestorableUntil at={restorable_until} />
    </>
  );
}
