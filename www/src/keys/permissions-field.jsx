// Permissions as boxes: those of the gateway's rules, and the reserved ones that only owners grant.
import { useConsole } from "../console.jsx";
import { useLocale } from "../locale.jsx";

const RESERVED = "claviger:";

/** @param {{chosen: string[], held: string[], onChange: (permissions: string[]) => void, error?: string}} props */
export function PermissionsField({ chosen, held, onChange, error }) {
  const { say } = useLocale();
  const { session } = useConsole();
  const offered = [...new Set([...session.permissions, ...held.filter((name) => !name.startsWith(RESERVED))])];
  const reserved = [...new Set([...session.grantable_reserved, ...held.filter((name) => name.startsWith(RESERVED))])];
  const toggle = (name) => (event) =>
    onChange(event.currentTarget.checked ? [...chosen, name] : chosen.filter((other) => other !== name));
  const box = (name) => (
    <label key={name} class="box">
      <input
        type="checkbox"
        checked={chosen.includes(name)}
        onChange={toggle(name)}
        disabled={name.startsWith(RESERVED) && !session.grantable_reserved.includes(name)}
      />
      <code>{name}</code>
    </label>
  );
  return (
    <>
      <fieldset
        class={error ? "field wrong" : "field"}
        id="permissions"
        tabIndex={-1}
        aria-describedby="permissions-hint"
      >
        <legend>{say("form.permissions")}</legend>
        <p class="hint" id="permissions-hint">
          {say(offered.length ? "form.permissions.hint" : "form.permissions.none")}
        </p>
        {error && <p class="error">{error}</p>}
        <div class="boxes">{offered.map(box)}</div>
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
