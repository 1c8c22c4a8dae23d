// Shows the status of an API user as a word with an icon, and what it may do as words.
import { useLocale } from "../i18n/locale.jsx";
import { ActiveIcon, DeletedIcon, DisabledIcon, ExpiredIcon, LockIcon, WaitingIcon } from "../ui/icons.jsx";

const ICONS = {
  active: ActiveIcon,
  locked: LockIcon,
  account_suspended: DisabledIcon,
  not_yet_valid: WaitingIcon,
  expired: ExpiredIcon,
  deleted: DeletedIcon,
};

/** @param {{subject: import('./requests.js').ApiUser}} props */
export function UserStatus({ subject: { status, restorable_until } }) {
  const { say, format } = useLocale();
  const Icon = ICONS[status];
  return (
    <>
      <span class={`status ${status}`}>
        <Icon />
        {say(`status.${status}`)}
      </span>
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

/**
 * Names the interfaces: "HTTP, SMTP", or "None".
 * @param {import('../i18n/locale.jsx').Locale} locale
 * @param {import('./requests.js').Interface[]} interfaces
 */
export const interfacesText = ({ say }, interfaces) =>
  interfaces.length
    ? interfaces.map((one) => say(`api-user.interface.${one}`)).join(", ")
    : say("api-user.interface.none");
