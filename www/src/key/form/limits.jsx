// Draws the limits of issued keys: permissions, networks, lifetime. Issuable keys and the service
// password have them.
import { useLocale } from "../../i18n/locale.jsx";
import { FieldError, attributesOf, errorOf } from "../../ui/fields.jsx";
import { OFFERED_UNITS } from "../duration.js";
import { NetworksField } from "./networks.jsx";
import { PermissionsField } from "./permissions.jsx";

/** @typedef {import('../duration.js').Unit} Unit */

/**
 * @param {object} props
 * @param {string} [props.id] beginning of the fields' IDs
 * @param {import('./values.js').LimitsValues} props.limits
 * @param {(change: Partial<import('./values.js').LimitsValues>) => void} props.change
 * @param {import('../../ui/fields.jsx').FieldMistake[]} props.errors
 * @param {string[]} [props.held] permissions granted before
 */
export function LimitsFields({ id = "", limits, change, errors, held }) {
  const { say } = useLocale();
  return (
    <>
      <PermissionsField
        id={`${id}permissions`}
        hint={say("limits.permissions.hint")}
        chosen={limits.permissions}
        held={held}
        withEverything
        onChange={(permissions) => change({ permissions })}
        error={errorOf(errors, `${id}permissions`)}
      />
      <NetworksField
        id={`${id}networks`}
        label={say("form.networks")}
        hint={say("limits.networks.hint")}
        value={limits.networks}
        onChange={(networks) => change({ networks })}
        error={errorOf(errors, `${id}networks`)}
        caller={false}
      />
      <LongestField id={`${id}longest`} limits={limits} change={change} error={errorOf(errors, `${id}longest`)} />
    </>
  );
}

/**
 * @param {object} props
 * @param {string} props.id
 * @param {import('./values.js').LimitsValues} props.limits
 * @param {(change: Partial<import('./values.js').LimitsValues>) => void} props.change
 * @param {string} [props.error]
 */
function LongestField({ id, limits, change, error }) {
  const { say } = useLocale();
  /** @param {boolean} limited */
  const radio = (limited) => ({
    type: /** @type {const} */ ("radio"),
    name: id,
    checked: limits.limited === limited,
    onChange: () => change({ limited }),
  });
  return (
    <fieldset class={error ? "field wrong" : "field"} aria-describedby={error ? `${id}-error` : undefined}>
      <legend>{say("limits.longest")}</legend>
      <FieldError id={id} error={error} />
      <div class="radios">
        <label>
          <input {...radio(true)} /> {say("limits.longest.limited")}
        </label>
        <label>
          <input {...radio(false)} /> {say("form.expires.never")}
        </label>
      </div>
      {limits.limited && <DurationInput id={id} duration={limits} onChange={change} {...attributesOf(id, error)} />}
    </fieldset>
  );
}

/**
 * Draws a number and its unit. Further attributes go to the number.
 * @param {object} props
 * @param {string} props.id
 * @param {import('../duration.js').Duration} props.duration
 * @param {(change: {amount: string} | {unit: Unit}) => void} props.onChange
 */
export function DurationInput({ id, duration: { amount, unit }, onChange, ...input }) {
  const { say } = useLocale();
  const units = OFFERED_UNITS.includes(unit) ? OFFERED_UNITS : [unit, ...OFFERED_UNITS];
  return (
    <div class="joined fit">
      <input
        id={id}
        class="short"
        inputMode="numeric"
        autocomplete="off"
        aria-label={say("form.expires.amount")}
        value={amount}
        onInput={(event) => onChange({ amount: event.currentTarget.value })}
        {...input}
      />
      <select
        aria-label={say("form.expires.unit")}
        value={unit}
        onChange={(event) => onChange({ unit: /** @type {Unit} */ (event.currentTarget.value) })}
      >
        {units.map((option) => (
          <option key={option} value={option}>
            {say(`unit.${option}`)}
          </option>
        ))}
      </select>
    </div>
  );
}
