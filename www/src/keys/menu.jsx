// Draws the menu of a row: a shortcut to the buttons of the key's page.
import { useId, useRef } from "preact/hooks";
import { keyAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { actionsOn } from "../key/model.js";
import { MoreIcon } from "../ui/icons.jsx";

const GAP_PX = 4;

/**
 * @typedef {import('../key/model.js').Key} Key
 * @typedef {(what: import('../key/model.js').Action, key: Key) => void} OnAct
 */

/** @param {{subject: Key, onAct: OnAct}} props */
export function RowMenu({ subject, onAct }) {
  const { say } = useLocale();
  const id = useId();
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const menu = useRef(/** @type {HTMLDivElement | null} */ (null));

  /**
   * Places the menu below the button, or above it at the end of the window. Scrolling closes it.
   * @param {import('preact').TargetedToggleEvent<HTMLDivElement>} event
   */
  const place = (event) => {
    if (event.newState !== "open") return removeEventListener("scroll", hide);
    if (!button.current || !menu.current) return undefined;
    const anchor = button.current.getBoundingClientRect();
    const { offsetHeight, style } = menu.current;
    const below = anchor.bottom + GAP_PX;
    style.top = `${below + offsetHeight > innerHeight ? Math.max(GAP_PX, anchor.top - GAP_PX - offsetHeight) : below}px`;
    style.right = `${document.documentElement.clientWidth - anchor.right}px`;
    return addEventListener("scroll", hide, { once: true });
  };
  const hide = () => menu.current?.hidePopover();
  /** @param {import('../key/model.js').Action} what */
  const act = (what) => () => {
    hide();
    button.current?.focus();
    onAct(what, subject);
  };

  return (
    <>
      <button
        type="button"
        ref={button}
        class="quiet icon-only"
        popovertarget={id}
        aria-label={say("row.menu", { name: subject.name })}
      >
        <MoreIcon />
      </button>
      <div popover="auto" id={id} ref={menu} class="menu" onToggle={place}>
        <a class="item" href={keyAddress(subject.id)}>
          {say("act.open")}
        </a>
        {actionsOn(subject).map((what) => (
          <button key={what} type="button" class={what === "delete" ? "item apart" : "item"} onClick={act(what)}>
            {say(`act.${what}`)}
          </button>
        ))}
      </div>
    </>
  );
}
