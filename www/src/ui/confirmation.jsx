// A question before an act: what the act does, then the act, and the way back, which has the focus.
import { useLocale } from "../i18n/locale.jsx";
import { Dialog } from "./dialog.jsx";

/**
 * It stays open until the answer, which is its owner's to wait for.
 * @param {object} props
 * @param {any} props.title
 * @param {any} props.body what is read out with the title
 * @param {string} props.confirm what the button that acts says
 * @param {boolean} [props.danger] whether the act takes something away for good, or from others
 * @param {() => void} props.onConfirm
 * @param {() => void} props.onCancel
 * @param {any} [props.children] problems
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
