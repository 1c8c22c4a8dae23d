// "Ken changed this key at 12:01; yours is not saved." Both versions side by side, and which one to go on with.
import { useState } from "preact/hooks";
import { endOfDay, instantOf } from "../../i18n/format.js";
import { useLocale } from "../../i18n/locale.jsx";
import { Notice } from "../../ui/notice.jsx";
import { limitsFields, merged, valuesOf } from "../form/values.js";

/**
 * @param {object} props
 * @param {import('../../client/api.js').Problem} props.problem
 * @param {import('../form/values.js').KeyValues} props.base what both started from
 * @param {import('../form/values.js').KeyValues} props.mine
 * @param {(key: import('../model.js').Key, values: import('../form/values.js').KeyValues) => void} props.onAdopt
 */
export function Conflict({ problem, base, mine, onAdopt }) {
  const { say, format } = useLocale();
  const [both, setBoth] = useState(false);

  const theirs = valuesOf(problem.key, format.zone);

  return (
    <Notice about={both || problem} bad={false}>
      <p>{say("changed", { by: problem.by, time: format.clock(problem.at) })}</p>
      {both ? (
        <>
          <Both theirs={theirs} mine={mine} by={problem.by} />
          <p class="row">
            <button type="button" onClick={() => onAdopt(problem.key, merged(base, mine, theirs, format.zone))}>
              {say("changed.mine")}
            </button>
            <button type="button" onClick={() => onAdopt(problem.key, theirs)}>
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

function Both({ theirs, mine, by }) {
  const { say, format } = useLocale();
  const rows = [
    ["form.name", ({ name }) => name],
    ["column.expires", (values) => expiryText(values, say, format)],
    ["key.not-before", ({ later, ...values }) => (later ? beginText(values, format) : say("begins.now"))],
    ["form.networks", ({ networks }) => networks || say("networks.anywhere")],
    ["form.permissions", ({ permissions }) => permissions.join("\n") || say("permissions.none")],
    ["key.issuable", ({ issuable }) => (issuable ? limitsText(issuable, say) : say("no"))],
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

function expiryText(values, say, format) {
  if (values.expiry === "never") return say("expiry.unlimited");
  if (values.expiry === "duration") return `${values.amount} ${say(`unit.${values.unit}`)}`;
  if (!values.date) return "";
  return format.end(
    values.time ? instantOf(values.date, values.time, format.zone) : endOfDay(values.date, format.zone),
  );
}

function beginText(values, format) {
  if (!values.beginDate) return "";
  return format.dateTime(instantOf(values.beginDate, values.beginTime || "00:00", format.zone));
}

function limitsText(limits, say) {
  const { permissions, networks, longest } = limitsFields(limits);
  const life = longest === "never" ? say("expiry.unlimited") : `${limits.amount} ${say(`unit.${limits.unit}`)}`;
  return [life, networks || say("networks.anywhere"), ...permissions].join("\n");
}
