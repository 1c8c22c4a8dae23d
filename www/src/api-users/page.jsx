// Draws the page of the API users.
import { useEffect, useState } from "preact/hooks";
import { usersAddress } from "../client/route.js";
import { canManageKeys, useSession } from "../client/session.jsx";
import { PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { useRoomForTable } from "../ui/browser.js";
import { FocusFallback, useFocusLater } from "../ui/focus.jsx";
import { PlusIcon } from "../ui/icons.jsx";
import { Loading } from "../ui/loading.jsx";
import { CursorPaging } from "../ui/paging.jsx";
import { RetryNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { useSearchable } from "../ui/search.jsx";
import { UserAction } from "./action.jsx";
import { UserDialog } from "./editor.jsx";
import { UserFilters, UserSearch } from "./filter.jsx";
import { useUsers } from "./list.js";
import { UserCards, UsersTable, nameId } from "./rows.jsx";

const HEADING = "users";

/**
 * @typedef {import('./requests.js').ApiUser} ApiUser
 * @typedef {import('./requests.js').UserResult} UserResult
 */

/** @param {{query: Record<string, string>}} props */
export function ApiUsersPage({ query }) {
  const locale = useLocale();
  const { say, format } = locale;
  const announce = useAnnounce();
  const { session } = useSession();
  const list = useUsers(query);
  const [adding, setAdding] = useState(false);
  const [act, setAct] = useState(/** @type {{what: import('./requests.js').Action, subject: ApiUser} | null} */ (null));
  const [result, setResult] = useState(/** @type {UserResult | null} */ (null));
  const focusLater = useFocusLater();
  const roomy = useRoomForTable();
  const changes = canManageKeys(session);

  useEffect(() => {
    if (query.q && list.asked?.q === query.q && !list.problem) announce(say("api-user.match", { count: list.total }));
  }, [list.asked]);

  /** @param {UserResult} done */
  const settle = (done) => {
    setResult(done);
    announce(resultText(locale, done));
    if (done.act === "user_added") list.insert(done.keys[0]);
    else list.replace(done.keys[0]);
  };
  useEffect(() => {
    if (!adding && result?.act === "user_added") focusLater(nameId(result.keys[0]));
  }, [adding]);
  const open = () => {
    setResult(null);
    setAdding(true);
  };

  const loaded = list.asked !== null && !list.problem;
  // The search and the filter that the rows answer; they lag behind the address bar.
  const { q: searched = "", status: filtered = "" } = list.asked ?? {};
  const none = loaded && !list.asked?.cursor && list.rows.length === 0;
  const empty = none && !searched && !filtered;
  const searchable = useSearchable(query.q, list.total);
  const addButton = changes && (
    <button type="button" class="primary" onClick={open}>
      <PlusIcon /> {say("api-user.add.open")}
    </button>
  );
  const shownAtRow = list.rows.some(({ id }) => id === result?.keys[0].id);
  const rows = {
    rows: list.rows,
    result: shownAtRow ? result : null,
    /** @type {import('./rows.jsx').OnAct} */
    onAct: (what, subject) => {
      setResult(null);
      setAct({ what, subject });
    },
  };

  return (
    <>
      <div class="page-head">
        <PageTitle title={say("api-user.title")} />
        {!empty && addButton}
      </div>
      <p class="lead">{say(changes ? "api-user.lead" : "api-user.viewer")}</p>
      <section aria-labelledby={HEADING}>
        <div class="section-head">
          <h2 id={HEADING} tabIndex={-1} class="unseen">
            {say("api-user.heading")}
          </h2>
          {searchable && <UserSearch query={query} />}
          {loaded && !empty && <UserFilters query={query} withOrder={!roomy} />}
        </div>
        {!list.asked && <Loading message="loading.api-users" />}
        {list.problem && <RetryNotice problem={list.problem} as="api_users_not_loaded" onRetry={list.again} />}
        {result && !shownAtRow && <ResultNote result={result} />}
        {empty && (
          <div class="empty">
            <p>{say("api-user.none")}</p>
            {addButton}
            <a href={usersAddress({ status: "deleted" })}>{say("api-user.show-deleted")}</a>
          </div>
        )}
        {none && !empty && (
          <div class="empty">
            <p>
              {searched
                ? say("api-user.none-match", { q: searched })
                : say(filtered === "deleted" ? "api-user.none-deleted" : "api-user.none-filtered")}
            </p>
            <FocusFallback>
              <a class="button" href={usersAddress({ sort: query.sort })}>
                {say("clear")}
              </a>
            </FocusFallback>
          </div>
        )}
        {list.rows.length > 0 && (
          <>
            <p class="count list-count">
              {say("api-user.count", { count: list.total })} · {say("keys.zone", { zone: format.zone })}
            </p>
            {roomy ? <UsersTable query={query} {...rows} /> : <UserCards {...rows} />}
            {list.asked && (
              <CursorPaging
                label={say("api-user.paging")}
                heading={HEADING}
                address={addressIn(list.asked)}
                asked={list.asked}
                rows={list.rows.length}
                next={list.next}
                total={list.total}
              />
            )}
            <p class="hint">{say("use.lag")}</p>
          </>
        )}
      </section>
      {adding && <UserDialog subject={null} onSaved={settle} onStale={list.refresh} onDone={() => setAdding(false)} />}
      {act && (
        <UserAction
          {...act}
          onSaved={settle}
          onDone={() => setAct(null)}
          onStale={list.refresh}
          onChanged={(user) => {
            list.replace(user);
            // The editor keeps the version that it started from.
            setAct(act.what === "edit" ? act : { ...act, subject: user });
          }}
        />
      )}
    </>
  );
}

/**
 * Returns a function that names the pages of the list that answers a query.
 * @param {import('./list.js').Asked} asked
 * @returns {(page: {cursor?: string, from?: string}) => string}
 */
const addressIn =
  ({ q, sort, status }) =>
  (page) =>
    usersAddress({ q, sort, status, ...page });
