// Draws a date and an optional time.
import { useLocale } from "../../i18n/locale.jsx";

/**
 * @param {object} props
 * @param {string} props.id of the date
 * @param {string} props.date
 * @param {string} props.time
 * @param {(change: {date: string} | {time: string}) => void} props.onChange
 * @param {ReturnType<typeof import('../../ui/fields.jsx').attributesOf>} props.described of the date
 */
export function DayAndTime({ id, date, time, onChange, described }) {
  const { say } = useLocale();
  return (
    <div class="pair">
      <label>
        {say("form.expires.day")}{" "}
        <input
          id={id}
          type="date"
          value={date}
          onInput={(event) => onChange({ date: event.currentTarget.value })}
          {...described}
        />
      </label>
      <label>
        {say("form.expires.time")}{" "}
        <input
          type="time"
          value={time}
          onInput={(event) => onChange({ time: event.currentTarget.value })}
          aria-describedby={described["aria-describedby"]}
        />
      </label>
    </div>
  );
}
