// The fields of a key: the same for issuing and for editing.
import { Field, errorOf } from "../fields.jsx";
import { InfoIcon } from "../icons.jsx";
import { useLocale } from "../locale.jsx";
import { fieldError } from "../problem.jsx";
import { NetworksField } from "./networks-field.jsx";
import { PermissionsField } from "./permissions-field.jsx";
import { useCheck } from "./use-check.js";

/**
 * @param {object} props
 * @param {import('./draft.js').Draft} props.draft
 * @param {(change: Partial<import('./draft.js').Draft>) => void} props.change
 * @param {{id: string, text: string}[]} props.errors by field, after a submit
 * @param {string[]} [props.held] permissions that the key has already
 */
export function KeyFields({ draft, change, errors, held = [] }) {
  const { say } = useLocale();
  const notes = useCheck(draft);
  return (
    <>
      <Field id="name" label={say("form.name")} hint={say("form.name.hint")} error={errorOf(errors, "name")}>
        {(control) => (
          <input
            {...control}
            autocomplete="off"
            value={draft.name}
            data-focus=""
            onInput={(event) => change({ name: event.currentTarget.value })}
          />
        )}
      </Field>
      <ExpiryField draft={draft} change={change} error={errorOf(errors, "expires")} notes={notes} />
      <NetworksField
        value={draft.networks}
        onChange={(networks) => change({ networks })}
        error={errorOf(errors, "networks")}
        notes={notes}
      />
      <PermissionsField
        chosen={draft.permissions}
        held={held}
        onChange={(permissions) => change({ permissions })}
        error={errorOf(errors, "permissions")}
      />
    </>
  );
}

function ExpiryField({ draft, change, error, notes }) {
  const locale = useLocale();
  const { say } = locale;
  const text = (member) => ({
    value: draft[member],
    onInput: (event) => change({ [member]: event.currentTarget.value }),
  });
  const radio = (expiry) => ({
    type: "radio",
    name: "expiry",
    checked: draft.expiry === expiry,
    onChange: () => change({ expiry }),
  });
  const described = { "aria-describedby": "expires-note", "aria-invalid": error ? "true" : undefined };
  return (
    <fieldset class={error ? "field wrong" : "field"} aria-describedby={error ? "expires-error" : undefined}>
      <legend>{say("form.expires")}</legend>
      {error && (
        <p class="error" id="expires-error">
          {error}
        </p>
      )}
      <div class="radios">
        <label>
          <input {...radio("duration")} /> {say("form.expires.duration")}
        </label>
        <label>
          <input {...radio("date")} /> {say("form.expires.date")}
        </label>
        <label>
          <input {...radio("never")} /> {say("form.expires.never")}
        </label>
      </div>
      {draft.expiry === "duration" && (
        <div class="joined fit">
          <input
            id="expires"
            class="short"
            inputMode="numeric"
            autocomplete="off"
            aria-label={say("form.expires.amount")}
            {...text("amount")}
            {...described}
          />
          <select
            aria-label={say("form.expires.unit")}
            value={draft.unit}
            onChange={(event) => change({ unit: event.currentTarget.value })}
          >
            <option value="h">{say("form.expires.hours")}</option>
            <option value="d">{say("form.expires.days")}</option>
          </select>
        </div>
      )}
      {draft.expiry === "date" && (
        <div class="pair">
          <label>
            {say("form.expires.day")} <input id="expires" type="date" {...text("date")} {...described} />
          </label>
          <label>
            {say("form.expires.time")} <input type="time" {...text("time")} aria-describedby="expires-note" />
          </label>
        </div>
      )}
      {draft.expiry === "never" && (
        <p class="hint">
          {say("form.expires.never.note")}{" "}
          <button type="button" class="link" onClick={() => change({ expiry: "duration", amount: "90", unit: "d" })}>
            {say("form.expires.offer")}
          </button>
        </p>
      )}
      <p class="note" id="expires-note">
        {expiryNote(locale, notes)}
      </p>
    </fieldset>
  );
}

/** The sentence below the expiry; it is plain text and never red, for nothing has been submitted yet. */
function expiryNote(locale, { expires, errors }) {
  const { say, format } = locale;
  if (expires?.form === "never") return say("expires.never");
  if (expires?.form === "end_of_day")
    return say("expires.end_of_day", { day: format.lastDay(expires.at), zone: format.zone });
  if (expires?.form === "instant") {
    return say("expires.instant", {
      at: format.end(expires.at),
      zone: format.zone,
      span: format.span(expires.from_now_ms),
    });
  }
  const refused = errors.find(({ pointer }) => pointer === "#/expires");
  return refused ? fieldError(locale, refused).text : "";
}

/** Advice where keys are issued. */
export function Advice() {
  const { say } = useLocale();
  return (
    <p class="advice">
      <InfoIcon /> <span>{say("form.advice")}</span>
    </p>
  );
}
