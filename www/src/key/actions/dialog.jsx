// The dialogs of acts on one key, shared by the table and by the key's page.
import { DeletionDialog } from "../deletion/dialog.jsx";
import { KeyConfirmation } from "./confirmation.jsx";
import { Editor } from "./editor.jsx";

/**
 * @param {object} props
 * @param {string | null} props.what one of {@link actionsOn}
 * @param {import('../model.js').Key} props.subject
 * @param {(result: import('../model.js').Result) => void} props.onDone
 * @param {(key: import('../model.js').Key) => void} props.onChanged
 * @param {() => void} props.onStale the key should be loaded again
 * @param {() => void} props.onCancel
 */
export function ActionDialog({ what, subject, ...props }) {
  if (!what) return null;
  if (what === "edit") return <Editor subject={subject} {...props} />;
  if (what === "delete") return <DeletionDialog keys={[subject]} {...props} />;
  return <KeyConfirmation what={what} subject={subject} {...props} />;
}
