// Draws the choices of a regeneration: the overlap of both pairs, and the end of the new one.
import { useLocale } from "../../i18n/locale.jsx";
import { FieldError, attributesOf, errorOf } from "../../ui/fields.jsx";
import { DayAndTime } from "../form/moment.jsx";
import { OVERLAPS, endsLater, lifeOf } from "./values.js";

/**
 * @typedef {object} FieldsProps
 * @property {import('../model.js').Key} subject
 * @property {import('./values.js').RegenerationValues} values
 * @property {(change: Partial<import('./values.js').RegenerationValues>) => void} change
 * @property {import('../../ui/fields.jsx').FieldMistake[]} errors
 */

/**
 * Draws a group of radio buttons, and a date below it if that is chosen.
 * @param {object} props
 * @param {string} props.id
 * @param {string} props.legend
 * @param {{value: string, label: string}[]} props.options
 * @param {string} props.chosen
 * @param {(value: string) => void} props.onChoose
 * @param {string} [props.error]
 * @param {string} props.date
 * @param {string} props.time
 * @param {(change: {date: string} | {time: string}) => void} props.onMoment
 */
function Choice({ id, legend, options, chosen, onChoose, error, date, time, onMoment }) {
  return (
    <fieldset class={error ? "field wrong" : "field"} aria-describedby={error ? `${id}-error` : undefined}>
      <legend>{legend}</legend>
      <FieldError id={id} error={error} />
      <div class="radios">
        {options.map(({ value, label }, place) => (
          <label key={value}>
            <input
              type="radio"
              name={id}
              // An error of the group leads to its first button, unless there is a date.
              id={place === 0 && chosen !== "date" ? id : undefined}
              checked={chosen === value}
              onChange={() => onChoose(value)}
            />{" "}
            {label}
          </label>
        ))}
      </div>
      {chosen === "date" && (
        <DayAndTime id={id} date={date} time={time} onChange={onMoment} described={attributesOf(id, error)} />
      )}
    </fieldset>
  );
}

/** @param {FieldsProps} props */
export function OverlapField({ values, change, errors }) {
  const { say } = useLocale();
  return (
    <Choice
      id="overlap"
      legend={say("regenerate.overlap")}
      options={OVERLAPS.map((value) => ({ value, label: say(`regenerate.overlap.${value}`) }))}
      chosen={values.overlap}
      onChoose={(overlap) => change({ overlap: /** @type {import('./values.js').Overlap} */ (overlap) })}
      error={errorOf(errors, "overlap")}
      date={values.overlapDate}
      time={values.overlapTime}
      onMoment={(moment) => change("date" in moment ? { overlapDate: moment.date } : { overlapTime: moment.time })}
    />
  );
}

/** @param {FieldsProps} props */
export function NewExpiryField({ subject, values, change, errors }) {
  const { say, format } = useLocale();
  const life = lifeOf(subject);
  const same = life === null ? say("expiry.unlimited") : say("regenerate.expires.same", { span: format.during(life) });
  const options = [
    { value: "same", label: same },
    ...(endsLater(subject)
      ? [{ value: "old", label: say("regenerate.expires.old", { until: format.end(String(subject.expires_at)) }) }]
      : []),
    { value: "date", label: say("form.expires.date") },
  ];
  return (
    <Choice
      id="expires"
      legend={say("regenerate.expires")}
      options={options}
      chosen={values.expiry}
      onChoose={(expiry) => change({ expiry: /** @type {import('./values.js').NewExpiry} */ (expiry) })}
      error={errorOf(errors, "expires")}
      date={values.date}
      time={values.time}
      onMoment={change}
    />
  );
}
