// Draws the fields of an API user, for adding and for editing.
import { useSession } from "../client/session.jsx";
import { sayWithin } from "../i18n/bound.js";
import { useLocale } from "../i18n/locale.jsx";
import { useCheck } from "../key/form/check.js";
import { BeginField, ExpiryField } from "../key/form/expiry.jsx";
import { NetworksField } from "../key/form/networks.jsx";
import { beginText, expiresText } from "../key/form/values.js";
import { BoxField, Field, FieldError, PasswordField, errorOf } from "../ui/fields.jsx";
import { ZoneSelect } from "../ui/selects.jsx";
import { withoutPolicy } from "./policy.js";
import { NO_KEY, interfacesOf } from "./values.js";

/**
 * @typedef {import('./values.js').UserValues} UserValues
 * @typedef {import('./values.js').Change} Change
 * @typedef {import('../ui/fields.jsx').FieldMistake} FieldMistake
 *
 * @typedef {object} FieldsProps
 * @property {UserValues} values
 * @property {Change} change
 * @property {FieldMistake[]} errors of the last submit
 * @property {boolean} emptied `true` if a refusal has emptied the API key
 */

/**
 * @param {FieldsProps & {held: import('./requests.js').ApiUser | null}} props `held` is `null` for a
 *   new user
 */
export function UserFields({ values, change, errors, emptied, held }) {
  const { say, format } = useLocale();
  const checked = useCheck({
    expires: expiresText(values, format.zone),
    not_before: beginText(values, format.zone),
  });
  const times = {
    ...withoutPolicy(checked),
    ...(values.expiry === "never" && { expires: /** @type {const} */ ({ form: "never", at: "", from_now_ms: 0 }) }),
  };
  const isRenamed = held && values.user_name.trim() !== held.name;
  return (
    <>
      <Field
        id="user_name"
        label={say("api-user.name")}
        hint={say("api-user.name.hint")}
        error={errorOf(errors, "user_name")}
        after={isRenamed && <p class="note">{say("api-user.name.renamed", { name: held.name })}</p>}
      >
        {(control) => (
          <input
            {...control}
            inputMode="email"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            translate={false}
            value={values.user_name}
            data-focus=""
            onInput={(event) => change({ user_name: event.currentTarget.value })}
          />
        )}
      </Field>
      {held ? (
        <ChangedKey values={values} change={change} errors={errors} emptied={emptied} />
      ) : (
        <KeyFields values={values} change={change} errors={errors} emptied={emptied} />
      )}
      <GroupField values={values} change={change} error={errorOf(errors, "group")} />
      <fieldset class="field">
        <legend>{say("api-user.personal")}</legend>
        <div class="boxes">
          <Tick label={say("api-user.views")} checked={values.views} onChange={(views) => change({ views })} />
          <Tick
            label={say("api-user.downloads")}
            checked={values.downloads}
            onChange={(downloads) => change({ downloads })}
          />
        </div>
      </fieldset>
      <InterfacesField values={values} change={change} error={errorOf(errors, "interfaces")} />
      <BoxField
        id="own_data_only"
        label={say("api-user.own-data")}
        hint={say("api-user.own-data.hint")}
        error={errorOf(errors, "own_data_only")}
        checked={values.ownDataOnly}
        onChange={(ownDataOnly) => change({ ownDataOnly })}
      />
      <Field id="zone" label={say("setup.time_zone")} hint={say("api-user.zone.hint")} error={errorOf(errors, "zone")}>
        {(control) => <ZoneSelect {...control} value={values.zone} onChange={(zone) => change({ zone })} />}
      </Field>
      <ExpiryField
        values={values}
        change={change}
        error={errorOf(errors, "expires")}
        notes={times}
        never="api-user.expires.never"
      />
      <BeginField values={values} change={change} error={errorOf(errors, "not_before")} notes={times} />
      <NetworksField
        id="networks"
        label={say("form.networks")}
        hint={say("api-user.networks.hint")}
        value={values.networks}
        onChange={(networks) => change({ networks })}
        error={errorOf(errors, "networks")}
      />
    </>
  );
}

