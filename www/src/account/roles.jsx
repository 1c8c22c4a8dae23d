// Draws the choice of a role, each with what it may do.
import { useLocale } from "../i18n/locale.jsx";
import { ROLES } from "./list.js";

/**
 * @param {object} props
 * @param {import('./requests.js').Role} props.value
 * @param {(role: import('./requests.js').Role) => void} props.onChange
 * @param {boolean} [props.first] `true` if the choice takes the focus when the dialog opens
 */
export function RoleChoice({ value, onChange, first = false }) {
  const { say } = useLocale();
  return (
    <fieldset class="field roles" id="role">
      <legend>{say("members.role")}</legend>
      {ROLES.map((role) => (
        <div key={role} class="box-field">
          <label class="box">
            <input
              type="radio"
              name="role"
              checked={role === value}
              onChange={() => onChange(role)}
              aria-describedby={`role-${role}-may`}
              data-focus={first && role === value ? "" : undefined}
            />
            {say(`role.${role}`)}
          </label>
          <p class="hint" id={`role-${role}-may`}>
            {say(`role.${role}.may`)}
          </p>
        </div>
      ))}
    </fieldset>
  );
}
