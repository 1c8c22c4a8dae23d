// Draws the menu of a key's row: a shortcut to the buttons of the key's page.
import { keyAddress } from "../client/route.js";
import { useSession } from "../client/session.jsx";
import { actionsFor } from "../key/model.js";
import { RowMenu } from "../ui/menu.jsx";

/**
 * @typedef {import('../key/model.js').Key} Key
 * @typedef {(what: import('../key/model.js').Action, key: Key) => void} OnAct
 */

/** @param {{subject: Key, onAct: OnAct}} props */
export function KeyMenu({ subject, onAct }) {
  const { session } = useSession();
  return (
    <RowMenu
      name={subject.name}
      page={keyAddress(subject.id)}
      actions={actionsFor(subject, session)}
      onAct={(what) => onAct(what, subject)}
    />
  );
}
