// Draws modal dialogs on the native element. They stay open until their owner removes them.
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { Announcer } from "./announcer.jsx";
import { focusHeadingOf } from "./focus.jsx";
import { CrossIcon } from "./icons.jsx";

/**
 * @param {object} props
 * @param {string} props.title names the dialog
 * @param {() => void} props.onCancel called for Esc and the cross; the owner decides what follows
 * @param {'dialog' | 'alertdialog'} [props.role]
 * @param {'title' | 'first'} [props.focus] `title` if it must be read first, else the first field
 *   or the element with `data-focus`
 * @param {string} [props.describedBy]
 * @param {string} [props.class]
 * @param {boolean} [props.cross] `true` draws a cross in the corner
 * @param {import('preact').ComponentChildren} props.children
 */
export function Dialog({
  title,
  onCancel,
  role = "dialog",
  focus = "first",
  describedBy,
  cross = role === "dialog",
  class: kind,
  children,
}) {
  const { say } = useLocale();
  const titleId = useId();
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));

  useLayoutEffect(() => {
    const opener = document.activeElement;
    const part = opener?.closest("section, main");
    const dialog = element.current;
    if (!dialog) return undefined;
    dialog.showModal();
    const first = /** @type {HTMLElement | null} */ (
      dialog.querySelector("[data-focus]") ?? dialog.querySelector("input, textarea, select, .actions button")
    );
    (focus === "title" ? heading.current : (first ?? heading.current))?.focus();
    return () => {
      dialog.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
      else if (part?.isConnected) focusHeadingOf(part);
    };
  }, []);

  // Chromium closes at the third Esc even if `cancel` is prevented, so the dialog opens again.
  const reopen = () => {
    if (element.current && !element.current.open) element.current.showModal();
  };
  /** @param {Event} event */
  const cancel = (event) => {
    event.preventDefault();
    onCancel();
  };

  return (
    <dialog
      ref={element}
      role={role}
      class={kind}
      closedby="none"
      aria-labelledby={titleId}
      aria-describedby={describedBy}
      onCancel={cancel}
      onClose={reopen}
      onKeyDown={onEscape(onCancel)}
    >
      <Announcer>
        <header class="dialog-head">
          <h2 id={titleId} ref={heading} tabIndex={-1}>
            {title}
          </h2>
          {cross && (
            <button type="button" class="quiet icon-only" aria-label={say("close")} onClick={onCancel}>
              <CrossIcon />
            </button>
          )}
        </header>
        {children}
      </Announcer>
    </dialog>
  );
}

/**
 * Makes Esc cancel the innermost dialog alone; `closedby="none"` has turned the browser's own
 * handling off.
 * @param {() => void} cancel
 */
function onEscape(cancel) {
  /** @param {KeyboardEvent} event */
  return (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    cancel();
  };
}
