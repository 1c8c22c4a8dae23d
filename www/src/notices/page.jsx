// Draws the page of the member's past notices, and marks them as read.
import { useEffect, useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { Loading } from "../ui/loading.jsx";
import { RetryNotice } from "../ui/problem.jsx";
import { Entry } from "./entry.jsx";
import { loadNotices, markRead } from "./requests.js";

/** @typedef {import('./requests.js').Notice} Notice */

/**
 * Loads the notices, page by page. The session that another count of unread ones makes loads
 * nothing again, so that the marks of this visit stay.
 */
function useNotices() {
  const { session, request, amend } = useSession();
  const [notices, setNotices] = useState(/** @type {Notice[] | null} */ (null));
  const [next, setNext] = useState(/** @type {number | null} */ (null));
  const [problem, setProblem] = useState(/** @type {import('../client/api.js').Problem | null} */ (null));
  const [busy, setBusy] = useState(false);

  const read = async (/** @type {number} */ id) => {
    const answer = await markRead(request, id);
    // If it fails, they are unread at the next visit.
    if (answer.ok) amend(session.member.id, { unread_notices: answer.data.unread });
  };
  /** Loads the page after those that are shown; returns its notices. */
  const load = async () => {
    if (busy) return null;
    setBusy(true);
    setProblem(null);
    const answer = await loadNotices(request, next);
    setBusy(false);
    if (!answer.ok) {
      setProblem(answer.problem);
      return null;
    }
    const { notices: found, unread } = answer.data;
    setNotices([...(notices ?? []), ...found]);
    setNext(answer.data.next);
    if (!notices && found.length && unread > 0) read(found[0].id);
    return found;
  };
  useEffect(() => {
    load();
  }, []);
  return { notices, next, problem, busy, load };
}

export function NoticesPage() {
  const { say } = useLocale();
  const announce = useAnnounce();
  const { notices, next, problem, busy, load } = useNotices();
  const onward = async () => {
    const found = await load();
    if (found) announce(say("notice.more", { count: found.length }));
  };
  return (
    <>
      <div class="page-head">
        <PageTitle title={say("notice.title")} />
        <p class="row">
          <a class="button" href="#/profile/notices">
            {say("notice.mails")}
          </a>
        </p>
      </div>
      <p class="lead">{say("notice.lead")}</p>
      {!notices && !problem && <Loading message="loading.notice-list" />}
      {notices?.length === 0 && (
        <div class="empty">
          <p>{say("notice.none")}</p>
        </div>
      )}
      {notices && notices.length > 0 && (
        <ul class="rows notices" aria-label={say("notice.title")}>
          {notices.map((notice) => (
            <Entry key={notice.id} notice={notice} />
          ))}
        </ul>
      )}
      <RetryNotice problem={problem} as="notice_list_not_loaded" onRetry={load} />
      {next && !problem && (
        <p class="paging">
          <button type="button" onClick={onward}>
            {say(busy ? "notice.loading-more" : "notice.older")}
          </button>
        </p>
      )}
    </>
  );
}
