// What an act led to, in whole sentences, where the act was.
import { useEffect, useState } from "preact/hooks";
import { serverNow } from "../clock.js";
import { TickIcon } from "../icons.jsx";
import { useLocale } from "../locale.jsx";

/** These do not refuse a key, they narrow something; so their bounds have other words. */
const BOUND_KEYS = { edited: "bound.limits", freshness: "bound.freshness" };

/** @param {import('./key.js').Outcome} outcome @param {boolean} passed whether the bound's moment is over */
export function boundText({ say, format }, { act, bound }, passed) {
  if (!bound) return "";
  const key = BOUND_KEYS[act] ?? "bound.refused";
  if (bound.within_s === 0) return say(`${key}.now`);
  return say(passed ? `${key}.since` : `${key}.by`, { time: format.time(bound.at), zone: format.zone });
}

/** The whole outcome as one announcement. */
export function outcomeText(locale, outcome) {
  const done = locale.say(`outcome.${outcome.act}`, { name: outcome.key.name });
  return [done, boundText(locale, outcome, false)].filter(Boolean).join(locale.lang === "en" ? " " : "");
}

/** "Refused everywhere by 12:00:10." becomes "since" when the server's clock has passed it. */
function usePassed(bound) {
  const left = bound ? Date.parse(bound.at) - serverNow() : 0;
  const [, redraw] = useState(0);
  useEffect(() => {
    if (left <= 0) return undefined;
    const timer = setTimeout(() => redraw((turn) => turn + 1), left);
    return () => clearTimeout(timer);
  }, [bound]);
  return left <= 0;
}

/** @param {{outcome: import('./key.js').Outcome}} props */
export function OutcomeNote({ outcome }) {
  const locale = useLocale();
  const passed = usePassed(outcome.bound);
  return (
    <p class="outcome">
      <TickIcon />{" "}
      <span>
        {locale.say(`outcome.${outcome.act}`, { name: outcome.key.name })} {boundText(locale, outcome, passed)}
      </span>
    </p>
  );
}
