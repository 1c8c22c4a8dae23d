// Draws modal dialogs on the native element. They stay open until their owner removes them. A form
// that was filled in asks before Esc, the cross or the browser's way back discards it.
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { holdRoute } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { Announcer } from "./announcer.jsx";
import { focusHeadingOf } from "./focus.jsx";
import { CrossIcon } from "./icons.jsx";

/**
 * @typedef {object} DialogProps
 * @property {string} title names the dialog
 * @property {() => void} onCancel called for Esc and the cross; the owner decides what follows
 * @property {'dialog' | 'alertdialog'} [role]
 * @property {'title' | 'first'} [focus] `title` if it must be read first, else the first field
 *   or the element with `data-focus`
 * @property {string} [describedBy]
 * @property {string} [class]
 * @property {boolean} [cross] `true` draws a cross in the corner
 * @property {import('preact').ComponentChildren} children
 * @property {boolean} [dirty] `true` while leaving would lose what was typed
 */

/** @param {DialogProps} props */
export function Dialog({
  title,
  onCancel,
  dirty = false,
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
      // An inner dialog that ends this one goes with it, and would keep the focus from the opener.
      for (const inner of dialog.querySelectorAll("dialog")) inner.close();
      dialog.close();
      if (opener?.closest("dialog:not([open])")) return;
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
      else if (part?.isConnected) focusHeadingOf(part);
    };
  }, []);

  // What leads on once the member has confirmed that what was typed may go.
  const [discarding, setDiscarding] = useState(/** @type {{proceed: () => void} | null} */ (null));
  const close = () => (dirty ? setDiscarding({ proceed: onCancel }) : onCancel());
  useEffect(() => {
    if (!dirty) return undefined;
    const release = holdRoute((proceed) => setDiscarding({ proceed }));
    addEventListener("beforeunload", warn);
    return () => {
      release();
      removeEventListener("beforeunload", warn);
    };
  }, [dirty]);

  // Chromium closes at the third Esc even if `cancel` is prevented, so the dialog opens again.
  const reopen = () => {
    if (element.current && !element.current.open) element.current.showModal();
  };
  /** @param {Event} event */
  const cancel = (event) => {
    event.preventDefault();
    close();
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
      onKeyDown={onEscape(close)}
    >
      <Announcer>
        <header class="dialog-head">
          <h2 id={titleId} ref={heading} tabIndex={-1}>
            {title}
          </h2>
          {cross && (
            <button type="button" class="quiet icon-only" aria-label={say("close")} onClick={close}>
              <CrossIcon />
            </button>
          )}
        </header>
        {children}
        {discarding && <Discard onDiscard={discarding.proceed} onKeep={() => setDiscarding(null)} />}
      </Announcer>
    </dialog>
  );
}

/**
 * Asks if what was typed may go. Leaving by "Cancel" is not asked about: it says so itself.
 * @param {{onDiscard: () => void, onKeep: () => void}} props
 */
function Discard({ onDiscard, onKeep }) {
  const { say } = useLocale();
  return (
    <Dialog role="alertdialog" title={say("discard.title")} describedBy="discard-body" onCancel={onKeep}>
      <p id="discard-body">{say("discard.body")}</p>
      <div class="actions">
        <button type="button" class="danger" onClick={onDiscard}>
          {say("discard.confirm")}
        </button>
        <button type="button" onClick={onKeep} data-focus="">
          {say("discard.keep")}
        </button>
      </div>
    </Dialog>
  );
}

/** Lets the browser ask before the page goes. @param {Event} event */
const warn = (event) => event.preventDefault();

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
