// Shows recovery codes once.
import { useRef } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { saveFile } from "../ui/browser.js";
import { CopyButton, selectContents } from "../ui/copy.jsx";
import { SecretDialog } from "../ui/secret.jsx";

const FIELD = "recovery-codes";

/** @param {{codes: string[], onDone: () => void}} props */
export function RecoveryCodes({ codes, onDone }) {
  const { say } = useLocale();
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const text = codes.join("\n");
  return (
    <SecretDialog
      title={say("recovery.title")}
      lead={say("recovery.lead", { count: codes.length })}
      once
      closeBody="recovery.close.body"
      onDone={onDone}
    >
      {({ copied, onCopied }) => (
        <div class="secret main">
          <label for={FIELD}>{say("recovery.label")}</label>
          <textarea
            id={FIELD}
            ref={area}
            readOnly
            rows={codes.length}
            value={text}
            autocomplete="off"
            spellcheck={false}
            translate={false}
            onFocus={(event) => event.currentTarget.select()}
          />
          <p class="row">
            <CopyButton
              class={copied ? undefined : "primary"}
              text={text}
              label={say("recovery.copy")}
              refused="copy.refused"
              select={() => selectContents(area.current)}
              onCopied={onCopied}
            />
            <button
              type="button"
              onClick={() => {
                saveFile(new Blob([`${text}\n`], { type: "text/plain" }), "recovery-codes.txt");
                onCopied();
              }}
            >
              {say("recovery.download")}
            </button>
          </p>
        </div>
      )}
    </SecretDialog>
  );
}
