// Draws permissions as checkboxes: those of the gateway's rules, and the reserved ones that only
// owners grant.
import { useSession } from "../../client/session.jsx";
import { useLocale } from "../../i18n/locale.jsx";
import { FieldError, attributesOf } from "../../ui/fields.jsx";
import { isReserved } from "./values.js";

/** Stands for every permission of the API, without the reserved ones. */
const EVERYTHING = "*:*";

/**
 * @param {object} props
 * @param {string} [props.id]
 * @param {string} [props.hint]
 * @param {string[]} props.chosen
 * @param {string[]} [props.held] granted before, even if they are not offered any more
 * @param {boolean} [props.withEverything] `true` for limits: offers all of the API's at once, and
 *   none of the reserved ones
 * @param {(permissions: string[]) => void} props.onChange
 * @param {boolean} [props.none] `true` if the member wants none
 * @param {(none: boolean) => void} [props.onNone] if it is given, having none is a choice
 * @param {string} [props.error]
 */
export function PermissionsField(props) {
  const { id = "permissions", hint, chosen, held = [], withEverything, onChange, none, onNone, error } = props;
  const { say } = useLocale();
  const { session } = useSession();
  const plain = held.filter((name) => !isReserved(name));
  const offered = [...new Set([...(withEverything ? [EVERYTHING] : []), ...session.permissions, ...plain])];
  const reserved = withEverything ? [] : [...new Set([...session.grantable_reserved, ...held.filter(isReserved)])];
  /**
   * @param {string} name
   * @returns {(event: import('preact').TargetedEvent<HTMLInputElement>) => void}
   */
  const toggle = (name) => (event) =>
    onChange(event.currentTarget.checked ? [...chosen, name] : chosen.filter((other) => other !== name));
  /** @param {string} name */
  const box = (name) => (
    <label key={name} class="box">
      <input
        type="checkbox"
        checked={chosen.includes(name)}
        onChange={toggle(name)}
        disabled={isReserved(name) && !session.grantable_reserved.includes(name)}
      />
      <code>{name}</code>
      {name === EVERYTHING && <span class="hint">{say("permissions.everything")}</span>}
    </label>
  );
  // A group cannot be invalid, only its controls can.
  const { "aria-describedby": described } = attributesOf(id, error, `${id}-hint`);
  return (
    <>
      <fieldset class={error ? "field wrong" : "field"} id={id} tabIndex={-1} aria-describedby={described}>
        <legend>{say("form.permissions")}</legend>
        <p class="hint" id={`${id}-hint`}>
          {hint ?? say(offered.length ? "form.permissions.hint" : "form.permissions.none")}
        </p>
        <FieldError id={id} error={error} />
        <div class="boxes">
          {offered.map(box)}
          {onNone && offered.length > 0 && (
            <label class="box">
              <input type="checkbox" checked={none} onChange={(event) => onNone(event.currentTarget.checked)} />
              {say("form.permissions.no")}
            </label>
          )}
        </div>
      </fieldset>
      {reserved.length > 0 && (
        <fieldset class="field" aria-describedby="reserved-hint">
          <legend>{say("form.reserved")}</legend>
          <p class="hint" id="reserved-hint">
            {say("form.reserved.hint")}
          </p>
          <div class="boxes">{reserved.map(box)}</div>
        </fieldset>
      )}
    </>
  );
}
