// Draws the pages of people who are not signed in: sign-in, and the reset of a password.
import { useState } from "preact/hooks";
import { go } from "../client/route.js";
import { Preferences } from "../frame/preferences.jsx";
import { CardPage, PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Notice } from "../ui/notice.jsx";
import { CredentialsForm } from "./credentials.jsx";
import { AddressStep, CodeStep } from "./reset.jsx";

/**
 * @param {object} props
 * @param {boolean} props.resetting `true` at the address of the reset
 * @param {string} [props.email] of the person who is signed in, and has forgotten the password
 * @param {() => void} props.onReset called once the password is another; every session has ended
 * @param {(session: import('../client/session.jsx').Session) => void} props.onSignedIn
 */
export function SignIn({ resetting, email: known = "", onReset, onSignedIn }) {
  const { say } = useLocale();
  // Typed at one page, it stands at the other.
  const [email, setEmail] = useState(known);
  const [mailed, setMailed] = useState(false);
  const [reset, setReset] = useState(false);

  const finish = () => {
    setMailed(false);
    setReset(true);
    onReset();
    go("#/keys", { replace: true });
  };
  if (!resetting)
    return (
      <CardPage after={<Preferences />}>
        <PageTitle key="sign-in" title={say("sign-in")} focus={!reset} />
        {reset && (
          <Notice about="reset" bad={false}>
            <p>{say("reset.done")}</p>
          </Notice>
        )}
        <CredentialsForm typed={email} onTyped={setEmail} onSession={onSignedIn} />
        <p class="aside-line">
          <a href="#/reset">{say("reset.link")}</a>
        </p>
      </CardPage>
    );
  return (
    <CardPage after={<Preferences />}>
      <PageTitle key={`reset ${mailed}`} title={say("reset.title")} />
      {mailed ? (
        <CodeStep email={email} onDone={finish} onBack={() => setMailed(false)} />
      ) : (
        <AddressStep
          email={email}
          onMailed={(address) => {
            setEmail(address);
            setMailed(true);
          }}
        />
      )}
      <p class="aside-line">
        <a href="#/keys">{say(known ? "back.keys" : "reset.back")}</a>
      </p>
    </CardPage>
  );
}
