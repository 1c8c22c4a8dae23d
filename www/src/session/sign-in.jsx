// Sign-in, when nobody is signed in.
import { useLocale } from "../locale.jsx";
import { Preferences } from "../preferences.jsx";
import { Alone, PageTitle } from "../shell.jsx";
import { CredentialsForm } from "./credentials-form.jsx";

export function SignIn({ onSignedIn }) {
  const { say } = useLocale();
  return (
    <Alone after={<Preferences />}>
      <PageTitle title={say("sign-in")} />
      <CredentialsForm onSession={onSignedIn} />
    </Alone>
  );
}
