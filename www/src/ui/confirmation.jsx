// Asks before an action: says what the action does and offers the way back, which has the focus.
import { useLocale } from "../i18n/locale.jsx";
import { Dialog } from "./dialog.jsx";

/**
 * Draws the question. It stays open until its owner removes it, once the response is there.
 * @param {object} props
 * @param {string} props.title
 * @param {import('preact').ComponentChildren} props.body read out with the title
 * @param {string} props.confirm text of the button that acts
 * @param {boolean} [props.danger] `true` if the action removes something for good, or from others
 * @param {() => void} props.onConfirm
 * @param {() => void} props.onCancel
 * @param {import('preact').ComponentChildren} [props.children] problems
 */
export function Confirmation({ title, body, confirm, danger = false, onConfirm, onCancel, children }) {
  const { say } = useLocale();
  return (
    <Dialog role="alertdialog" title={title} describedBy="question" onCancel={onCancel}>
      <p id="question">{body}</p>
      {children}
      <div class="actions">
        <button type="button" class={danger ? "danger" : "primary"} onClick={onConfirm}>
          {confirm}
        </button>
        <button type="button" onClick={onCancel} data-focus="">
          {say("cancel")}
        </button>
      </div>
    </Dialog>
  );
}
