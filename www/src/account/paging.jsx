// Draws the search of the members and the links between their pages.
import { useEffect, useRef } from "preact/hooks";
import { go, membersAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { ignoreImeEnter } from "../ui/fields.jsx";
import { BackIcon, NextIcon, SearchIcon } from "../ui/icons.jsx";
import { PAGE_ROWS } from "./list.js";

/** Pause in typing after which the number of matches is announced. */
const QUIET_MS = 600;

/** @param {{query: Record<string, string>, found: number}} props */
export function MemberSearch({ query, found }) {
  const { say } = useLocale();
  const announce = useAnnounce();
  const q = query.q ?? "";
  useEffect(() => {
    if (!q) return undefined;
    const timer = setTimeout(() => announce(say("members.match", { count: found })), QUIET_MS);
    return () => clearTimeout(timer);
  }, [q]);
  return (
    <form role="search" class="search" onSubmit={(event) => event.preventDefault()} onKeyDown={ignoreImeEnter}>
      <label class="unseen" for="member-search">
        {say("members.search")}
      </label>
      <SearchIcon />
      <input
        id="member-search"
        type="search"
        autocomplete="off"
        spellcheck={false}
        placeholder={say("members.search")}
        value={q}
        onInput={(event) => go(membersAddress({ q: event.currentTarget.value, sort: query.sort }), { replace: true })}
      />
    </form>
  );
}

/**
 * @param {object} props
 * @param {Record<string, string>} props.query
 * @param {number} props.found
 * @param {number} props.page
 * @param {number} props.pages
 * @param {number} props.from
 */
export function MemberPaging({ query, found, page, pages, from }) {
  const { say, format } = useLocale();
  const announce = useAnnounce();
  const [first, last] = [from + 1, Math.min(from + PAGE_ROWS, found)];
  const text = say("paging.shown", {
    from: format.number(first),
    to: format.number(last),
    total: format.number(found),
  });
  const seen = useRef(page);
  useEffect(() => {
    if (seen.current === page) return;
    seen.current = page;
    document.getElementById("members")?.focus();
    announce(text);
  }, [page]);
  if (pages === 1) return null;
  /** @param {number} number */
  const address = (number) => membersAddress({ q: query.q, sort: query.sort, page: String(number) });
  return (
    <nav class="paging" aria-label={say("members.paging")}>
      <p>{text}</p>
      {page > 1 && (
        <a class="button" href={address(page - 1)}>
          <BackIcon /> {say("paging.back")}
        </a>
      )}
      {page < pages && (
        <a class="button" href={address(page + 1)}>
          {say("paging.next")} <NextIcon />
        </a>
      )}
    </nav>
  );
}
