// What issued keys may be at most: permissions, networks, life. For issuable keys and for the service password.
import { FieldError, attributesOf, errorOf } from "../../ui/fields.jsx";
import { useLocale } from "../../i18n/locale.jsx";
import { OFFERED } from "../duration.js";
import { NetworksField } from "./networks.jsx";
import { PermissionsField } from "./permissions.jsx";

/**
 * @param {object} props
 * @param {string} [props.id] what the fields' names begin with
 * @param {import('./values.js').CeilingDraft} props.ceiling
 * @param {(change: Partial<import('./values.js').CeilingDraft>) => void} props.change
 * @param {{id: string, text: string}[]} props.errors
 * @param {string[]} [props.held] permissions that it has already
 */
export function CeilingFields({ id = "", ceiling, change, errors, held }) {
  const { say } = useLocale();
  return (
    <>
      <PermissionsField
        id={`${id}permissions`}
        hint={say("ceiling.permissions.hint")}
        chosen={ceiling.permissions}
        held={held}
        withEverything
        onChange={(permissions) => change({ permissions })}
        error={errorOf(errors, `${id}permissions`)}
      />
      <NetworksField
        id={`${id}networks`}
        label={say("form.networks")}
        hint={say("ceiling.networks.hint")}
        value={ceiling.networks}
        onChange={(networks) => change({ networks })}
        error={errorOf(errors, `${id}networks`)}
        caller={false}
      />
      <LongestField id={`${id}longest`} ceiling={ceiling} change={change} error={errorOf(errors, `${id}longest`)} />
    </>
  );
}

function LongestField({ id, ceiling, change, error }) {
  const { say } = useLocale();
  const radio = (limited) => ({
    type: "radio",
    name: id,
    checked: ceiling.limited === limited,
    onChange: () => change({ limited }),
  });
  return (
    <fieldset class={error ? "field wrong" : "field"} aria-describedby={error ? `${id}-error` : undefined}>
      <legend>{say("ceiling.longest")}</legend>
      <FieldError id={id} error={error} />
      <div class="radios">
        <label>
          <input {...radio(true)} /> {say("ceiling.longest.limited")}
        </label>
        <label>
          <input {...radio(false)} /> {say("form.expires.never")}
        </label>
      </div>
      {ceiling.limited && <LifeInput id={id} life={ceiling} onChange={change} {...attributesOf(id, error)} />}
    </fieldset>
  );
}

/**
 * A number and its unit. Any other attributes go to the number.
 * @param {{id: string, life: {amount: string, unit: import('../duration.js').Unit}, onChange: (change: object) => void}} props
 */
export function LifeInput({ id, life: { amount, unit }, onChange, ...input }) {
  const { say } = useLocale();
  const units = OFFERED.includes(unit) ? OFFERED : [unit, ...OFFERED];
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
        onChange={(event) => onChange({ unit: event.currentTarget.value })}
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
