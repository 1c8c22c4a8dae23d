// Draws the frame of every signed-in screen: brand, navigation, notices, the member's menu.
import { useEffect, useRef } from "preact/hooks";
import { canManageKeys, useSession } from "../client/session.jsx";
import { useLocale, useTitle } from "../i18n/locale.jsx";
import { useOnline } from "../ui/browser.js";
import { Mark, WarningIcon } from "../ui/icons.jsx";
import { MemberMenu } from "./menu.jsx";

/** @param {{page: string, children: import('preact').ComponentChildren}} props */
export function Shell({ page, children }) {
  const { say, format } = useLocale();
  const { session } = useSession();
  const online = useOnline();
  /** @param {...string} pages */
  const here = (...pages) => (pages.includes(page) ? "page" : undefined);
  /** @param {Event} event */
  const skip = (event) => {
    event.preventDefault();
    document.querySelector("h1")?.focus();
  };
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        {say("skip")}
      </a>
      <header class="bar">
        <a class="brand" href="#/keys">
          <Mark />
          <span>Claviger</span>
        </a>
        <span class="account">{session.account.name}</span>
        <nav aria-label={say("nav")}>
          <a href="#/keys" aria-current={here("keys", "connection")}>
            {say("keys.title")}
          </a>
          <a href="#/api-users" aria-current={here("api-users")}>
            {say("api-user.title")}
          </a>
          <a href="#/activity" aria-current={here("activity")}>
            {say("activity.title")}
          </a>
          <a href="#/account" aria-current={here("account")}>
            {say("account.title")}
          </a>
          {session.operator && (
            <a href="#/operator" aria-current={here("operator")}>
              {say("operator.nav")}
            </a>
          )}
        </nav>
        <MemberMenu />
      </header>
      <div role="status" class="strip">
        {!online && (
          <p>
            <WarningIcon /> {say("offline")}
          </p>
        )}
        {session.account.suspended && (
          <p>
            <WarningIcon /> {say("suspended")}
          </p>
        )}
        {session.publication_lag_s && session.member.role === "owner" && (
          <p>
            <WarningIcon /> {say("lagging", { span: format.span(session.publication_lag_s * 1000) })}
          </p>
        )}
        {session.mail === "failing" && canManageKeys(session) && (
          <p>
            <WarningIcon /> {say("mail.failing")}
          </p>
        )}
      </div>
      <main id="main">{children}</main>
    </>
  );
}

/**
 * Draws a screen without the frame, for people who are not signed in.
 * @param {object} props
 * @param {import('preact').ComponentChildren} [props.after] stands below the card
 * @param {import('preact').ComponentChildren} props.children
 */
export const CardPage = ({ after, children }) => (
  <main class="card-page">
    <p class="brand">
      <Mark />
      <span>Claviger</span>
    </p>
    <div class="card">{children}</div>
    {after}
  </main>
);

/**
 * Draws the `h1` of a page, which takes the focus when the page is reached, and names the window.
 * @param {{title: string, focus?: boolean}} props
 */
export function PageTitle({ title, focus = true }) {
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useTitle(title);
  useEffect(() => {
    if (focus) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {title}
    </h1>
  );
}

export function NotFoundPage() {
  const { say } = useLocale();
  return (
    <>
      <PageTitle title={say("lost.title")} />
      <p>
        <a href="#/keys">{say("back.keys")}</a>
      </p>
    </>
  );
}
