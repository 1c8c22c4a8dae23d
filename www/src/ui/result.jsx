// What an act led to, in whole sentences, where the act was.
import { useEffect, useState } from "preact/hooks";
import { serverNow } from "../client/clock.js";
import { useLocale } from "../i18n/locale.jsx";
import { TickIcon } from "./icons.jsx";

/** What an act narrows has other words than what it refuses, and a new password ends what the old one issued. */
const BOUND_KEYS = {
  edited: "bound.limits",
  freshness: "bound.freshness",
  service_edited: "bound.limits",
  service_password: "bound.service",
};

/** @param {import('../key/model.js').Bound | null} bound @param {boolean} passed whether the bound's moment is over */
function boundText({ say, format }, { act, bound }, passed) {
  if (!bound) return "";
  const key = BOUND_KEYS[act] ?? "bound.refused";
  if (bound.at === null) return say(`${key}.eventually`);
  if (bound.within_s === 0) return say(`${key}.now`);
  return say(passed ? `${key}.since` : `${key}.by`, { time: format.time(bound.at), zone: format.zone });
}

/** "Build server" is deleted; 3 keys are deleted. */
function doneText({ say }, { act, keys = [] }) {
  if (keys.length > 1) return say(`result.${act}.many`, { count: keys.length });
  return say(`result.${act}`, { name: keys[0]?.name ?? "" });
}

/** Every sentence of an outcome. @param {import('../key/model.js').Result} result */
export function resultText(locale, result, passed = false) {
  const { say, format } = locale;
  const back =
    result.restorable_until && say("result.restorable", { until: format.day(new Date(result.restorable_until)) });
  const sentences = [doneText(locale, result), boundText(locale, result, passed), back];
  return sentences.filter(Boolean).join(locale.gap);
}

/** "Refused everywhere by 12:00:10." becomes "since" when the server's clock has passed it. */
function usePassed(bound) {
  const left = bound?.at ? Date.parse(bound.at) - serverNow() : 0;
  const [, redraw] = useState(0);
  useEffect(() => {
    if (left <= 0) return undefined;
    const timer = setTimeout(() => redraw((turn) => turn + 1), left);
    return () => clearTimeout(timer);
  }, [bound]);
  return left <= 0;
}

/** @param {{result: import('../key/model.js').Result}} props */
export function ResultNote({ result }) {
  const locale = useLocale();
  const passed = usePassed(result.bound);
  return (
    <p class="result">
      <TickIcon /> <span>{resultText(locale, result, passed)}</span>
    </p>
  );
}
