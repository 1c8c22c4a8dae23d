// Formats the times of a key.
import { serverNow } from "../client/clock.js";
import { useLocale } from "../i18n/locale.jsx";

/**
 * Time for which a deleted key or API user can be restored. The server's response names the exact
 * day.
 */
const RESTORABLE_MS = 30 * 86_400_000;

/**
 * Returns the day until which what is deleted now can be restored.
 * @param {import('../i18n/locale.jsx').Locale['format']} format
 */
export const restorableDay = (format) => format.day(new Date(serverNow() + RESTORABLE_MS));

/**
 * Formats the exact time at which a key ends, or "Unlimited".
 * @param {{at: string | null, short?: boolean}} props
 */
export function Expiry({ at, short = false }) {
  const { say, format } = useLocale();
  if (!at) return say("expiry.unlimited");
  return <time dateTime={at}>{format.end(at, { short })}</time>;
}

/**
 * Formats how long ago something happened. `exact` adds the time; tables leave it to the key's
 * page.
 * @param {{at: string, exact?: boolean}} props
 */
export function TimeAgo({ at, exact = false }) {
  const { say, format } = useLocale();
  const now = serverNow();
  const ago = format.past(at, now);
  const precise = format.dateTime(at);
  const full = format.recent(at, now) ? say("past.exact", { at: precise, ago }) : precise;
  return (
    <time dateTime={at} title={`${precise} (${format.zone})`}>
      {exact ? full : ago}
    </time>
  );
}

/**
 * Formats the last use of a key or API user. Confirmations show it as a `sentence`.
 * @param {{subject: {last_used_at: string | null}, sentence?: boolean, exact?: boolean}} props
 */
export function LastUse({ subject: { last_used_at }, sentence = false, exact = false }) {
  const { say } = useLocale();
  if (!last_used_at) return say(sentence ? "use.never.sentence" : "use.never");
  const past = <TimeAgo at={last_used_at} exact={exact} />;
  return sentence ? say("use.last.sentence", { ago: past }) : past;
}
