// Shows the refused calls of a key, apart from its uses.
import { useLocale } from "../i18n/locale.jsx";
import { TimeAgo } from "./times.jsx";

/** Reasons that have a text of their own. */
const REASONS = [
  "disabled",
  "account_suspended",
  "mfa_off",
  "not_yet_valid",
  "expired",
  "network_denied",
  "interface_denied",
  "permission_denied",
  "not_issuable",
  "issued_key",
];

/**
 * Returns the number of a key's refused calls in the last 24 hours.
 * @param {import('./model.js').Key} subject
 */
export const refusedCount = ({ refused_24h }) =>
  Object.values(refused_24h ?? {}).reduce((sum, count) => sum + count, 0);

/**
 * Says how many calls were refused in the last 24 hours; nothing if none was.
 * @param {{subject: import('./model.js').Key}} props
 */
export function RefusedLine({ subject }) {
  const { say } = useLocale();
  const count = refusedCount(subject);
  return count > 0 ? <span class="by">{say("use.refused", { count })}</span> : null;
}

/**
 * Lists the refused calls by reason, the most frequent first, and the time of the last one.
 * @param {{subject: import('./model.js').Key}} props
 */
export function RefusedCalls({ subject }) {
  const { say } = useLocale();
  const reasons = Object.entries(subject.refused_24h ?? {}).sort(([, a], [, b]) => b - a);
  return (
    <>
      {subject.last_refused_at && <TimeAgo at={subject.last_refused_at} exact />}
      {reasons.map(([reason, count]) => (
        <span key={reason} class="by">
          {say(`use.refused.${REASONS.includes(reason) ? reason : "other"}`, { count })}
        </span>
      ))}
      {reasons.length === 0 && <span class="by">{say("use.refused.none")}</span>}
    </>
  );
}
