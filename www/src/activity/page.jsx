// Draws the activity page: everything that was done in the account, to search and to export.
import { useEffect, useRef } from "preact/hooks";
import { activityAddress } from "../client/route.js";
import { PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { FocusFallback } from "../ui/focus.jsx";
import { BackIcon, NextIcon } from "../ui/icons.jsx";
import { Loading } from "../ui/loading.jsx";
import { RetryNotice } from "../ui/problem.jsx";
import { Entries } from "./entries.jsx";
import { Export } from "./export.jsx";
import { Filter } from "./filter.jsx";
import { FILTERS, useActivity } from "./list.js";

/** @param {{query: Record<string, string>}} props */
export function ActivityPage({ query }) {
  const { say } = useLocale();
  const announce = useAnnounce();
  const { entries, next, asked, problem, again } = useActivity(query);
  const filtered = FILTERS.some((name) => query[name]);

  useEffect(() => {
    if (asked && !problem && (filtered || asked.cursor))
      announce(entries.length ? say("activity.shown", { count: entries.length }) : say(noneOf(next)));
  }, [asked]);

  // The link to this page may be gone with the page before.
  const seen = useRef(query.cursor);
  useEffect(() => {
    if (!asked || seen.current === asked.cursor) return;
    seen.current = asked.cursor;
    document.querySelector("h1")?.focus();
  }, [asked]);

  return (
    <>
      <div class="page-head">
        <PageTitle title={say("activity.title")} />
        <Export query={query} />
      </div>
      <p class="lead">{say("activity.lead")}</p>
      <Filter query={query} entries={entries} />
      {!asked && <Loading message="loading.activity" />}
      <RetryNotice problem={problem} as="activity_not_loaded" onRetry={again} />
      {asked && !problem && entries.length === 0 && (
        <div class="empty">
          <p>{say(filtered ? noneOf(next) : "activity.none")}</p>
          {filtered && (
            <FocusFallback>
              <a class="button" href={activityAddress({})}>
                {say("clear")}
              </a>
            </FocusFallback>
          )}
        </div>
      )}
      {entries.length > 0 && <Entries entries={entries} />}
      {asked && !problem && (
        <Paging query={asked} next={next} onward={entries.length ? "activity.older" : "activity.further"} />
      )}
    </>
  );
}

/** Returns the message for no entries; a further page may have some. @param {string | null} next */
const noneOf = (next) => (next ? "activity.none-so-far" : "activity.none-match");

/**
 * Draws the links to older entries and to the newest. The browser's own way back leads through the
 * pages between.
 * @param {{query: Record<string, string>, next: string | null, onward: string}} props
 */
function Paging({ query, next, onward }) {
  const { say } = useLocale();
  if (!next && !query.cursor) return null;
  return (
    <nav class="paging" aria-label={say("activity.paging")}>
      {query.cursor && (
        <a class="button" href={activityAddress({ ...query, cursor: "" })}>
          <BackIcon /> {say("activity.newest")}
        </a>
      )}
      {next && (
        <a class="button" href={activityAddress({ ...query, cursor: next })}>
          {say(onward)} <NextIcon />
        </a>
      )}
    </nav>
  );
}
