// Draws a few exclusive choices side by side: language, theme.
import { useId } from "preact/hooks";

/**
 * @template {string} Value
 * @param {object} props
 * @param {string} props.legend
 * @param {Record<Value, string>} props.options
 * @param {Value} props.value
 * @param {(value: Value) => void} props.onChange
 */
export function Segments({ legend, options, value, onChange }) {
  const name = useId();
  const entries = /** @type {[Value, string][]} */ (Object.entries(options));
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      <div class="segments">
        {entries.map(([option, label]) => (
          <label key={option} lang={option in { en: 1, ja: 1 } ? option : undefined}>
            <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
