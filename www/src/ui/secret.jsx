// Shows secrets in clear text. They leave memory and page when the dialog closes, when the page
// hides, and at sign-out.
import { useEffect, useRef, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { CopyButton, selectContents } from "./copy.jsx";
import { Dialog } from "./dialog.jsx";

/**
 * Draws a dialog around secrets.
 * @param {object} props
 * @param {string} props.title
 * @param {string} props.lead
 * @param {boolean} props.once `true` if it is never shown again: then nothing closes it by mistake
 * @param {string} [props.closeBody] key of the message to show before it closes
 * @param {() => void} props.onDone
 * @param {(copying: {copied: boolean, onCopied: () => void}) => import('preact').ComponentChildren}
 *   props.children
 */
export function SecretDialog({ title, lead, once, closeBody = "reveal.close.body", onDone, children }) {
  const { say } = useLocale();
  const [copied, setCopied] = useState(false);
  const [asking, setAsking] = useState(false);

  useEffect(() => {
    /** @param {Event} event */
    const guard = (event) => event.preventDefault();
    if (once) addEventListener("beforeunload", guard);
    addEventListener("pagehide", onDone);
    return () => {
      removeEventListener("beforeunload", guard);
      removeEventListener("pagehide", onDone);
    };
  }, [once, onDone]);

  return (
    <Dialog title={title} onCancel={once ? () => setAsking(true) : onDone} focus="title" class="reveal" cross={!once}>
      <div class="body">
        <p class="lead">{lead}</p>
        {children({ copied, onCopied: () => setCopied(true) })}
      </div>
      <div class="actions">
        <button type="button" class={copied ? "primary" : undefined} onClick={onDone}>
          {say(once ? "reveal.stored" : "close")}
        </button>
      </div>
      {asking && (
        <CloseConfirmation copied={copied} body={closeBody} onKeep={() => setAsking(false)} onClose={onDone} />
      )}
    </Dialog>
  );
}

/**
 * Draws a secret in clear text, which selects as a whole and copies without blanks.
 * @param {object} props
 * @param {string} props.id
 * @param {string} props.label
 * @param {string} props.value
 * @param {string} props.copyLabel
 * @param {string} [props.refused] key of the message for a browser's refusal to copy
 * @param {boolean} [props.main] `true` if the dialog is about it
 * @param {boolean} [props.primary] `true` if copying it is the next step
 * @param {() => void} [props.onCopied]
 */
export function Secret({
  id,
  label,
  value,
  copyLabel,
  refused = "copy.refused",
  main = false,
  primary = false,
  onCopied,
}) {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  return (
    <div class={main ? "secret main" : "secret"}>
      <label for={id}>{label}</label>
      <textarea
        id={id}
        ref={area}
        readOnly
        rows={main ? 2 : 1}
        value={value}
        autocomplete="off"
        spellcheck={false}
        translate={false}
        onFocus={(event) => event.currentTarget.select()}
      />
      <CopyButton
        class={primary ? "primary" : main ? undefined : "small"}
        text={value}
        label={copyLabel}
        refused={refused}
        select={() => selectContents(area.current)}
        onCopied={onCopied}
      />
    </div>
  );
}

/**
 * @param {object} props
 * @param {boolean} props.copied
 * @param {string} props.body key of a message
 * @param {() => void} props.onKeep
 * @param {() => void} props.onClose
 */
function CloseConfirmation({ copied, body, onKeep, onClose }) {
  const { say } = useLocale();
  return (
    <Dialog
      role="alertdialog"
      title={say(copied ? "reveal.close.copied" : "reveal.close")}
      describedBy="close-body"
      onCancel={onKeep}
    >
      <p id="close-body">{say(body)}</p>
      <div class="actions">
        <button type="button" onClick={onKeep} data-focus="">
          {say("reveal.keep")}
        </button>
        <button type="button" class="danger" onClick={onClose}>
          {say("close")}
        </button>
      </div>
    </Dialog>
  );
}
