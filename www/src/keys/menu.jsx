// Draws the menu of a row: a shortcut to the buttons of the key's page.
import { keyAddress } from "../client/route.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { actionsFor } from "../key/model.js";
import { ActionMenu } from "../ui/menu.jsx";

/**
 * @typedef {import('../key/model.js').Key} Key
 * @typedef {(what: import('../key/model.js').Action, key: Key) => void} OnAct
 */

/** @param {{subject: Key, onAct: OnAct}} props */
export function RowMenu({ subject, onAct }) {
  const { say } = useLocale();
  const { session } = useSession();
  const actions = actionsFor(subject, session).map((what) => ({
    label: say(`act.${what}`),
    apart: what === "delete",
    onAct: () => onAct(what, subject),
  }));
  return (
    <ActionMenu
      label={say("row.menu", { name: subject.name })}
      items={[{ label: say("act.open"), href: keyAddress(subject.id) }, ...actions]}
    />
  );
}
