// The dialogs of acts on one key, shared by the table and by the key's page.
import { Deletion } from "../deletion/dialog.jsx";
import { Confirm } from "./confirmation.jsx";
import { Edit } from "./editor.jsx";

/** What may be done with a key, in the order of menus. @param {import('../model.js').Key} key @returns {string[]} */
export function actsOn(key) {
  if (key.status === "deleted") return ["restore"];
  const acts = ["edit", key.enabled ? "disable" : "enable"];
  return key.protected ? acts : [...acts, "delete"];
}

/**
 * @param {object} props
 * @param {string | null} props.what one of {@link actsOn}
 * @param {import('../model.js').Key} props.subject
 * @param {(outcome: import('../model.js').Outcome) => void} props.onDone
 * @param {(key: import('../model.js').Key) => void} props.onChanged
 * @param {() => void} props.onUnsure the key should be loaded again
 * @param {() => void} props.onCancel
 */
export function Act({ what, subject, ...props }) {
  if (!what) return null;
  if (what === "edit") return <Edit subject={subject} {...props} />;
  if (what === "delete") return <Deletion keys={[subject]} {...props} />;
  return <Confirm what={what} subject={subject} {...props} />;
}
