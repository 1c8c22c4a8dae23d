// Shows the service credentials in clear text: when they are new, and on request.
import { useLocale } from "../i18n/locale.jsx";
import { Secret, SecretDialog } from "../ui/secret.jsx";

/** @param {{secrets: import('./requests.js').ServiceSecrets, onDone: () => void}} props */
export function Credentials({ secrets, onDone }) {
  const { say } = useLocale();
  return (
    <SecretDialog title={say("service.password")} lead={say("service.shown")} once={false} onDone={onDone}>
      {({ copied, onCopied }) => (
        <>
          <Secret
            id="service-id"
            label={say("service.id")}
            value={secrets.service_id}
            copyLabel={say("copy.service-id")}
          />
          <Secret
            id="service-password"
            label={say("service.password")}
            value={secrets.service_password}
            copyLabel={say("copy.service-password")}
            main
            primary={!copied}
            onCopied={onCopied}
          />
          <p class="hint">{say("reveal.where")}</p>
        </>
      )}
    </SecretDialog>
  );
}
