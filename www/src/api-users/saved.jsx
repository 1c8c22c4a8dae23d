// Shows, once a user is saved, a generated API key and the settings of mail programs.
import { useLocale } from "../i18n/locale.jsx";
import { Copyable } from "../ui/copy.jsx";
import { Detail } from "../ui/detail.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { ResultNote } from "../ui/result.jsx";
import { Secret, SecretDialog } from "../ui/secret.jsx";

/** Path at which mail servers ask about a sign-in, on the console's host. */
const MAIL_AUTH = "/v1/mail-auth";

/** @typedef {import('./requests.js').SavedUser} SavedUser */

/**
 * Returns `true` if there is more to show than the result.
 * @param {SavedUser} saved
 */
export const hasNews = ({ drawn, mail }) => drawn !== null || mail;

/** @param {{saved: SavedUser, onDone: () => void}} props */
export function Saved({ saved: { result, drawn, mail }, onDone }) {
  const { say } = useLocale();
  const { name } = result.keys[0];
  if (drawn === null)
    return (
      <Dialog title={say("api-user.mail.title", { name })} onCancel={onDone} focus="title" class="reveal">
        <div class="body">
          <ResultNote result={result} />
          <MailSettings name={name} />
        </div>
        <div class="actions">
          <button type="button" class="primary" onClick={onDone}>
            {say("close")}
          </button>
        </div>
      </Dialog>
    );
  return (
    <SecretDialog
      title={say("api-user.reveal.title", { name })}
      lead={say("reveal.once")}
      once
      closeBody="api-user.reveal.close"
      onDone={onDone}
    >
      {({ copied, onCopied }) => (
        <>
          <ResultNote result={result} />
          <Secret
            id="credential"
            label={say("api-user.key")}
            value={drawn}
            copyLabel={say("copy.key")}
            main
            primary={!copied}
            onCopied={onCopied}
          />
          {!mail && (
            <dl>
              <Detail term={say("api-user.name")}>
                <Copyable text={name} label={say("api-user.copy-name")} />
              </Detail>
            </dl>
          )}
          {mail && (
            <>
              <h3>{say("api-user.mail.heading")}</h3>
              <MailSettings name={name} />
            </>
          )}
          <p class="hint">{say("reveal.where")}</p>
        </>
      )}
    </SecretDialog>
  );
}

/**
 * Draws what to enter in a mail program, and what the mail server needs. Host and port are those of
 * the mail server, which Claviger does not know.
 * @param {{name: string}} props
 */
export function MailSettings({ name }) {
  const { say } = useLocale();
  return (
    <>
      <p>{say("api-user.mail.lead")}</p>
      <dl class="mail-settings">
        <Detail term={say("api-user.mail.host")}>{say("api-user.mail.host.yours")}</Detail>
        <Detail term={say("api-user.mail.port")}>{say("api-user.mail.port.yours")}</Detail>
        <Detail term={say("api-user.name")}>
          <Copyable text={name} label={say("api-user.copy-name")} />
        </Detail>
        <Detail term={say("password")}>{say("api-user.mail.password")}</Detail>
      </dl>
      <h3>{say("api-user.mail.server")}</h3>
      <p>{say("api-user.mail.server.lead")}</p>
      <dl class="mail-settings">
        <Detail term={say("api-user.mail.asks")}>
          <Copyable text={`${location.origin}${MAIL_AUTH}`} label={say("copy.url")} />
        </Detail>
        <Detail term={say("api-user.mail.verifier")}>
          <code>Claviger-Verifier</code>
          <span class="by">{say("api-user.mail.verifier.hint", { permission: <code>claviger:verify</code> })}</span>
        </Detail>
      </dl>
      <p class="hint">{say("api-user.mail.files", { folder: <code>docs/mail</code> })}</p>
    </>
  );
}
