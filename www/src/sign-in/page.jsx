// Draws the sign-in page.
import { Preferences } from "../frame/preferences.jsx";
import { CardPage, PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { CredentialsForm } from "./credentials.jsx";

/** @param {{onSignedIn: (session: import('../client/session.jsx').Session) => void}} props */
export function SignIn({ onSignedIn }) {
  const { say } = useLocale();
  return (
    <CardPage after={<Preferences />}>
      <PageTitle title={say("sign-in")} />
      <CredentialsForm onSession={onSignedIn} />
    </CardPage>
  );
}
