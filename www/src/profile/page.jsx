// Draws the page of the person who is signed in: name and language, password, second
// factor, browsers, accounts, notices.
import { useSession } from "../client/session.jsx";
import { PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { OwnAccounts } from "./accounts.jsx";
import { Browsers } from "./browsers.jsx";
import { Details } from "./details.jsx";
import { TwoSteps } from "./mfa.jsx";
import { Notices } from "./notices.jsx";
import { PasswordSection } from "./password.jsx";

/** Parts of the page that have an address. */
const PARTS = ["browsers", "accounts", "mfa", "notices"];

/** @param {{part?: string}} props `part` comes from the address bar */
export function ProfilePage({ part = "" }) {
  const { say } = useLocale();
  const { session } = useSession();
  return (
    <>
      <div class="page-head">
        <PageTitle title={say("profile.title")} focus={!PARTS.includes(part)} />
      </div>
      <Details />
      {(session.accounts ?? 1) > 1 && <OwnAccounts reached={part === "accounts"} />}
      <PasswordSection />
      <TwoSteps reached={part === "mfa"} />
      <Browsers reached={part === "browsers"} />
      <Notices reached={part === "notices"} />
    </>
  );
}
