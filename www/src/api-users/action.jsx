// Draws the dialog of an action on one API user, for the list and for the user's page.
import { UserConfirmation } from "./confirmation.jsx";
import { UserDeletion } from "./deletion.jsx";
import { UserDialog } from "./editor.jsx";

/** @param {import('./requests.js').ActionProps & {what: import('./requests.js').Action}} props */
export function UserAction({ what, ...props }) {
  if (what === "edit") return <UserDialog {...props} />;
  if (what === "delete") return <UserDeletion {...props} />;
  return <UserConfirmation what={what} {...props} />;
}
