// The dialogs of acts on one key, shared by the table and by the key's page.
import { Deletion } from "../deletion/deletion.jsx";
import { Confirm } from "./confirm.jsx";
import { Edit } from "./edit.jsx";

/** What may be done with a key, in the order of menus. @param {import('./key.js').Key} key @returns {string[]} */
export function actsOn(key) {
  if (key.status === "deleted") return ["restore"];
  const acts = ["edit", key.enabled ? "disable" : "enable"];
  return key.protected ? acts : [...acts, "delete"];
}

/**
 * @param {object} props
 * @param {string | null} props.what one of {@link actsOn}
 * @param {import('./key.js').Key} props.subject
 * @param {(outcome: import('./key.js').Outcome) => void} props.onDone
 * @param {(key: import('./key.js').Key) => void} props.onChanged
 * @param {() => void} props.onUnsure the key should be loaded again
 * @param {() => void} props.onCancel
 */
export function Act({ what, subject, ...props }) {
  if (!what) return null;
  if (what === "edit") return <Edit subject={subject} {...props} />;
  if (what === "delete") return <Deletion keys={[subject]} {...props} />;
  return <Confirm what={what} subject={subject} {...props} />;
}
