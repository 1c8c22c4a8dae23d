// Draws the first page: the keys, and below them Connection Information.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { listAddress } from "../client/route.js";
import { hasPairs } from "../client/policy.js";
import { canManageKeys, isOwner, useSession } from "../client/session.jsx";
import { Connection } from "../connection/section.jsx";
import { PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ActionDialog } from "../key/actions/dialog.jsx";
import { BulkDisabling } from "../key/actions/bulk.jsx";
import { DeletionDialog } from "../key/deletion/dialog.jsx";
import { loadKey } from "../key/model.js";
import { PastedShortLivedKey } from "../key/short-lived/revocation.jsx";
import { worksText } from "../key/works.js";
import { useAnnounce } from "../ui/announcer.jsx";
import { useRoomForTable } from "../ui/browser.js";
import { deferred } from "../ui/deferred.jsx";
import { FocusFallback, useFocusLater } from "../ui/focus.jsx";
import { PlusIcon } from "../ui/icons.jsx";
import { Loading } from "../ui/loading.jsx";
import { CursorPaging } from "../ui/paging.jsx";
import { RetryNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { useSearchable } from "../ui/search.jsx";
import { Filters } from "./filter.jsx";
import { Issue } from "./issue.jsx";
import { filtersOf, useList } from "./list.js";
import { Search } from "./search.jsx";
import { SelectionBar, useSelection } from "./selection.jsx";
import { Cards } from "./cards.jsx";
import { TickAll, nameId } from "./parts.jsx";
import { Table } from "./table.jsx";

/** Accounts whose policy allows many keys do without it. */
const PairSection = deferred(async () => (await import("../pair/section.jsx")).PairSection, "loading.pair");

const ISSUE_BUTTON = "issue-key";
const HEADING = "keys";

/**
 * @typedef {import('../key/model.js').Key} Key
 * @typedef {import('../key/model.js').KeyResult} KeyResult
 */

/** @param {{query: Record<string, string>, atConnection: boolean}} props */
export function KeysPage({ query, atConnection }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { request, session } = useSession();
  const list = useList(query);
  const [issuing, setIssuing] = useState(false);
  const [act, setAct] = useState(/** @type {{what: import('../key/model.js').Action, subject: Key} | null} */ (null));
  const [disabling, setDisabling] = useState(/** @type {Key[] | null} */ (null));
  const [deleting, setDeleting] = useState(/** @type {Key[] | null} */ (null));
  const [result, setResult] = useState(/** @type {KeyResult | null} */ (null));
  const [shortLived, setShortLived] = useState(
    /** @type {import('../key/short-lived/parser.js').ShortLivedKey | null} */ (null),
  );
  const [turn, setTurn] = useState(0);
  const selection = useSelection(list);
  const focusLater = useFocusLater();
  const roomy = useRoomForTable();

  useEffect(() => {
    if (query.q && list.asked?.q === query.q && !list.problem) announce(say("keys.match", { count: list.total }));
  }, [list.asked]);

  /** @param {string} id */
  const reloadRow = async (id) => {
    const answer = await loadKey(request, id);
    if (answer.ok) list.replace(answer.data);
    else list.refresh();
  };
  // Under a policy of one key pair for each member, the page is about the member's own. Owners see
  // the keys of all below it.
  const pairs = hasPairs(session);
  const listed = !pairs || isOwner(session);
  /** @param {KeyResult} done */
  const settle = (done) => {
    setAct(null);
    setResult(done);
    setTurn((before) => before + 1);
    announce(resultText(locale, done));
    // A successor has a row of its own, and the old key's row changes, too.
    if (done.act === "regenerated") successor.current = done.keys[0].id;
    if (done.keys.length > 1 || done.act === "regenerated") return list.refresh();
    // A deletion returns only the ID. The row stays until the list is loaded again.
    if (done.act === "deleted") return reloadRow(done.keys[0].id);
    return list.replace(done.keys[0]);
  };
  /** @param {KeyResult} done */
  const settleSelected = (done) => {
    setDeleting(null);
    setDisabling(null);
    selection.clear();
    settle(done);
    focusLater(HEADING);
  };
  const issued = useCallback(
    /** @param {Key} key */
    (key) => {
      list.insert(key);
      setResult({ act: "issued", keys: [key], bound: null, works: worksText(locale, key, session.permissions) });
    },
    [list.insert, locale, session.permissions],
  );
  const finishIssue = useCallback(() => setIssuing(false), []);
  useEffect(() => {
    if (!issuing && result?.act === "issued") focusLater(nameId(result.keys[0]));
  }, [issuing]);
  // The row that led to a regeneration may be gone; the successor's is there once the list is.
  const successor = useRef("");
  useEffect(() => {
    const row = list.keys.find(({ id }) => id === successor.current);
    if (!row) return;
    successor.current = "";
    focusLater(nameId(row));
  }, [list.keys]);

  const loaded = list.asked !== null && !list.problem;
  // The search that the rows answer; it lags behind the typed text.
  const searched = list.asked?.q ?? "";
  const filtered = Object.keys(list.asked?.filters ?? {}).length > 0;
  const none = loaded && !list.asked?.cursor && list.keys.length === 0;
  const empty = none && !searched && !filtered && list.hidden === 0;
  const searchable = useSearchable(query.q, list.total);
  const issueButton = canManageKeys(session) && !pairs && (
    <button type="button" class="primary" id={ISSUE_BUTTON} onClick={() => setIssuing(true)}>
      <PlusIcon /> {say("issue.open")}
    </button>
  );

  // A key that the filter hides by now has no row to say it at.
  const shownAtRow = result?.keys.length === 1 && list.keys.some(({ id }) => id === result.keys[0].id);
  const rows = {
    rows: list.keys,
    result: shownAtRow ? result : null,
    selected: selection.ids,
    onSelect: selection.set,
    onAct: /** @type {import('./menu.jsx').OnAct} */ (
      (what, subject) => {
        setResult(null);
        setAct({ what, subject });
      }
    ),
  };

  return (
    <>
      <div class="page-head">
        <PageTitle title={say("keys.title")} focus={!atConnection} />
        <div class="row">
          <a class="button quiet aside" href="#/connection">
            {say("connection.title")}
          </a>
          {!empty && issueButton}
        </div>
      </div>
      {!canManageKeys(session) && !pairs && <p class="lead">{say("viewer")}</p>}
      {pairs && <PairSection turn={turn} onChanged={list.refresh} />}
      {listed && (
        <section aria-labelledby={HEADING} class={pairs ? "others" : undefined}>
          <div class="section-head">
            <h2 id={HEADING} tabIndex={-1} class={pairs ? undefined : "unseen"}>
              {say(pairs ? "pair.others" : "keys.heading")}
            </h2>
            {searchable && (
              <Search
                q={query.q ?? ""}
                rest={{ sort: query.sort ?? "", ...filtersOf(query) }}
                onShortLived={setShortLived}
              />
            )}
            {loaded && !empty && <Filters query={query} withOrder={!roomy} />}
          </div>
          {shortLived && <PastedShortLivedKey key={shortLived.id} shortLived={shortLived} />}
          {!list.asked && <Loading message="loading.keys" />}
          {list.problem && <RetryNotice problem={list.problem} as="keys_not_loaded" onRetry={list.again} />}
          {empty && (
            <div class="empty">
              <p>{say(pairs ? "pair.others.none" : "keys.none")}</p>
              {issueButton}
            </div>
          )}
          {result && list.keys.length === 0 && <ResultNote result={result} />}
          {none && !empty && (
            <div class="empty">
              <p>
                {searched
                  ? say("keys.none-match", { q: searched })
                  : say(filtered ? "keys.none-filtered" : "keys.none-present")}
              </p>
              <Hidden list={list} />
              {(searched || filtered) && (
                <FocusFallback>
                  <a class="button" href={listAddress({ sort: query.sort ?? "" })}>
                    {say("clear")}
                  </a>
                </FocusFallback>
              )}
            </div>
          )}
          {list.keys.length > 0 && (
            <>
              <SelectionBar
                selection={selection}
                tick={
                  !roomy &&
                  canManageKeys(session) && (
                    <TickAll rows={list.keys} selected={selection.ids} onSelect={selection.set} />
                  )
                }
                onDisable={(keys) => {
                  setResult(null);
                  setDisabling(keys);
                }}
                onDelete={(keys) => {
                  setResult(null);
                  setDeleting(keys);
                }}
                onClear={() => {
                  selection.clear();
                  focusLater(HEADING);
                }}
              >
                <p class="count">
                  {countText(locale, list)} <Hidden list={list} />
                </p>
              </SelectionBar>
              {result && !shownAtRow && <ResultNote result={result} />}
              {roomy ? <Table query={query} {...rows} /> : <Cards {...rows} />}
              {list.asked && (
                <CursorPaging
                  label={say("paging")}
                  heading={HEADING}
                  address={addressIn(list.asked)}
                  asked={list.asked}
                  rows={list.keys.length}
                  next={list.next}
                  total={list.total}
                  exact={list.exact}
                />
              )}
              <p class="hint">{say("use.lag")}</p>
            </>
          )}
        </section>
      )}
      <Connection reached={atConnection} ready={list.asked !== null} />
      {issuing && <Issue onIssued={issued} onStale={list.refresh} onDone={finishIssue} />}
      {disabling && (
        <BulkDisabling
          keys={disabling}
          onDone={settleSelected}
          onStale={list.refresh}
          onCancel={() => setDisabling(null)}
        />
      )}
      {deleting && (
        <DeletionDialog
          keys={deleting}
          onDone={settleSelected}
          onStale={list.refresh}
          onCancel={() => setDeleting(null)}
        />
      )}
      {act && (
        <ActionDialog
          {...act}
          onDone={settle}
          onStale={list.refresh}
          onCancel={() => setAct(null)}
          onChanged={(key) => {
            list.replace(key);
            setAct(act.what === "edit" ? act : { ...act, subject: key });
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
  ({ q, sort, filters }) =>
  (page) =>
    listAddress({ q, sort, ...filters, ...page });

/**
 * Says how many deleted and ended keys the filter leaves out, and leads to them.
 * @param {{list: import('./list.js').List}} props
 */
function Hidden({ list: { hidden, hidesMore, asked } }) {
  const { say } = useLocale();
  if (!hidden || !asked) return null;
  const { q, sort, filters } = asked;
  return (
    <span>
      {say(hidesMore ? "keys.hidden.more" : "keys.hidden", { count: hidden })}{" "}
      <a href={listAddress({ q, sort, ...filters, status: "all" })}>{say("keys.hidden.show")}</a>
    </span>
  );
}

/** @param {import('../i18n/locale.jsx').Locale} locale @param {import('./list.js').List} list */
function countText({ say, format }, { total, exact }) {
  return `${say(exact ? "keys.count" : "keys.count.more", { count: total })} · ${say("keys.zone", { zone: format.zone })}`;
}
