// A key in clear: once when it is issued, and again where it was kept viewable.
import { CodeBlock, exampleCall } from "../ui/code.jsx";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Secret, SecretDialog } from "../ui/secret.jsx";
import { Advice } from "./form/fields.jsx";

/**
 * @param {object} props
 * @param {import('./model.js').Key} props.subject
 * @param {{credential: string, access_key: string, access_secret: string}} props.secrets
 * @param {boolean} [props.again] whether it was issued before
 * @param {() => void} props.onDone
 */
export function Reveal({ subject, secrets, again = false, onDone }) {
  const { say } = useLocale();
  const { session } = useSession();
  const once = !subject.viewable;
  return (
    <SecretDialog
      title={say(again ? "show.title" : "reveal.title", { name: subject.name })}
      lead={say(once ? "reveal.once" : again ? "show.lead" : "reveal.viewable")}
      once={once}
      onDone={onDone}
    >
      {({ copied, onCopied }) => (
        <>
          <Secret
            id="credential"
            label={say("reveal.key")}
            value={secrets.credential}
            copyLabel={say("copy.key")}
            main
            primary={!copied}
            onCopied={onCopied}
          />
          <details>
            <summary>{say("reveal.pair")}</summary>
            <p class="hint">{say("reveal.pair.hint")}</p>
            <Secret
              id="access-key"
              label={say("reveal.access-key")}
              value={secrets.access_key}
              copyLabel={say("copy.access-key")}
            />
            <Secret
              id="access-secret"
              label={say("reveal.access-secret")}
              value={secrets.access_secret}
              copyLabel={say("copy.access-secret")}
              onCopied={onCopied}
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
          <Advice />
        </>
      )}
    </SecretDialog>
  );
}
