// Draws the fields for the end and the beginning of a key. A sentence below each says how the
// server understands it.
import { instantOf } from "../../i18n/format.js";
import { useLocale } from "../../i18n/locale.jsx";
import { FieldError, attributesOf } from "../../ui/fields.jsx";
import { fieldError } from "../../ui/problem.jsx";
import { DurationInput } from "./limits.jsx";
import { DayAndTime } from "./moment.jsx";

/**
 * @typedef {import('../../i18n/locale.jsx').Locale} Locale
 * @typedef {import('../model.js').Checked} Checked
 *
 * @typedef {object} FieldProps
 * @property {import('./values.js').TimeValues} values
 * @property {import('./values.js').TimeChange} change
 * @property {string} [error]
 * @property {Checked} notes the server's, see `useCheck`
 */

/**
 * @param {FieldProps & {never?: string}} props `never` is the key of the sentence about what has no
 *   end
 */
export function ExpiryField({ values, change, error, notes, never = "expires.never" }) {
  const locale = useLocale();
  const { say } = locale;
  /** @param {import('./values.js').TimeValues['expiry']} expiry */
  const radio = (expiry) => ({
    type: /** @type {const} */ ("radio"),
    name: "expiry",
    checked: values.expiry === expiry,
    onChange: () => change({ expiry }),
  });
  /** @param {import('preact').TargetedEvent<HTMLElement>} event */
  const offer = (event) => {
    // The offer goes away with the present choice, so the focus moves to the new one.
    event.currentTarget.closest("fieldset")?.querySelector("input")?.focus();
    change({ expiry: "duration", amount: "90", unit: "d" });
  };
  const note = expiryNote(locale, notes, never);
  const described = attributesOf("expires", error, "expires-note");
  return (
    <fieldset class={error ? "field wrong" : "field"} aria-describedby={error ? "expires-error" : undefined}>
      <legend>{say("form.expires")}</legend>
      <FieldError id="expires" error={error} />
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
      {values.expiry === "duration" && (
        <DurationInput id="expires" duration={values} onChange={change} {...described} />
      )}
      {values.expiry === "date" && (
        <DayAndTime id="expires" date={values.date} time={values.time} onChange={change} described={described} />
      )}
      {values.expiry === "never" && (
        <p class="hint">
          {say("form.expires.never.note")}{" "}
          <button type="button" class="link" onClick={offer}>
            {say("form.expires.offer")}
          </button>
        </p>
      )}
      <p class="note" id="expires-note">
        {note !== error && note}
      </p>
    </fieldset>
  );
}

/** Draws the beginning. Most keys begin at once, so a box opens it. @param {FieldProps} props */
export function BeginField({ values, change, error, notes }) {
  const locale = useLocale();
  const { say } = locale;
  return (
    <fieldset class={error ? "field wrong" : "field"} aria-describedby={error ? "not_before-error" : undefined}>
      <legend class="unseen">{say("form.begins")}</legend>
      <FieldError id="not_before" error={error} />
      <label class="box">
        <input
          type="checkbox"
          checked={values.later}
          onChange={(event) => change({ later: event.currentTarget.checked })}
        />
        <span>{say("form.begins.later")}</span>
      </label>
      {values.later && (
        <>
          <DayAndTime
            id="not_before"
            date={values.beginDate}
            time={values.beginTime}
            onChange={(moment) => change("date" in moment ? { beginDate: moment.date } : { beginTime: moment.time })}
            described={attributesOf("not_before", error, "not_before-note")}
          />
          <p class="note" id="not_before-note">
            {beginNote(locale, values, notes)}
          </p>
        </>
      )}
    </fieldset>
  );
}

/**
 * Returns the sentence below the expiry. It is plain text: nothing has been submitted yet.
 * @param {Locale} locale
 * @param {Checked} notes
 * @param {string} never
 */
function expiryNote(locale, notes, never) {
  const { say, format } = locale;
  const { expires } = notes;
  if (expires?.form === "never") return say(never);
  if (expires?.form === "end_of_day")
    return say("expires.end_of_day", { day: format.lastDay(expires.at), zone: format.zone });
  if (expires?.form === "instant") {
    return say("expires.instant", {
      at: format.end(expires.at),
      zone: format.zone,
      span: format.during(expires.from_now_ms),
    });
  }
  return refusalOf(locale, notes, "expires");
}

/** @param {Locale} locale @param {import('./values.js').BeginValues} values @param {Checked} notes */
function beginNote(locale, { beginDate, beginTime }, notes) {
  const { say, format } = locale;
  if (!beginDate) return "";
  const refused = refusalOf(locale, notes, "not_before");
  const at = instantOf(beginDate, beginTime || "00:00", format.zone);
  return refused || say("begins.instant", { at: format.dateTime(at), zone: format.zone });
}

/** @param {Locale} locale @param {Checked} notes @param {string} field */
function refusalOf(locale, { errors = [] }, field) {
  const refused = errors.find(({ pointer }) => pointer === `#/${field}`);
  return refused ? fieldError(locale, refused).text : "";
}
