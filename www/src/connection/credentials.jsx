// Service ID and service password in clear, after they were made, changed or asked for.
import { useLocale } from "../i18n/locale.jsx";
import { Secret, SecretDialog } from "../ui/secret.jsx";

/** @param {{secrets: {service_id: string, service_password: string}, onDone: () => void}} props */
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
