// Draws a search whose words stand in the address bar.
import { useEffect, useRef, useState } from "preact/hooks";
import { searchTerm, withoutSecrets } from "../client/redaction.js";
import { ignoreImeEnter } from "./fields.jsx";
import { SearchIcon } from "./icons.jsx";

/** Pause in typing after which the search is sent. */
const QUIET_MS = 300;

const NOTE = "search-note";

/** Number of rows from which searching is faster than looking. */
const SEARCH_FROM_ROWS = 11;

/**
 * Returns `true` if a list shows its search. Once shown, the search stays: it would lose the focus
 * between two responses.
 * @param {string | undefined} q words in the address bar
 * @param {number} rows of the whole list
 */
export function useSearchable(q, rows) {
  const shown = useRef(false);
  shown.current ||= Boolean(q) || rows >= SEARCH_FROM_ROWS;
  return shown.current;
}

/**
 * Draws the search. A secret is cut from the text as it is typed.
 * @param {object} props
 * @param {string} props.q words in the address bar
 * @param {string} props.label
 * @param {(q: string) => void} props.onSearch called with other words once the typing pauses
 * @param {(typed: string, isCut: boolean) => void} [props.onType] called with all that is typed
 * @param {() => void} [props.onOtherWords] called when other words have come to the address bar
 * @param {import('preact').ComponentChildren} [props.note] read out by screen readers
 */
export function SearchField({ q, label, onSearch, onType, onOtherWords, note }) {
  const [text, setText] = useState(q);
  const timer = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));
  // The text that this field last put in the address bar; any other text there came from outside.
  const sent = useRef(q);

  useEffect(() => {
    if (q === sent.current) return;
    sent.current = q;
    setText(q);
    onOtherWords?.();
  }, [q]);
  useEffect(() => () => clearTimeout(timer.current), []);

  /** @param {string} words */
  const look = (words) => {
    clearTimeout(timer.current);
    sent.current = searchTerm(words);
    if (sent.current !== q) onSearch(sent.current);
  };
  /** @param {import('preact').TargetedEvent<HTMLInputElement>} event */
  const type = (event) => {
    const typed = event.currentTarget.value;
    const { text: kept, cut } = withoutSecrets(typed);
    onType?.(typed, cut);
    setText(kept);
    if (cut) event.currentTarget.value = kept;
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
        {label}
      </label>
      <SearchIcon />
      <input
        id="search"
        type="search"
        autocomplete="off"
        spellcheck={false}
        placeholder={label}
        value={text}
        onInput={type}
        onCompositionEnd={type}
        aria-describedby={onType && NOTE}
      />
      {onType && (
        <p class="hint" id={NOTE} role="status">
          {note}
        </p>
      )}
    </form>
  );
}
