// Draws the filters of a list, which fold away.
import { useLocale } from "../i18n/locale.jsx";
import { Field } from "./fields.jsx";

/**
 * Draws the fields of the filters, with the link that clears them.
 * @param {object} props
 * @param {number} props.count set filters
 * @param {string} props.cleared address of the list without filters
 * @param {import('preact').ComponentChildren} props.children
 */
export function FilterPanel({ count, cleared, children }) {
  const { say } = useLocale();
  return (
    <details class="filters">
      <summary>{count ? say("filters.set", { count }) : say("filters")}</summary>
      <div class="filter-fields">
        {children}
        {count > 0 && (
          <a class="button" href={cleared}>
            {say("filters.clear")}
          </a>
        )}
      </div>
    </details>
  );
}

/**
 * Draws the choice of one value, which applies at once.
 * @param {object} props
 * @param {string} props.id
 * @param {string} props.label
 * @param {string} props.value
 * @param {string[]} props.values
 * @param {(value: string) => string} props.textOf
 * @param {(value: string) => void} props.onChoose
 */
export const ChoiceField = ({ id, label, value, values, textOf, onChoose }) => (
  <Field id={id} label={label}>
    {(control) => (
      <select {...control} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {values.map((one) => (
          <option key={one} value={one}>
            {textOf(one)}
          </option>
        ))}
      </select>
    )}
  </Field>
);

/**
 * Draws the choice of the order, for phones, which have no table head.
 * @param {{id: string, value: string, values: string[], onChoose: (order: string) => void}} props
 */
export function OrderField(props) {
  const { say } = useLocale();
  return <ChoiceField {...props} label={say("filters.order")} textOf={(order) => say(`order.${order}`)} />;
}
