// The one showing of a new key. It leaves memory and page when it is stored, when the page hides, and at sign-out.
import { useEffect, useRef, useState } from "preact/hooks";
import { CodeBlock, exampleCall } from "../connection.jsx";
import { useConsole } from "../console.jsx";
import { CopyButton, selectContents } from "../copy-button.jsx";
import { Dialog } from "../dialog.jsx";
import { useLocale } from "../locale.jsx";

/**
 * @param {object} props
 * @param {{key: import('./key.js').Key, credential: string, access_key: string, access_secret: string}} props.issued
 * @param {() => void} props.onDone
 */
export function Reveal({ issued, onDone }) {
  const { say } = useLocale();
  const { session } = useConsole();
  const [copied, setCopied] = useState(false);
  const [asking, setAsking] = useState(false);

  useGuard(onDone);

  return (
    <Dialog
      title={say("reveal.title", { name: issued.key.name })}
      onCancel={() => setAsking(true)}
      focus="title"
      class="reveal"
      cross={false}
    >
      <div class="body">
        <p class="lead">{say("reveal.once")}</p>
        <Secret
          id="credential"
          label={say("reveal.key")}
          value={issued.credential}
          copyLabel={say("copy.key")}
          main
          primary={!copied}
          onCopied={() => setCopied(true)}
        />
        <details>
          <summary>{say("reveal.pair")}</summary>
          <p class="hint">{say("reveal.pair.hint")}</p>
          <Secret
            id="access-key"
            label={say("reveal.access-key")}
            value={issued.access_key}
            copyLabel={say("copy.access-key")}
          />
          <Secret
            id="access-secret"
            label={say("reveal.access-secret")}
            value={issued.access_secret}
            copyLabel={say("copy.access-secret")}
            onCopied={() => setCopied(true)}
          />
        </details>
        {session.api && (
          <>
            <h3>{say("reveal.try")}</h3>
            <p class="hint">{say("reveal.try.hint")}</p>
            <CodeBlock label={say("reveal.try")} code={exampleCall(session.api)} copyLabel={say("copy.example")} />
          </>
        )}
        <p class="hint">{say("reveal.where")}</p>
      </div>
      <div class="actions">
        <button type="button" class={copied ? "primary" : undefined} onClick={onDone}>
          {say("reveal.stored")}
        </button>
      </div>
      {asking && <CloseQuestion copied={copied} onKeep={() => setAsking(false)} onClose={onDone} />}
    </Dialog>
  );
}

/** Keeps the window from closing over what is not stored, and lets go of it when the page hides. */
export function useGuard(onDone) {
  useEffect(() => {
    const guard = (event) => event.preventDefault();
    addEventListener("beforeunload", guard);
    addEventListener("pagehide", onDone);
    return () => {
      removeEventListener("beforeunload", guard);
      removeEventListener("pagehide", onDone);
    };
  }, [onDone]);
}

/** A secret in clear, which selects whole and copies without blanks. `refused` words a browser's refusal to copy. */
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
  const area = useRef(null);
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

/** Asks before what was shown once is gone. @param {{copied: boolean, body?: string, onKeep: () => void, onClose: () => void}} props */
export function CloseQuestion({ copied, body = "reveal.close.body", onKeep, onClose }) {
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
