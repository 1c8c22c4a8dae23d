// Shows code to copy.
import { useRef } from "preact/hooks";
import { CopyButton, selectContents } from "./copy.jsx";

/**
 * Shows code that may be wider than the screen: it scrolls in a named region that the keyboard
 * reaches.
 * @param {{label: string, code: string, copyLabel: string}} props
 */
export function CodeBlock({ label, code, copyLabel }) {
  const block = useRef(/** @type {HTMLPreElement | null} */ (null));
  return (
    <div class="code">
      <pre ref={block} tabIndex={0} role="region" aria-label={label} translate={false}>
        <code>{code}</code>
      </pre>
      <CopyButton class="small" text={code} label={copyLabel} select={() => selectContents(block.current)} />
    </div>
  );
}
