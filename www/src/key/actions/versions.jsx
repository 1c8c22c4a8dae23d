// Says that somebody changed what a form edits, and shows both versions side by side.
import { useState } from "preact/hooks";
import { endOfDay, instantOf } from "../../i18n/format.js";
import { useLocale } from "../../i18n/locale.jsx";
import { Notice } from "../../ui/notice.jsx";

/** @typedef {import('../../i18n/locale.jsx').Locale} Locale */

/**
 * @template Values
 * @param {object} props
 * @param {{by: string}} props.conflict
 * @param {string} props.text says who changed it, and when
 * @param {[string, (values: Values) => string][]} props.rows name and text of each field
 * @param {Values} props.theirs
 * @param {Values} props.mine
 * @param {() => void} props.onMine called to go on with the member's changes
 * @param {() => void} props.onTheirs called to go on with the other version
 */
export function Versions({ conflict, text, rows, theirs, mine, onMine, onTheirs }) {
  const { say } = useLocale();
  const [both, setBoth] = useState(false);
  return (
    <Notice about={both || conflict} bad={false}>
      <p>{text}</p>
      {both ? (
        <>
          <Both rows={rows} theirs={theirs} mine={mine} by={conflict.by} />
          <p class="row">
            <button type="button" onClick={onMine}>
              {say("changed.mine")}
            </button>
            <button type="button" onClick={onTheirs}>
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

/**
 * @template Values
 * @param {object} props
 * @param {[string, (values: Values) => string][]} props.rows
 * @param {Values} props.theirs
 * @param {Values} props.mine
 * @param {string} props.by
 */
function Both({ rows, theirs, mine, by }) {
  const { say } = useLocale();
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
        {rows.map(([name, text]) => (
          <tr key={name} class={text(theirs) === text(mine) ? undefined : "differs"}>
            <th scope="row">{name}</th>
            <td>{text(theirs)}</td>
            <td>{text(mine)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/**
 * Returns the end in a form.
 * @param {import('../form/values.js').EndValues} values
 * @param {Locale} locale
 */
export function endOf(values, { say, format }) {
  if (values.expiry === "never") return say("expiry.unlimited");
  if (values.expiry === "duration") return `${values.amount} ${say(`unit.${values.unit}`)}`;
  if (!values.date) return "";
  return format.end(
    values.time ? instantOf(values.date, values.time, format.zone) : endOfDay(values.date, format.zone),
  );
}

/**
 * Returns the beginning in a form.
 * @param {import('../form/values.js').BeginValues} values
 * @param {Locale} locale
 */
export function beginOf(values, { say, format }) {
  if (!values.later) return say("begins.now");
  if (!values.beginDate) return "";
  return format.dateTime(instantOf(values.beginDate, values.beginTime || "00:00", format.zone));
}
