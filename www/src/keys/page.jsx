// Draws the first page: the keys, and below them Connection Information.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { listAddress } from "../client/route.js";
import { canManageKeys, useSession } from "../client/session.jsx";
import { Connection } from "../connection/section.jsx";
import { PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ActionDialog } from "../key/actions/dialog.jsx";
import { DeletionDialog } from "../key/deletion/dialog.jsx";
import { PastedShortLivedKey } from "../key/short-lived/revocation.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { useMedia } from "../ui/browser.js";
import { FocusFallback } from "../ui/focus.jsx";
import { PlusIcon } from "../ui/icons.jsx";
import { Loading } from "../ui/loading.jsx";
import { RetryNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { Issue } from "./issue.jsx";
import { useList } from "./list.js";
import { Paging } from "./paging.jsx";
import { Search } from "./search.jsx";
import { SelectionBar, useSelection } from "./selection.jsx";
import { Cards } from "./cards.jsx";
import { TickAll, nameId } from "./parts.jsx";
import { Table } from "./table.jsx";

/** Number of keys from which searching is faster than looking. */
const SEARCH_FROM_ROWS = 11;
/** Widths at which a table of keys has room; below, each key is a card. */
const TABLE_FITS = "(min-width: 48rem)";
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
  const { session } = useSession();
  const list = useList(query);
  const [issuing, setIssuing] = useState(false);
  const [act, setAct] = useState(/** @type {{what: import('../key/model.js').Action, subject: Key} | null} */ (null));
  const [deleting, setDeleting] = useState(/** @type {Key[] | null} */ (null));
  const [result, setResult] = useState(/** @type {KeyResult | null} */ (null));
  const [shortLived, setShortLived] = useState(
    /** @type {import('../key/short-lived/parser.js').ShortLivedKey | null} */ (null),
  );
  const selection = useSelection(list);
  const focusLater = useFocus();
  const roomy = useMedia(TABLE_FITS);

  useEffect(() => {
    if (query.q && list.asked?.q === query.q && !list.problem) announce(say("keys.match", { count: list.total }));
  }, [list.asked]);

  /** @param {KeyResult} done */
  const settle = (done) => {
    setAct(null);
    setResult(done);
    announce(resultText(locale, done));
    // A deletion returns only IDs, and several keys may have changed.
    if (done.act === "deleted" || done.keys.length > 1) return list.refresh();
    return list.replace(done.keys[0]);
  };
  /** @param {KeyResult} done */
  const settleSelected = (done) => {
    setDeleting(null);
    selection.clear();
    settle(done);
    focusLater(HEADING);
  };
  const issued = useCallback(
    /** @param {Key} key */
    (key) => {
      list.insert(key);
      setResult({ act: "issued", keys: [key], bound: null });
    },
    [list.insert],
  );
  const finishIssue = useCallback(() => setIssuing(false), []);
  useEffect(() => {
    if (!issuing && result?.act === "issued") focusLater(nameId(result.keys[0]));
  }, [issuing]);

  const loaded = list.asked !== null && !list.problem;
  // The search that the rows answer; it lags behind the typed text.
  const searched = list.asked?.q ?? "";
  const empty = loaded && !searched && !list.asked?.cursor && list.keys.length === 0;
  // Once shown, the search stays: it would lose the focus between two responses.
  const searchable = useRef(false);
  searchable.current ||= Boolean(query.q) || list.total >= SEARCH_FROM_ROWS;
  const issueButton = canManageKeys(session) && (
    <button type="button" class="primary" id={ISSUE_BUTTON} onClick={() => setIssuing(true)}>
      <PlusIcon /> {say("issue.open")}
    </button>
  );

  const rows = {
    rows: list.keys,
    result: result?.keys.length === 1 ? result : null,
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
      {!canManageKeys(session) && <p class="lead">{say("viewer")}</p>}
      <section aria-labelledby={HEADING}>
        <div class="section-head">
          <h2 id={HEADING} tabIndex={-1} class="unseen">
            {say("keys.heading")}
          </h2>
          {searchable.current && <Search q={query.q ?? ""} sort={query.sort ?? ""} onShortLived={setShortLived} />}
        </div>
        {shortLived && <PastedShortLivedKey key={shortLived.id} shortLived={shortLived} />}
        {!list.asked && <Loading message="loading.keys" />}
        {list.problem && <RetryNotice problem={list.problem} as="keys_not_loaded" onRetry={list.again} />}
        {empty && (
          <div class="empty">
            <p>{say("keys.none")}</p>
            {issueButton}
          </div>
        )}
        {loaded && searched && list.keys.length === 0 && (
          <div class="empty">
            <p>{say("keys.none-match", { q: searched })}</p>
            <FocusFallback>
              <a class="button" href={listAddress({ sort: query.sort ?? "" })}>
                {say("clear")}
              </a>
            </FocusFallback>
          </div>
        )}
        {list.keys.length > 0 && (
          <>
            <SelectionBar
              selection={selection}
              tick={
                !roomy &&
                canManageKeys(session) && <TickAll rows={list.keys} selected={selection.ids} onSelect={selection.set} />
              }
              onDelete={(keys) => {
                setResult(null);
                setDeleting(keys);
              }}
              onClear={() => {
                selection.clear();
                focusLater(HEADING);
              }}
            >
              <p class="count">{countText(locale, list)}</p>
            </SelectionBar>
            {result && result.keys.length > 1 && <ResultNote result={result} />}
            {roomy ? <Table query={query} {...rows} /> : <Cards {...rows} />}
            {list.asked && (
              <Paging
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
      <Connection reached={atConnection} ready={list.asked !== null} />
      {issuing && <Issue onIssued={issued} onStale={list.refresh} onDone={finishIssue} />}
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

/** @param {import('../i18n/locale.jsx').Locale} locale @param {import('./list.js').List} list */
function countText({ say, format }, { total, exact }) {
  return `${say(exact ? "keys.count" : "keys.count.more", { count: total })} · ${say("keys.zone", { zone: format.zone })}`;
}

/** Returns a function that focuses an element once it is drawn. @returns {(id: string) => void} */
function useFocus() {
  const [target, setTarget] = useState(/** @type {{id: string} | null} */ (null));
  useEffect(() => {
    if (target) document.getElementById(target.id)?.focus();
  }, [target]);
  return useCallback((id) => setTarget({ id }), []);
}
