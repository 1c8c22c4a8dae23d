// Draws the search. The server looks for beginnings of words, a key ID or an address. A pasted key
// is cut to its ID.
import { useEffect, useRef, useState } from "preact/hooks";
import { searchTerm, withoutSecrets } from "../client/redaction.js";
import { go, listAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { parseShortLivedKey } from "../key/short-lived/parser.js";
import { ignoreImeEnter } from "../ui/fields.jsx";
import { SearchIcon } from "../ui/icons.jsx";

const QUIET_MS = 300;

/**
 * @param {object} props
 * @param {string} props.q from the address bar
 * @param {Record<string, string>} props.rest order and filters, from the address bar
 * @param {(shortLived: import('../key/short-lived/parser.js').ShortLivedKey | null) => void}
 *   props.onShortLived called with a pasted short-lived key
 */
export function Search({ q, rest, onShortLived }) {
  const { say } = useLocale();
  const [text, setText] = useState(q);
  const [cut, setCut] = useState(false);
  const timer = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));
  // The text that this field last put in the address bar; any other text there came from outside.
  const sent = useRef(q);

  useEffect(() => {
    if (q === sent.current) return;
    sent.current = q;
    setText(q);
    setCut(false);
  }, [q]);
  useEffect(() => () => clearTimeout(timer.current), []);

  /** @param {string} words */
  const look = (words) => {
    clearTimeout(timer.current);
    sent.current = searchTerm(words);
    if (sent.current !== q) go(listAddress({ q: sent.current, ...rest }), { replace: true });
  };
  /** @param {import('preact').TargetedEvent<HTMLInputElement>} event */
  const type = (event) => {
    const typed = event.currentTarget.value;
    const { text: kept, cut: wasCut } = withoutSecrets(typed);
    const shortLived = parseShortLivedKey(typed);
    onShortLived(shortLived);
    setText(kept);
    if (wasCut) event.currentTarget.value = kept;
    setCut(wasCut && !shortLived);
    clearTimeout(timer.current);
    if (!("isComposing" in event && event.isComposing)) timer.current = setTimeout(() => look(kept), QUIET_MS);
  };
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    look(text);
  };

  return (
    <form role="search" class="search" onSubmit={submit} onKeyDown={ignoreImeEnter}>
      <label class="unseen" for="search">
        {say("search.label")}
      </label>
      <SearchIcon />
      <input
        id="search"
        type="search"
        autocomplete="off"
        spellcheck={false}
        placeholder={say("search.label")}
        value={text}
        onInput={type}
        onCompositionEnd={type}
        aria-describedby="search-note"
      />
      <p class="hint" id="search-note" role="status">
        {cut && say("search.cut")}
      </p>
    </form>
  );
}
