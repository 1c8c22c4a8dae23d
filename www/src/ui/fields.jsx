// Form fields: label, hint and error tied to their control, and the summary that names every mistake.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";

/**
 * @param {object} props
 * @param {string} props.id
 * @param {any} props.label
 * @param {any} [props.hint]
 * @param {string} [props.error]
 * @param {any} [props.after] what stands below the control, outside its description
 * @param {(control: object) => any} props.children draws the control with the attributes that it is given
 */
export function Field({ id, label, hint, error, after, children }) {
  return (
    <div class={error ? "field wrong" : "field"}>
      <label for={id}>{label}</label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <FieldError id={id} error={error} />
      {children({ id, ...attributesOf(id, error, hint && `${id}-hint`) })}
      {after}
    </div>
  );
}

/** What is wrong with a field. The field refers to it, see {@link attributesOf}. @param {{id: string, error?: string}} props */
export const FieldError = ({ id, error }) =>
  error && (
    <p class="error" id={`${id}-error`}>
      {error}
    </p>
  );

/** How a control refers to its error and to whatever else describes it. @param {string} id @param {string} [error] @param {...string} others */
export const attributesOf = (id, error, ...others) => ({
  "aria-describedby": [...others, error && `${id}-error`].filter(Boolean).join(" ") || undefined,
  "aria-invalid": error ? "true" : undefined,
});

/** A password with a button that shows it. Any other attributes go to the input. */
export function PasswordField({ id, label, hint, error, ...input }) {
  const { say } = useLocale();
  const [shown, setShown] = useState(false);
  return (
    <Field id={id} label={label} hint={hint} error={error}>
      {(control) => (
        <div class="joined">
          <input
            {...control}
            {...input}
            type={shown ? "text" : "password"}
            autocapitalize="none"
            spellcheck={false}
            translate={false}
          />
          <button
            type="button"
            aria-label={say(shown ? "password.hide.label" : "password.show.label")}
            aria-pressed={shown}
            onClick={() => setShown(!shown)}
          >
            {say(shown ? "password.hide" : "password.show")}
          </button>
        </div>
      )}
    </Field>
  );
}

/**
 * "There is a problem", with a link to each field. Takes the focus whenever a submit has found mistakes.
 * @param {{errors: {id: string, text: string}[], turn: number}} props `turn` counts the submits
 */
export function ErrorSummary({ errors, turn }) {
  const { say } = useLocale();
  const box = useRef(null);
  const title = useId();
  useEffect(() => {
    if (!errors.length) return undefined;
    box.current.focus();
    const before = document.title;
    document.title = say("error.title", { title: before });
    return () => {
      document.title = before;
    };
  }, [turn, errors.length > 0]);
  if (!errors.length) return null;
  const follow = (id) => (event) => {
    event.preventDefault();
    document.getElementById(id)?.focus();
  };
  return (
    <div class="notice bad" ref={box} tabIndex={-1} role="group" aria-labelledby={title}>
      <p id={title}>
        <strong>{say("error.summary")}</strong>
      </p>
      <ul>
        {errors.map(({ id, text }) => (
          <li key={`${id} ${text}`}>
            <a href={`#${id}`} onClick={follow(id)}>
              {text}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What is wrong with one field, one sentence a line. @param {{id: string, text: string}[]} errors @param {string} id */
export const errorOf = (errors, id) =>
  errors
    .filter((error) => error.id === id)
    .map(({ text }) => text)
    .join("\n") || undefined;

/** An Enter that ends an IME conversion submits nothing; some browsers report it after the composition, as 229. */
export function ignoreImeEnter(event) {
  if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) event.preventDefault();
}

/** A form that never submits to the server by itself, nor twice. @param {{onSubmit: () => void, busy: boolean}} props */
export function Form({ onSubmit, busy, children, ...rest }) {
  const submit = (event) => {
    event.preventDefault();
    if (!busy) onSubmit();
  };
  return (
    <form noValidate onSubmit={submit} onKeyDown={ignoreImeEnter} {...rest}>
      {children}
    </form>
  );
}

/** The foot of a form in a dialog. @param {{submit: string, onCancel: () => void}} props `submit`: what the first button says */
export function FormActions({ submit, onCancel }) {
  const { say } = useLocale();
  return (
    <div class="actions">
      <button class="primary">{submit}</button>
      <button type="button" onClick={onCancel}>
        {say("cancel")}
      </button>
    </div>
  );
}
