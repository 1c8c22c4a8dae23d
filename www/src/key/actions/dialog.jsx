// Draws the dialog of an action on one key, for the table and for the key's page.
import { DeletionDialog } from "../deletion/dialog.jsx";
import { Regeneration } from "../rotation/dialog.jsx";
import { KeyConfirmation } from "./confirmation.jsx";
import { Editor } from "./editor.jsx";

/**
 * @param {object} props
 * @param {import('../model.js').Action} props.what
 * @param {import('../model.js').Key} props.subject
 * @param {(result: import('../model.js').KeyResult) => void} props.onDone
 * @param {(key: import('../model.js').Key) => void} props.onChanged
 * @param {() => void} props.onStale called if the key must be loaded again
 * @param {() => void} props.onCancel
 */
export function ActionDialog({ what, subject, ...props }) {
  if (what === "edit") return <Editor subject={subject} {...props} />;
  if (what === "delete") return <DeletionDialog keys={[subject]} {...props} />;
  if (what === "regenerate") return <Regeneration subject={subject} {...props} />;
  return <KeyConfirmation what={what} subject={subject} {...props} />;
}
