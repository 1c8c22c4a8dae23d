// Draws the links between pages of a list. The server's cursor only leads on; the way back is
// remembered here.
import { useEffect, useRef } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "./announcer.jsx";
import { BackIcon, NextIcon } from "./icons.jsx";

/** Rows of one page. */
export const PAGE_ROWS = 50;

/**
 * Maps the address of a page to that of the page before it.
 * @type {Map<string, string>}
 */
const previousPages = new Map();

/**
 * @param {object} props
 * @param {string} props.label names the links
 * @param {string} props.heading ID of the heading that takes the focus on another page
 * @param {(page: {cursor?: string, from?: string}) => string} props.address of a page of the list;
 *   that of the first page without members
 * @param {{cursor: string, from: string}} props.asked page that the rows are of
 * @param {number} props.rows on this page
 * @param {string | null} props.next
 * @param {number} props.total
 * @param {boolean} [props.exact] `false` if there are more than `total`
 */
export function CursorPaging({ label, heading, address, asked, rows, next, total, exact = true }) {
  const { say, format } = useLocale();
  const announce = useAnnounce();
  const { cursor } = asked;
  const before = Number.parseInt(asked.from, 10) || 0;
  const shown = { from: format.number(before + 1), to: format.number(before + rows), total: format.number(total) };
  const text = say(exact ? "paging.shown" : "paging.shown.more", shown);

  const seen = useRef(cursor);
  useEffect(() => {
    if (seen.current === cursor) return;
    seen.current = cursor;
    document.getElementById(heading)?.focus();
    announce(text);
  }, [cursor]);

  if (!next && !cursor) return null;
  const here = cursor ? address({ cursor, from: before ? String(before) : "" }) : address({});
  const onward = next && address({ cursor: next, from: String(before + PAGE_ROWS) });
  if (onward) previousPages.set(onward, here);
  const back = cursor ? previousPages.get(here) : undefined;
  return (
    <nav class="paging" aria-label={label}>
      <p>{text}</p>
      {cursor && (
        <a class="button" href={back ?? address({})}>
          <BackIcon /> {say(back ? "paging.back" : "paging.first")}
        </a>
      )}
      {onward && (
        <a class="button" href={onward}>
          {say("paging.next")} <NextIcon />
        </a>
      )}
    </nav>
  );
}