/** Draws the box that opens the fields of another API key. @param {FieldsProps} props */
function ChangedKey(props) {
  const { say } = useLocale();
  const { session } = useSession();
  const { values, change } = props;
  return (
    <BoxField
      id="changes_key"
      label={say("api-user.key.change")}
      checked={values.changesKey}
      onChange={(changesKey) => change({ changesKey, generates: false, ...NO_KEY })}
    >
      {values.changesKey && (
        <div class="nested">
          <p class="hint">{sayWithin(say, "api-user.key.change.body", session.account)}</p>
          <KeyFields {...props} />
        </div>
      )}
    </BoxField>
  );
}

/** Draws the API key: entered twice, or drawn by the server. @param {FieldsProps} props */
function KeyFields({ values, change, errors, emptied }) {
  const { say } = useLocale();
  /** @param {boolean} generates */
  const radio = (generates) => ({
    type: /** @type {const} */ ("radio"),
    name: "api-key-source",
    checked: values.generates === generates,
    onChange: () => change({ generates, ...NO_KEY }),
  });
  /** @param {'api_key' | 'api_key_confirmation'} id */
  const input = (id) => ({
    id,
    error: errorOf(errors, id),
    autocomplete: /** @type {const} */ ("new-password"),
    value: values[id],
    /** @param {import('preact').TargetedEvent<HTMLInputElement>} event */
    onInput: (event) => change({ [id]: event.currentTarget.value }),
  });
  return (
    <fieldset class="field key-source" id="generate" tabIndex={-1}>
      <legend>{say("api-user.key.source")}</legend>
      <FieldError id="generate" error={errorOf(errors, "generate")} />
      <div class="radios">
        <label>
          <input {...radio(false)} /> {say("api-user.key.enter")}
        </label>
        <label>
          <input {...radio(true)} /> {say("api-user.key.generate")}
        </label>
      </div>
      {values.generates ? (
        <p class="hint">{say("api-user.key.generate.hint")}</p>
      ) : (
        <>
          <PasswordField
            {...input("api_key")}
            label={say("api-user.key")}
            hint={say(emptied && !values.api_key ? "api-user.key.again" : "api-user.key.hint")}
          />
          <PasswordField {...input("api_key_confirmation")} label={say("api-user.key.confirmation")} />
        </>
      )}
    </fieldset>
  );
}

/** @param {{values: UserValues, change: Change, error?: string}} props */
function GroupField({ values, change, error }) {
  const { say } = useLocale();
  return (
    <fieldset class={error ? "field roles wrong" : "field roles"} id="group" tabIndex={-1}>
      <legend>{say("api-user.group")}</legend>
      <FieldError id="group" error={error} />
      {
        /** @type {const} */ (["admin", "normal"]).map((group) => (
          <div key={group} class="box-field">
            <label class="box">
              <input
                type="radio"
                name="group"
                checked={values.group === group}
                onChange={() => change({ group })}
                aria-describedby={`group-${group}-may`}
              />
              {say(`api-user.group.${group}`)}
            </label>
            <p class="hint" id={`group-${group}-may`}>
              {say(`api-user.group.${group}.may`)}
            </p>
          </div>
        ))
      }
    </fieldset>
  );
}

/** @param {{values: UserValues, change: Change, error?: string}} props */
function InterfacesField({ values, change, error }) {
  const { say } = useLocale();
  return (
    <fieldset class={error ? "field wrong" : "field"} id="interfaces" tabIndex={-1} aria-describedby="interfaces-note">
      <legend>{say("api-user.interfaces")}</legend>
      <FieldError id="interfaces" error={error} />
      <div class="boxes">
        <Tick label={say("api-user.interface.http")} checked={values.http} onChange={(http) => change({ http })} />
        <Tick label={say("api-user.interface.smtp")} checked={values.smtp} onChange={(smtp) => change({ smtp })} />
      </div>
      <p class="note" id="interfaces-note">
        {interfacesOf(values).length === 0
          ? say("api-user.interfaces.none")
          : values.smtp && say("api-user.interfaces.smtp")}
      </p>
    </fieldset>
  );
}

/** @param {{label: string, checked: boolean, onChange: (checked: boolean) => void}} props */
const Tick = ({ label, checked, onChange }) => (
  <label class="box">
    <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
    <span>{label}</span>
  </label>
);
