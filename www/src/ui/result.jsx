// Says what an action led to, in whole sentences, where the action was.
import { useEffect, useState } from "preact/hooks";
import { serverNow } from "../client/clock.js";
import { useLocale } from "../i18n/locale.jsx";
import { TickIcon } from "./icons.jsx";

/**
 * @typedef {import('../i18n/locale.jsx').Locale} Locale
 *
 * The time from which a change holds everywhere: `within_s` 0 means that it already does, `at` null
 * that no time can be named.
 * @typedef {{at: string | null, within_s: number | null}} Bound
 *
 * @typedef {object} Result
 * @property {string} act an action on a key, an account or the service credentials
 * @property {{id?: string, name: string}[]} [keys] what it was done to
 * @property {string} [but] why it does not work although it was enabled
 * @property {Bound | null} bound
 * @property {string} [restorable_until]
 * @property {string} [works] from when, from where and for what an issued key works
 */

/**
 * Beginnings of the messages about the bound, by action. Most actions refuse a key; these narrow
 * limits, or end what an old password issued.
 * @type {Record<string, string>}
 */
const BOUND_KEYS = {
  edited: "bound.limits",
  regenerated: "bound.old",
  ended: "bound.old",
  removed: "bound.keys",
  freshness: "bound.freshness",
  service_edited: "bound.limits",
  service_password: "bound.service",
  user_edited: "bound.limits",
  user_renamed: "bound.user-name",
  user_key_changed: "bound.api-key",
};

/**
 * Says from when the change of a result holds everywhere; an empty text without a bound.
 * @param {Locale} locale
 * @param {Result} result
 * @param {boolean} passed `true` once the time of the bound is over
 */
export function boundText({ say, format }, { act, bound }, passed) {
  if (!bound) return "";
  const key = BOUND_KEYS[act] ?? "bound.refused";
  if (bound.at === null) return say(`${key}.eventually`);
  if (bound.within_s === 0) return say(`${key}.now`);
  return say(passed ? `${key}.since` : `${key}.by`, { time: format.time(bound.at), zone: format.zone });
}

/**
 * Says '"Build server" is deleted' or "3 keys are deleted".
 * @param {Locale} locale
 * @param {Result} result
 */
function doneText({ say }, { act, keys = [], but }) {
  if (keys.length > 1) return say(`result.${act}.many`, { count: keys.length });
  return say(`result.${act}${but && act === "enabled" ? ".but" : ""}`, { name: keys[0]?.name ?? "" });
}

/** Returns every sentence of a result. @param {Locale} locale @param {Result} result */
export function resultText(locale, result, passed = false) {
  const { say, format } = locale;
  const back =
    result.restorable_until && say("result.restorable", { until: format.day(new Date(result.restorable_until)) });
  const sentences = [doneText(locale, result), result.works, result.but, boundText(locale, result, passed), back];
  return sentences.filter(Boolean).join(locale.gap);
}

/**
 * Returns `true` once the server's clock has passed the bound: "by 12:00:10" then becomes "since".
 * @param {Bound | null} bound
 */
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

/**
 * Draws the result of an action below the row of what it was done to.
 * @param {{result: Result, columns: number}} props
 */
export const ResultRow = ({ result, columns }) => (
  <tr class="result-row">
    <td colSpan={columns}>
      <ResultNote result={result} />
    </td>
  </tr>
);

/** @param {{result: Result}} props */
export function ResultNote({ result }) {
  const locale = useLocale();
  const passed = usePassed(result.bound);
  return (
    <p class="result">
      <TickIcon /> <span>{resultText(locale, result, passed)}</span>
    </p>
  );
}
