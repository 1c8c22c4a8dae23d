// Draws the fields of a key, for issuing and for editing.
import { policyOf } from "../../client/policy.js";
import { isOwner, useSession } from "../../client/session.jsx";
import { useLocale } from "../../i18n/locale.jsx";
import { BoxField, Field, errorOf } from "../../ui/fields.jsx";
import { useCheck } from "./check.js";
import { BeginField, ExpiryField } from "./expiry.jsx";
import { LimitsFields } from "./limits.jsx";
import { NetworksField } from "./networks.jsx";
import { PermissionsField } from "./permissions.jsx";
import { beginText, editedLimits, expiresText, proposedLimits, withFollowing } from "./values.js";

/**
 * @typedef {import('./values.js').KeyValues} KeyValues
 * @typedef {import('./values.js').Change} Change
 * @typedef {import('../../ui/fields.jsx').FieldMistake} FieldMistake
 */

/**
 * @param {object} props
 * @param {KeyValues} props.values
 * @param {Change} props.change
 * @param {FieldMistake[]} props.errors of the last submit
 * @param {import('../model.js').Key} [props.held] the present key; absent for a new one
 */
export function KeyFields({ values, change: changeValues, errors, held }) {
  /** @type {Change} */
  const change = (members) => changeValues(withFollowing(values, members));
  const { say, format } = useLocale();
  const { session } = useSession();
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
        none={values.noPermissions}
        onNone={(noPermissions) => change({ noPermissions, ...(noPermissions && { permissions: [] }) })}
        onChange={(permissions) => change({ permissions, noPermissions: false })}
        error={errorOf(errors, "permissions")}
      />
      <IssuableField values={values} change={change} errors={errors} held={held?.issuable} />
      {!held && policyOf(session).viewable_allowed && (
        <BoxField
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

/**
 * Draws *Issuable*, which opens the limits of the keys to issue.
 * @param {object} props
 * @param {KeyValues} props.values
 * @param {Change} props.change
 * @param {FieldMistake[]} props.errors
 * @param {import('../model.js').IssuanceLimits | null} [props.held]
 */
function IssuableField({ values, change, errors, held }) {
  const { say } = useLocale();
  const { issuable } = values;
  /** @param {boolean} selected */
  const toggle = (selected) => change({ issuable: selected ? proposedLimits(values) : null });
  return (
    <BoxField
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
            change={(members) => change({ issuable: editedLimits(issuable, members) })}
            errors={errors}
            held={held?.permissions}
          />
        </fieldset>
      )}
    </BoxField>
  );
}

/**
 * Draws the protection for owners, who alone may change it. Others see it on the key's page.
 * @param {{values: KeyValues, change: Change, error?: string}} props
 */
function ProtectedBox({ values, change, error }) {
  const { say } = useLocale();
  const { session } = useSession();
  if (!isOwner(session)) return null;
  return (
    <BoxField
      id="protected"
      label={say("form.protected")}
      hint={say("form.protected.hint")}
      error={error}
      checked={values.isProtected}
      onChange={(isProtected) => change({ isProtected })}
    />
  );
}
