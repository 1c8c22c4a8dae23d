// Modal dialogs on the native element. They stay open until their owner takes them away.
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { Announcer } from "./announcer.jsx";
import { focusHeadingOf } from "./focus.jsx";
import { CrossIcon } from "./icons.jsx";

/**
 * @param {object} props
 * @param {any} props.title names the dialog
 * @param {() => void} props.onCancel Esc and the cross; the owner decides what it means
 * @param {'dialog' | 'alertdialog'} [props.role]
 * @param {'title' | 'first'} [props.focus] the title for what must be read first, else the first field or `autofocus`
 * @param {string} [props.describedBy]
 * @param {string} [props.class]
 * @param {boolean} [props.cross] whether a cross stands in the corner
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
  const element = useRef(null);
  const heading = useRef(null);

  useLayoutEffect(() => {
    const opener = document.activeElement;
    const part = opener.closest("section, main");
    const dialog = element.current;
    dialog.showModal();
    const first =
      dialog.querySelector("[data-focus]") ?? dialog.querySelector("input, textarea, select, .actions button");
    (focus === "title" ? heading.current : (first ?? heading.current)).focus();
    return () => {
      dialog.close();
      if (opener.isConnected) opener.focus();
      else if (part?.isConnected) focusHeadingOf(part);
    };
  }, []);

  /** Chromium closes at the third Esc even when `cancel` is prevented: what its owner still shows comes back. */
  const reopen = () => {
    if (element.current && !element.current.open) element.current.showModal();
  };
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

/** `closedby="none"` turns Esc off altogether; it still means "cancel", but only to the innermost dialog. */
function onEscape(cancel) {
  return (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    cancel();
  };
}
