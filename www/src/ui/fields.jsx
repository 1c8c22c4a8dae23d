// Draws form fields, each with its label, hint and error, and the summary of all mistakes.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";

/**
 * @typedef {import('preact').ComponentChildren} Children
 * @typedef {{id: string, text: string}} FieldMistake `id` is the control's
 * @typedef {ReturnType<typeof attributesOf> & {id: string}} ControlAttributes
 *
 * @typedef {object} PasswordInput
 * @property {string} value
 * @property {(event: import('preact').TargetedEvent<HTMLInputElement>) => void} onInput
 * @property {'current-password' | 'new-password'} autocomplete
 * @property {boolean} [first] takes the focus when a dialog opens
 */

/**
 * Draws a label, a hint and an error, and lets `children` draw the control with its attributes.
 * @param {object} props
 * @param {string} props.id
 * @param {string} props.label
 * @param {Children} [props.hint]
 * @param {string} [props.error]
 * @param {Children} [props.after] stands below the control, outside its description
 * @param {(control: ControlAttributes) => import('preact').ComponentChild} props.children
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
      {children({ id, ...attributesOf(id, error, hint ? `${id}-hint` : undefined) })}
      {after}
    </div>
  );
}

/**
 * Draws the error of a field, which refers to it by {@link attributesOf}.
 * @param {{id: string, error?: string}} props
 */
export const FieldError = ({ id, error }) =>
  error ? (
    <p class="error" id={`${id}-error`}>
      {error}
    </p>
  ) : null;

/**
 * Returns the attributes by which a control refers to its error and its other descriptions.
 * @param {string} id
 * @param {string} [error]
 * @param {...(string | undefined)} others
 */
export const attributesOf = (id, error, ...others) => ({
  "aria-describedby": [...others, error && `${id}-error`].filter(Boolean).join(" ") || undefined,
  "aria-invalid": error ? /** @type {const} */ ("true") : undefined,
});

/**
 * Draws a checkbox with its hint and the fields that it opens.
 * @param {object} props
 * @param {string} props.id
 * @param {string} props.label
 * @param {string} [props.hint]
 * @param {string} [props.error]
 * @param {boolean} props.checked
 * @param {(checked: boolean) => void} props.onChange
 * @param {Children} [props.children]
 */
export function BoxField({ id, label, hint, error, checked, onChange, children }) {
  return (
    <div class={error ? "field box-field wrong" : "field box-field"}>
      <label class="box">
        <input
          id={id}
          type="checkbox"
          checked={checked}
          {...attributesOf(id, error, hint && `${id}-hint`)}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        <span>{label}</span>
      </label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <FieldError id={id} error={error} />
      {children}
    </div>
  );
}

/**
 * Draws a password field with a button that shows the password. Further attributes go to the input.
 * @param {{id: string, label: string, hint?: Children, error?: string} & PasswordInput} props
 */
export function PasswordField({ id, label, hint, error, first, ...input }) {
  const { say } = useLocale();
  const [shown, setShown] = useState(false);
  return (
    <Field id={id} label={label} hint={hint} error={error}>
      {(control) => (
        <div class="joined">
          <input
            {...control}
            {...input}
            data-focus={first ? "" : undefined}
            // Preact's types distinguish inputs by `type`; these two share their attributes.
            type={/** @type {"password"} */ (shown ? "text" : "password")}
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
 * Names the member whose password a form is about. Only password managers read it.
 * @param {{email: string}} props
 */
export const PasswordOwner = ({ email }) => (
  <input class="unseen" type="email" autocomplete="username" value={email} readOnly tabIndex={-1} aria-hidden="true" />
);

/**
 * Draws the field of a code that a person copies from a mail or an app. Further attributes go to the
 * input.
 * @param {{id: string, label: string, hint?: Children, error?: string, first?: boolean}
 *   & import('preact').InputHTMLAttributes<HTMLInputElement>} props `first`: the dialog focuses it
 */
export function CodeField({ id, label, hint, error, first, ...input }) {
  return (
    <Field id={id} label={label} hint={hint} error={error}>
      {(control) => (
        <input
          {...control}
          class="code-input"
          inputMode="numeric"
          autocomplete="one-time-code"
          spellcheck={false}
          translate={false}
          data-focus={first ? "" : undefined}
          {...input}
        />
      )}
    </Field>
  );
}

/** Lengths that the server accepts of a new password. */
const PASSWORD_CHARACTERS = { min: 12, max: 256 };

/**
 * Draws the field of a password that is being chosen. Further attributes go to the input.
 * @param {{id: string, label: string, error?: string} & Omit<PasswordInput, 'autocomplete'>} props
 */
export function NewPasswordField(props) {
  const { say } = useLocale();
  return (
    <PasswordField hint={say("setup.password.hint", PASSWORD_CHARACTERS)} autocomplete="new-password" {...props} />
  );
}

/**
 * Draws "There is a problem" with a link to each field. Takes the focus whenever a submit has found
 * mistakes.
 * @param {{errors: FieldMistake[], turn: number}} props `turn` counts the submits
 */
export function ErrorSummary({ errors, turn }) {
  const { say } = useLocale();
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const title = useId();
  useEffect(() => {
    if (!errors.length) return undefined;
    box.current?.focus();
    const before = document.title;
    document.title = say("error.title", { title: before });
    return () => {
      document.title = before;
    };
  }, [turn, errors.length > 0]);
  if (!errors.length) return null;
  /** @param {string} id @returns {(event: Event) => void} */
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

/**
 * Returns the errors of one field, one sentence a line; `undefined` if there are none.
 * @param {FieldMistake[]} errors
 * @param {string} id
 */
export const errorOf = (errors, id) =>
  errors
    .filter((error) => error.id === id)
    .map(({ text }) => text)
    .join("\n") || undefined;

/**
 * Keeps an Enter that ends an IME conversion from submitting the form. Some browsers report that
 * Enter after the composition, as key code 229.
 * @param {KeyboardEvent} event
 */
export function ignoreImeEnter(event) {
  if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) event.preventDefault();
}

/**
 * Draws a form that leaves sending to `onSubmit`, and never calls it twice at a time. Further
 * attributes go to the form.
 * @param {{onSubmit: () => void, busy: boolean, children: Children}
 *   & Omit<import('preact').FormHTMLAttributes, 'onSubmit'>} props
 */
export function Form({ onSubmit, busy, children, ...rest }) {
  /** @param {Event} event */
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

/**
 * Draws the buttons of a form in a dialog.
 * @param {{submit: string, onCancel: () => void}} props `submit` is the first button's text
 */
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
