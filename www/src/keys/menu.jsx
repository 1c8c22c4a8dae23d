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
   * Places the menu below the button, or above it at the end of the window, and always inside the
   * window. Scrolling and resizing close it.
   * @param {import('preact').TargetedToggleEvent<HTMLDivElement>} event
   */
  const place = (event) => {
    if (event.newState !== "open") {
      removeEventListener("scroll", hide);
      removeEventListener("resize", hide);
      return;
    }
    if (!button.current || !menu.current) return;
    const anchor = button.current.getBoundingClientRect();
    const { offsetHeight, offsetWidth, style } = menu.current;
    const { clientHeight, clientWidth } = document.documentElement;
    const below = anchor.bottom + GAP_PX;
    const top = below + offsetHeight > clientHeight ? anchor.top - GAP_PX - offsetHeight : below;
    style.top = `${inside(top, clientHeight - offsetHeight)}px`;
    style.left = `${inside(anchor.right - offsetWidth, clientWidth - offsetWidth)}px`;
    addEventListener("scroll", hide, { once: true });
    addEventListener("resize", hide, { once: true });
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

/**
 * Returns the position, moved so that the whole menu stays inside the window.
 * @param {number} wanted
 * @param {number} room left over by the menu
 */
const inside = (wanted, room) => Math.max(GAP_PX, Math.min(wanted, room - GAP_PX));
