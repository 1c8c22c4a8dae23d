// Code to copy.
import { useRef } from "preact/hooks";
import { CopyButton, selectContents } from "./copy.jsx";

/** Code that may be wider than the screen: it scrolls in a named region that the keyboard reaches. */
export function CodeBlock({ label, code, copyLabel }) {
  const block = useRef(null);
  return (
    <div class="code">
      <pre ref={block} tabIndex={0} role="region" aria-label={label} translate={false}>
        <code>{code}</code>
      </pre>
      <CopyButton class="small" text={code} label={copyLabel} select={() => selectContents(block.current)} />
    </div>
  );
}
