// The fields of a key: the same for issuing and for editing.
import { isOwner, useSession } from "../../client/session.jsx";
import { useLocale } from "../../i18n/locale.jsx";
import { Field, FieldError, attributesOf, errorOf } from "../../ui/fields.jsx";
import { useCheck } from "./check.js";
import { BeginField, ExpiryField } from "./expiry.jsx";
import { LimitsFields } from "./limits.jsx";
import { NetworksField } from "./networks.jsx";
import { PermissionsField } from "./permissions.jsx";
import { beginText, expiresText, proposedLimits } from "./values.js";

/**
 * @param {object} props
 * @param {import('./values.js').KeyValues} props.values
 * @param {(change: Partial<import('./values.js').KeyValues>) => void} props.change
 * @param {{id: string, text: string}[]} props.errors by field, after a submit
 * @param {import('../model.js').Key} [props.held] what the key is already; absent for a new one
 */
export function KeyFields({ values, change, errors, held }) {
  const { say, format } = useLocale();
  const times = useCheck({ expires: expiresText(values, format.zone), not_before: beginText(values, format.zone) });
  return (
    <>
      <Field id="name" label={say("form.name")} hint={say("form.name.hint")} error={errorOf(errors, "name")}>
        {(control) => (
          <input
            {...control}
            autocomplete="off"
            value={values.name}
            data-focus=""
            onInput={(event) => change({ name: event.currentTarget.value })}
          />
        )}
      </Field>
      <ExpiryField values={values} change={change} error={errorOf(errors, "expires")} notes={times} />
      <BeginField values={values} change={change} error={errorOf(errors, "not_before")} notes={times} />
      <NetworksField
        id="networks"
        label={say("form.networks")}
        hint={say("form.networks.hint")}
        value={values.networks}
        onChange={(networks) => change({ networks })}
        error={errorOf(errors, "networks")}
      />
      <PermissionsField
        chosen={values.permissions}
        held={held?.permissions}
        onChange={(permissions) => change({ permissions })}
        error={errorOf(errors, "permissions")}
      />
      <IssuableField values={values} change={change} errors={errors} held={held?.issuable} />
      {!held && (
        <Box
          id="viewable"
          label={say("form.viewable")}
          hint={say("form.viewable.hint")}
          error={errorOf(errors, "viewable")}
          checked={values.viewable}
          onChange={(viewable) => change({ viewable })}
        />
      )}
      <ProtectedBox values={values} change={change} error={errorOf(errors, "protected")} />
    </>
  );
}

/** *Issuable*: ticking it opens what the issued keys may be at most. */
function IssuableField({ values, change, errors, held }) {
  const { say } = useLocale();
  const { issuable } = values;
  const toggle = (selected) => change({ issuable: selected ? proposedLimits(values) : null });
  return (
    <Box
      id="issuable"
      label={say("form.issuable")}
      hint={say("form.issuable.hint")}
      error={errorOf(errors, "issuable")}
      checked={issuable !== null}
      onChange={toggle}
    >
      {issuable && (
        <fieldset class="nested">
          <legend>{say("limits.legend")}</legend>
          <LimitsFields
            id="issuable-"
            limits={issuable}
            change={(members) => change({ issuable: { ...issuable, ...members } })}
            errors={errors}
            held={held?.permissions}
          />
        </fieldset>
      )}
    </Box>
  );
}

/** Only an owner protects a key, and lifts it; to the others the key's page says that it is. */
function ProtectedBox({ values, change, error }) {
  const { say } = useLocale();
  const { session } = useSession();
  if (!isOwner(session)) return null;
  return (
    <Box
      id="protected"
      label={say("form.protected")}
      hint={say("form.protected.hint")}
      error={error}
      checked={values.isProtected}
      onChange={(isProtected) => change({ isProtected })}
    />
  );
}

/** One choice with its hint, and what it opens. */
function Box({ id, label, hint, error, checked, onChange, children }) {
  return (
    <div class={error ? "field box-field wrong" : "field box-field"}>
      <label class="box">
        <input
          id={id}
          type="checkbox"
          checked={checked}
          {...attributesOf(id, error, `${id}-hint`)}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        <span>{label}</span>
      </label>
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <FieldError id={id} error={error} />
      {children}
    </div>
  );
}
