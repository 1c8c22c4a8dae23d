// Draws the links between pages. The server's cursor only leads on; the way back is remembered
// here.
import { useEffect, useRef } from "preact/hooks";
import { listAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { BackIcon, NextIcon } from "../ui/icons.jsx";
import { PAGE_ROWS } from "./list.js";

/** Maps a page's cursor to the address of the page before it. @type {Map<string, string>} */
const previousPages = new Map();

/**
 * @param {object} props
 * @param {NonNullable<import('./list.js').Page['asked']>} props.asked query that the rows answer
 * @param {number} props.rows on this page
 * @param {string | null} props.next
 * @param {number} props.total
 * @param {boolean} props.exact
 */
export function Paging({ asked, rows, next, total, exact }) {
  const { say, format } = useLocale();
  const announce = useAnnounce();
  const { q, sort, cursor, filters } = asked;
  const before = Number.parseInt(asked.from, 10) || 0;
  const shown = { from: format.number(before + 1), to: format.number(before + rows), total: format.number(total) };
  const text = say(exact ? "paging.shown" : "paging.shown.more", shown);

  const seen = useRef(cursor);
  useEffect(() => {
    if (seen.current === cursor) return;
    seen.current = cursor;
    document.getElementById("keys")?.focus();
    announce(text);
  }, [cursor]);

  if (!next && !cursor) return null;
  const first = listAddress({ q, sort, ...filters });
  if (next) previousPages.set(next, listAddress({ q, sort, ...filters, cursor, from: before ? String(before) : "" }));
  const back = previousPages.get(cursor);
  return (
    <nav class="paging" aria-label={say("paging")}>
      <p>{text}</p>
      {cursor && (
        <a class="button" href={back ?? first}>
          <BackIcon /> {say(back ? "paging.back" : "paging.first")}
        </a>
      )}
      {next && (
        <a class="button" href={listAddress({ q, sort, ...filters, cursor: next, from: String(before + PAGE_ROWS) })}>
          {say("paging.next")} <NextIcon />
        </a>
      )}
    </nav>
  );
}
