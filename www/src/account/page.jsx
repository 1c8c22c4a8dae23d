// Draws the account's page: members, open invitations, and the account's name and time zone.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
import { isOwner, useSession } from "../client/session.jsx";
import { PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { useRoomForTable, useTick } from "../ui/browser.js";
import { useFocusLater } from "../ui/focus.jsx";
import { PlusIcon } from "../ui/icons.jsx";
import { Loading } from "../ui/loading.jsx";
import { RetryNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { useSearchable } from "../ui/search.jsx";
import { ActionDialog } from "./dialogs.jsx";
import { Invitations, invitationButton } from "./invitations.jsx";
import { Invite } from "./invite.jsx";
import { indexed, matching, pageOf, sorted } from "./list.js";
import { MemberCards, MembersTable, memberButton } from "./members.jsx";
import { MemberPaging, MemberSearch } from "./paging.jsx";
import { loadMembers } from "./requests.js";
import { AccountSettings } from "./settings.jsx";

const HEADING = "members";
/** Mails are seldom queued for longer: the page looks this often, with this pause. */
const MAIL_LOOKS = 5;
const MAIL_LOOK_MS = 3_000;
/** Owners whose names are worth reading. */
const OWNERS_NAMED = 3;

/**
 * @typedef {import('./requests.js').Member} Member
 * @typedef {import('./requests.js').Members} Members
 * @typedef {import('./dialogs.jsx').Action} Action
 * @typedef {import('../ui/result.jsx').Result & {id: string}} Result `id` names a member or an
 *   invitation
 */

/** @param {{query: Record<string, string>}} props */
export function AccountPage({ query }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { request, session } = useSession();
  const { data, setData, problem, reload } = useLoader((signal) => loadMembers(request, signal), [request]);
  const [inviting, setInviting] = useState(false);
  const [act, setAct] = useState(/** @type {{what: Action, id: string} | null} */ (null));
  const [result, setResult] = useState(/** @type {Result | null} */ (null));
  const focusLater = useFocusLater();
  const owner = isOwner(session);
  const members = data?.members ?? [];
  const invitations = data?.invitations ?? [];
  const subject = act && members.find(({ id }) => id === act.id);
  const owners = members.filter(({ role }) => role === "owner");
  const list = useMemberList(members, query);
  useTick();
  useMailLooks(
    invitations.some(({ mail }) => mail === "queued"),
    data,
    reload,
  );

  /**
   * @param {string} done
   * @param {string} id
   * @param {string} name
   * @param {import('../ui/result.jsx').Bound | null} [bound]
   */
  const report = (done, id, name, bound = null) => {
    const said = { act: done, id, keys: [{ name }], bound };
    setResult(said);
    announce(resultText(locale, said));
  };
  /** @param {(before: Members) => Members} changed */
  const change = (changed) => setData((before) => before && changed(before));

  /** @param {string} done @param {import('./requests.js').Invitation} invitation */
  const settleInvitation = (done, invitation) => {
    setInviting(false);
    change(({ invitations: before = [], ...rest }) => {
      const others = before.filter(({ id }) => id !== invitation.id);
      return { ...rest, invitations: done === "withdrawn" ? others : [invitation, ...others] };
    });
    report(done, invitation.id, invitation.email);
    focusLater(done === "withdrawn" ? "invitations" : invitationButton(invitation));
  };
  /** @type {import('./dialogs.jsx').ActionProps['onDone']} */
  const settle = (done, member, bound) => {
    if (!subject) return;
    const { rows } = list;
    const place = rows.findIndex(({ id }) => id === subject.id);
    setAct(null);
    change(({ members: before, ...rest }) => ({
      ...rest,
      members: before.flatMap((one) => (one.id !== subject.id ? [one] : member ? [{ ...one, ...member }] : [])),
    }));
    report(done, subject.id, subject.name, bound);
    const next = member ?? rows[place + 1] ?? rows[place - 1];
    focusLater(next ? memberButton(next.id) : HEADING);
  };

  const shownAtRow = result !== null && list.rows.some(({ id }) => id === result.id);
  const ofInvitation = result && ["invited", "invited_again", "withdrawn"].includes(result.act) ? result : null;
  const rows = {
    rows: list.rows,
    result: shownAtRow ? result : null,
    /** @param {Action} what @param {Member} member */
    onAct: (what, member) => {
      setResult(null);
      setAct({ what, id: member.id });
    },
  };
  const roomy = useRoomForTable();
  const searchable = useSearchable(query.q, members.length);

  return (
    <>
      <div class="page-head">
        <PageTitle title={say("account.title")} />
        {owner && data && (
          <button
            type="button"
            class="primary"
            onClick={() => {
              setResult(null);
              setInviting(true);
            }}
          >
            <PlusIcon /> {say("invitation.open")}
          </button>
        )}
      </div>
      {!owner && data && <p class="lead">{say("members.ask", { names: namesOf(locale.lang, owners) })}</p>}
      {!data && !problem && <Loading message="loading.members" />}
      <RetryNotice problem={problem} as="members_not_loaded" onRetry={reload} />
      {data && (
        <>
          <Invitations invitations={invitations} result={ofInvitation} onDone={settleInvitation} onStale={reload} />
          <section aria-labelledby={HEADING} class="part">
            <div class="section-head">
              <h2 id={HEADING} tabIndex={-1}>
                {say("members.heading")}
              </h2>
              <p class="count">{say("members.count", { count: members.length })}</p>
              {searchable && <MemberSearch query={query} found={list.found} />}
            </div>
            {result && !shownAtRow && !ofInvitation && <ResultNote result={result} />}
            {list.rows.length === 0 ? (
              <div class="empty">
                <p>{say("members.none-match", { q: query.q ?? "" })}</p>
              </div>
            ) : roomy ? (
              <MembersTable query={query} {...rows} />
            ) : (
              <MemberCards {...rows} />
            )}
            <MemberPaging query={query} {...list} />
          </section>
        </>
      )}
      <AccountSettings />
      {inviting && (
        <Invite
          onDone={(invitation) => settleInvitation("invited", invitation)}
          onStale={reload}
          onCancel={() => setInviting(false)}
        />
      )}
      {act && subject && (
        <ActionDialog
          what={act.what}
          subject={subject}
          isLastOwner={subject.role === "owner" && owners.length === 1}
          onDone={settle}
          onStale={reload}
          onCancel={() => setAct(null)}
        />
      )}
    </>
  );
}

/**
 * Searches, sorts and pages the members by the address bar.
 * @param {Member[]} members
 * @param {Record<string, string>} query
 */
function useMemberList(members, query) {
  const { lang } = useLocale();
  const index = useMemo(() => indexed(members), [members]);
  const found = useMemo(
    () => sorted(matching(index, query.q ?? ""), query.sort || "name", lang),
    [index, query.q, query.sort, lang],
  );
  return { found: found.length, ...pageOf(found, query.page) };
}

/**
 * Loads the list again while a mail is on its way, a few times.
 * @param {boolean} waiting
 * @param {unknown} data the last answer
 * @param {() => void} reload
 */
function useMailLooks(waiting, data, reload) {
  const left = useRef(MAIL_LOOKS);
  useEffect(() => {
    if (!waiting) left.current = MAIL_LOOKS;
    if (!waiting || left.current === 0) return undefined;
    const timer = setTimeout(() => {
      left.current -= 1;
      reload();
    }, MAIL_LOOK_MS);
    return () => clearTimeout(timer);
  }, [waiting, data]);
}

/**
 * Returns whom to ask: "Mei Tanaka, Ken Sato or Noor Haddad".
 * @param {string} language
 * @param {Member[]} owners
 */
const namesOf = (language, owners) =>
  new Intl.ListFormat(language, { type: "disjunction" }).format(owners.slice(0, OWNERS_NAMED).map(({ name }) => name));
