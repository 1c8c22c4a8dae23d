// Draws the menu of a row or a card, on the native popover.
import { useId, useRef } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { MoreIcon } from "./icons.jsx";

const GAP_PX = 4;

/** Actions that menus set off from the others: they take something away. */
const APART = ["delete", "leave", "remove"];

/** Draws the head of the column that holds the menus. */
export function MenuHead() {
  const { say } = useLocale();
  return (
    <th scope="col">
      <span class="unseen">{say("column.menu")}</span>
    </th>
  );
}

/**
 * Draws the menu of a row: a shortcut to the page of what it shows, and to the actions on it.
 * @template {string} Action
 * @param {object} props
 * @param {string} props.name of what the row shows
 * @param {string} [props.page] address of its page, if it has one
 * @param {Action[]} props.actions
 * @param {(what: Action) => void} props.onAct
 * @param {string} [props.buttonId]
 */
export function RowMenu({ name, page, actions, onAct, buttonId }) {
  const { say } = useLocale();
  const items = actions.map((what) => ({
    label: say(`act.${what}`),
    apart: APART.includes(what),
    onAct: () => onAct(what),
  }));
  return (
    <ActionMenu
      buttonId={buttonId}
      label={say("row.menu", { name })}
      items={page ? [{ label: say("act.open"), href: page }, ...items] : items}
    />
  );
}

/**
 * @typedef {object} MenuItem
 * @property {string} label
 * @property {string} [href] an address, for an item that is a link
 * @property {() => void} [onAct] called with the focus back on the button of the menu
 * @property {boolean} [apart] `true` sets the item off from the others
 */

/** @param {{label: string, items: MenuItem[], buttonId?: string}} props `label` names the button */
function ActionMenu({ label, items, buttonId }) {
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
  /** @param {() => void} [onAct] */
  const act = (onAct) => () => {
    hide();
    button.current?.focus();
    onAct?.();
  };

  return (
    <>
      <button type="button" ref={button} id={buttonId} class="quiet icon-only" popovertarget={id} aria-label={label}>
        <MoreIcon />
      </button>
      <div popover="auto" id={id} ref={menu} class="menu" onToggle={place}>
        {items.map(({ label: text, href, onAct, apart }) =>
          href ? (
            <a key={text} class="item" href={href}>
              {text}
            </a>
          ) : (
            <button key={text} type="button" class={apart ? "item apart" : "item"} onClick={act(onAct)}>
              {text}
            </button>
          ),
        )}
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
