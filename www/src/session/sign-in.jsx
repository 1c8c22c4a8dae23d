// Sign-in, when nobody is signed in.
import { Mark } from "../icons.jsx";
import { useLocale } from "../locale.jsx";
import { Preferences } from "../preferences.jsx";
import { PageTitle } from "../shell.jsx";
import { CredentialsForm } from "./credentials-form.jsx";

export function SignIn({ onSignedIn }) {
  const { say } = useLocale();
  return (
    <main class="alone">
      <p class="brand">
        <Mark />
        <span>Claviger</span>
      </p>
      <div class="card">
        <PageTitle title={say("sign-in")} />
        <CredentialsForm onSession={onSignedIn} />
      </div>
      <Preferences />
    </main>
  );
}
