// Shows that somebody changed the key meanwhile: both versions side by side, and the choice between
// them.
import { useState } from "preact/hooks";
import { endOfDay, instantOf } from "../../i18n/format.js";
import { useLocale } from "../../i18n/locale.jsx";
import { Notice } from "../../ui/notice.jsx";
import { limitsFields, merged, valuesOf } from "../form/values.js";

/**
 * @typedef {import('../form/values.js').KeyValues} KeyValues
 * @typedef {import('../../i18n/locale.jsx').Locale} Locale
 */

/**
 * @param {object} props
 * @param {import('../model.js').Conflict} props.conflict
 * @param {KeyValues} props.base the version that both started from
 * @param {KeyValues} props.mine
 * @param {(key: import('../model.js').Key, values: KeyValues) => void} props.onAdopt
 */
export function Conflict({ conflict, base, mine, onAdopt }) {
  const { say, format } = useLocale();
  const [both, setBoth] = useState(false);

  const theirs = valuesOf(conflict.key, format.zone);

  return (
    <Notice about={both || conflict} bad={false}>
      <p>{say("changed", { by: conflict.by, time: format.clock(conflict.at) })}</p>
      {both ? (
        <>
          <Both theirs={theirs} mine={mine} by={conflict.by} />
          <p class="row">
            <button type="button" onClick={() => onAdopt(conflict.key, merged(base, mine, theirs, format.zone))}>
              {say("changed.mine")}
            </button>
            <button type="button" onClick={() => onAdopt(conflict.key, theirs)}>
              {say("changed.theirs")}
            </button>
          </p>
        </>
      ) : (
        <button type="button" onClick={() => setBoth(true)}>
          {say("changed.both")}
        </button>
      )}
    </Notice>
  );
}

/** @param {{theirs: KeyValues, mine: KeyValues, by: string}} props */
function Both({ theirs, mine, by }) {
  const locale = useLocale();
  const { say } = locale;
  /** @type {[string, (values: KeyValues) => string][]} */
  const rows = [
    ["form.name", ({ name }) => name],
    ["column.expires", (values) => expiryText(values, locale)],
    ["key.not-before", (values) => (values.later ? beginText(values, locale) : say("begins.now"))],
    ["form.networks", ({ networks }) => networks || say("networks.anywhere")],
    ["form.permissions", ({ permissions }) => permissions.join("\n") || say("permissions.none")],
    ["key.issuable", ({ issuable }) => (issuable ? limitsText(issuable, locale) : say("no"))],
    ["key.protected", ({ isProtected }) => say(isProtected ? "yes" : "no")],
  ];
  return (
    <table class="both">
      <thead>
        <tr>
          <td />
          <th scope="col">{say("changed.by", { by })}</th>
          <th scope="col">{say("changed.yours")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([key, text]) => (
          <tr key={key} class={text(theirs) === text(mine) ? undefined : "differs"}>
            <th scope="row">{say(key)}</th>
            <td>{text(theirs)}</td>
            <td>{text(mine)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** @param {KeyValues} values @param {Locale} locale */
function expiryText(values, { say, format }) {
  if (values.expiry === "never") return say("expiry.unlimited");
  if (values.expiry === "duration") return `${values.amount} ${say(`unit.${values.unit}`)}`;
  if (!values.date) return "";
  return format.end(
    values.time ? instantOf(values.date, values.time, format.zone) : endOfDay(values.date, format.zone),
  );
}

/** @param {KeyValues} values @param {Locale} locale */
function beginText(values, { format }) {
  if (!values.beginDate) return "";
  return format.dateTime(instantOf(values.beginDate, values.beginTime || "00:00", format.zone));
}

/** @param {import('../form/values.js').LimitsValues} limits @param {Locale} locale */
function limitsText(limits, { say }) {
  const { permissions, networks, longest } = limitsFields(limits);
  const longestText = longest === "never" ? say("expiry.unlimited") : `${limits.amount} ${say(`unit.${limits.unit}`)}`;
  return [longestText, networks || say("networks.anywhere"), ...permissions].join("\n");
}
