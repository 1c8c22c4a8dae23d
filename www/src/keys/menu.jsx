// A row's menu: a short cut to what the key's page offers as plain buttons.
import { useId, useRef } from "preact/hooks";
import { keyAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { actionsOn } from "../key/model.js";
import { MoreIcon } from "../ui/icons.jsx";

const GAP_PX = 4;

/** @param {{subject: import('../key/model.js').Key, onAct: (what: string, key: import('../key/model.js').Key) => void}} props */
export function RowMenu({ subject, onAct }) {
  const { say } = useLocale();
  const id = useId();
  const button = useRef(null);
  const menu = useRef(null);

  /** Below the button, or above it where the window ends. A page that scrolls away below it closes it. */
  const place = (event) => {
    if (event.newState !== "open") return removeEventListener("scroll", hide);
    const anchor = button.current.getBoundingClientRect();
    const { offsetHeight, style } = menu.current;
    const below = anchor.bottom + GAP_PX;
    style.top = `${below + offsetHeight > innerHeight ? Math.max(GAP_PX, anchor.top - GAP_PX - offsetHeight) : below}px`;
    style.right = `${document.documentElement.clientWidth - anchor.right}px`;
    return addEventListener("scroll", hide, { once: true });
  };
  const hide = () => menu.current?.hidePopover();
  const act = (what) => () => {
    hide();
    button.current.focus();
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
