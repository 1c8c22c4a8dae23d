// Moments of a key's life.
import { serverNow } from "../clock.js";
import { useLocale } from "../locale.jsx";

/** When a key ends: exact, or "Unlimited". @param {{at: string | null, short?: boolean}} props */
export function Expiry({ at, short = false }) {
  const { say, format } = useLocale();
  if (!at) return say("expiry.unlimited");
  return <time dateTime={at}>{format.end(at, { short })}</time>;
}

/** A past event: how long ago, with the exact time beside it or, in the table, one click away on the key's page. */
export function Past({ at, exact = false }) {
  const { say, format } = useLocale();
  const ago = format.past(at, serverNow());
  return (
    <time dateTime={at} title={`${format.dateTime(at)} (${format.zone})`}>
      {exact ? say("past.exact", { at: format.dateTime(at), ago }) : ago}
    </time>
  );
}
