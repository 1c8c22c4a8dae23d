// A few exclusive choices side by side: language, theme.
import { useId } from "preact/hooks";

/**
 * @template {string} Value
 * @param {{legend: string, options: Record<Value, string>, value: Value, onChange: (value: Value) => void}} props
 */
export function Segments({ legend, options, value, onChange }) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      <div class="segments">
        {Object.entries(options).map(([option, label]) => (
          <label key={option} lang={option in { en: 1, ja: 1 } ? option : undefined}>
            <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
