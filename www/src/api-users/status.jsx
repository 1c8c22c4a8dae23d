// Shows the status of an API user as a word with an icon, and what it may do as words.
import { RestorableUntil, StatusWord } from "../key/status.jsx";

/** @param {{subject: import('./requests.js').ApiUser}} props */
export const UserStatus = ({ subject: { status, restorable_until } }) => (
  <>
    <StatusWord status={status} />
    <RestorableUntil at={restorable_until} />
  </>
);

/**
 * Names the interfaces: "HTTP, SMTP", or "None".
 * @param {import('../i18n/locale.jsx').Locale} locale
 * @param {import('./requests.js').Interface[]} interfaces
 */
export const interfacesText = ({ say }, interfaces) =>
  interfaces.length
    ? interfaces.map((one) => say(`api-user.interface.${one}`)).join(", ")
    : say("api-user.interface.none");
