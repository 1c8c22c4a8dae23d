// Search as the server does it: beginnings of words, a key ID, an address, or a whole pasted key cut to its ID.
import { useEffect, useRef, useState } from "preact/hooks";
import { go, listAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { withoutSecrets } from "../key/redaction.js";
import { parseShortLivedKey } from "../key/short-lived/parser.js";
import { ignoreImeEnter } from "../ui/fields.jsx";
import { SearchIcon } from "../ui/icons.jsx";

const QUIET_MS = 300;

/**
 * @param {object} props
 * @param {string} props.q what the address bar says
 * @param {string} props.sort likewise
 * @param {(shortLived: {id: string, issuer: string} | null) => void} props.onShortLived of a short-lived key that was pasted
 */
export function Search({ q, sort, onShortLived }) {
  const { say } = useLocale();
  const [text, setText] = useState(q);
  const [cut, setCut] = useState(false);
  const timer = useRef(0);
  /** What this box last put in the address bar; anything else there came from outside. */
  const sent = useRef(q);

  useEffect(() => {
    if (q === sent.current) return;
    sent.current = q;
    setText(q);
    setCut(false);
  }, [q]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const look = (words) => {
    clearTimeout(timer.current);
    sent.current = words.trim();
    if (sent.current !== q) go(listAddress({ q: sent.current, sort }), { replace: true });
  };
  const type = (event) => {
    const typed = event.currentTarget.value;
    const { text: kept, cut: wasCut } = withoutSecrets(typed);
    const shortLived = parseShortLivedKey(typed);
    onShortLived(shortLived);
    setText(kept);
    if (wasCut) event.currentTarget.value = kept;
    setCut(wasCut && !shortLived);
    clearTimeout(timer.current);
    if (!event.isComposing) timer.current = setTimeout(() => look(kept), QUIET_MS);
  };
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
