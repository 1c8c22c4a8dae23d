// The dialogs of acts on one key, shared by the table and by the key's page.
import { Confirm } from "./confirm.jsx";
import { Edit } from "./edit.jsx";

/** What may be done with a key, in the order of menus. @param {import('./key.js').Key} key @returns {string[]} */
export const actsOn = (key) => ["edit", key.enabled ? "disable" : "enable", "delete"];

/**
 * @param {object} props
 * @param {string | null} props.what one of {@link actsOn}
 * @param {import('./key.js').Key} props.subject
 * @param {(outcome: import('./key.js').Outcome) => void} props.onDone
 * @param {(key: import('./key.js').Key) => void} props.onChanged
 * @param {() => void} props.onUnsure the key should be loaded again
 * @param {() => void} props.onCancel
 */
export function Act({ what, ...props }) {
  if (!what) return null;
  return what === "edit" ? <Edit {...props} /> : <Confirm what={what} {...props} />;
}
