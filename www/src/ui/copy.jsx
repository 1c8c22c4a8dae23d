// Copies text and shows whether the browser did so.
import { useEffect, useRef, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "./announcer.jsx";
import { copyText } from "./clipboard.js";
import { CopyIcon, TickIcon } from "./icons.jsx";

const COPIED_SHOWN_MS = 4000;

/**
 * Draws a button that copies. Further attributes go to the button.
 * @param {object} props
 * @param {string} props.text
 * @param {string} props.label
 * @param {string} [props.refused] key of the message for a refusal; it names the selection
 * @param {() => void} props.select selects the text in the page if the browser refuses to copy
 * @param {() => void} [props.onCopied]
 * @param {string} [props.class]
 */
export function CopyButton({ text, label, refused = "copy.refused.text", select, onCopied, ...button }) {
  const { say } = useLocale();
  const announce = useAnnounce();
  const [result, setResult] = useState(/** @type {'copied' | 'refused' | null} */ (null));

  useEffect(() => {
    if (result !== "copied") return undefined;
    const timer = setTimeout(() => setResult(null), COPIED_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [result]);

  const copy = async () => {
    const copied = await copyText(text);
    setResult(copied ? "copied" : "refused");
    announce(say(copied ? "copy.done" : refused));
    if (copied) onCopied?.();
    else select();
  };

  return (
    <>
      <button type="button" onClick={copy} {...button}>
        {result === "copied" ? (
          <>
            <TickIcon /> {say("copy.done")}
          </>
        ) : (
          <>
            <CopyIcon /> {label}
          </>
        )}
      </button>
      {result === "refused" && <span class="copy-refused">{say(refused)}</span>}
    </>
  );
}

/** Shows a short text with a button that copies it. @param {{text: string, label: string}} props */
export function Copyable({ text, label }) {
  const code = useRef(/** @type {HTMLElement | null} */ (null));
  return (
    <span class="copyable">
      <code ref={code} translate={false}>
        {text}
      </code>
      <CopyButton class="small" text={text} label={label} select={() => selectContents(code.current)} />
    </span>
  );
}

/** Selects the contents of an element. @param {HTMLElement | null} element */
export function selectContents(element) {
  if (!element) return;
  if (element instanceof HTMLTextAreaElement) {
    element.focus();
    element.select();
    return;
  }
  getSelection()?.selectAllChildren(element);
}
