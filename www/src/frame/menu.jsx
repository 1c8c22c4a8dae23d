// Draws the member's menu: their pages, language, theme, sign out.
import { useRef, useState } from "preact/hooks";
import { send } from "../client/api.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { DownIcon, PersonIcon } from "../ui/icons.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { Preferences } from "./preferences.jsx";

export function MemberMenu() {
  const { say } = useLocale();
  const {
    session: { member, accounts = 1, unread_notices: unread = 0 },
    leave,
  } = useSession();
  const sheet = useRef(/** @type {HTMLDivElement | null} */ (null));
  const close = () => sheet.current?.hidePopover();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {import('../client/api.js').Problem | null} */ (null));

  const signOut = async () => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    const answer = await send("DELETE", "/v1/session");
    setBusy(false);
    if (answer.ok || answer.problem.code === "not_signed_in") leave();
    else setProblem(answer.problem);
  };

  return (
    <>
      <button
        type="button"
        class="quiet member"
        popovertarget="member-menu"
        aria-label={say("member.menu", { name: member.name })}
        aria-describedby={unread ? "menu-unread" : undefined}
      >
        <PersonIcon class="icon person" />
        <span>{member.name}</span>
        {unread > 0 && <span class="dot" />}
        <DownIcon />
      </button>
      {unread > 0 && (
        <span id="menu-unread" class="unseen">
          {say("notice.unread", { count: unread })}
        </span>
      )}
      <div popover="auto" id="member-menu" class="menu sheet" ref={sheet}>
        <p class="who">
          <strong>{member.name}</strong>
          <br />
          {member.email}
          <br />
          {say(`role.${member.role}`)}
        </p>
        <nav aria-label={say("menu.yours")} class="items">
          <a class="item" href="#/profile" onClick={close}>
            {say("profile.title")}
          </a>
          <a class="item" href="#/notices" onClick={close}>
            {say("notice.title")}
            {unread > 0 && <span class="tag">{say("notice.unread", { count: unread })}</span>}
          </a>
          <a class="item" href="#/profile/browsers" onClick={close}>
            {say("browsers.heading")}
          </a>
          {accounts > 1 && (
            <a class="item" href="#/profile/accounts" onClick={close}>
              {say("menu.switch")}
            </a>
          )}
        </nav>
        <Preferences />
        {problem && <ProblemNotice problem={problem} />}
        <button type="button" class="wide" onClick={signOut}>
          {say(busy ? "signing-out" : "sign-out")}
        </button>
      </div>
    </>
  );
}
