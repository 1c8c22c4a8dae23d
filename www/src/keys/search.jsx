// Draws the search. The server looks for beginnings of words, a key ID or an address. A pasted key
// is cut to its ID.
import { useState } from "preact/hooks";
import { go, listAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { parseShortLivedKey } from "../key/short-lived/parser.js";
import { SearchField } from "../ui/search.jsx";

/**
 * @param {object} props
 * @param {string} props.q from the address bar
 * @param {Record<string, string>} props.rest order and filters, from the address bar
 * @param {(shortLived: import('../key/short-lived/parser.js').ShortLivedKey | null) => void}
 *   props.onShortLived called with a pasted short-lived key
 */
export function Search({ q, rest, onShortLived }) {
  const { say } = useLocale();
  const [cut, setCut] = useState(false);
  /** @param {string} typed @param {boolean} isCut */
  const type = (typed, isCut) => {
    const shortLived = parseShortLivedKey(typed);
    onShortLived(shortLived);
    setCut(isCut && !shortLived);
  };
  return (
    <SearchField
      q={q}
      label={say("search.label")}
      onSearch={(words) => go(listAddress({ q: words, ...rest }), { replace: true })}
      onType={type}
      onOtherWords={() => setCut(false)}
      note={cut && say("search.cut")}
    />
  );
}
