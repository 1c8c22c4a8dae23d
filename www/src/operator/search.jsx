// Draws how operators find accounts: the search, and the numbers of accounts by status, which are
// links.
import { useEffect, useRef, useState } from "preact/hooks";
import { searchTerm, withoutSecrets } from "../client/redaction.js";
import { accountsAddress, go } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { ignoreImeEnter } from "../ui/fields.jsx";
import { SearchIcon } from "../ui/icons.jsx";

const QUIET_MS = 300;

/** @typedef {import('./requests.js').Counts} Counts */

/** @param {{q: string, status: string}} props from the address bar */
export function AccountSearch({ q, status }) {
  const { say } = useLocale();
  const [text, setText] = useState(q);
  const timer = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));
  // The text that this field last put in the address bar; any other text there came from outside.
  const sent = useRef(q);

  useEffect(() => {
    if (q === sent.current) return;
    sent.current = q;
    setText(q);
  }, [q]);
  useEffect(() => () => clearTimeout(timer.current), []);

  /** @param {string} words */
  const look = (words) => {
    clearTimeout(timer.current);
    sent.current = searchTerm(words);
    if (sent.current !== q) go(accountsAddress({ q: sent.current, status }), { replace: true });
  };
  /** @param {import('preact').TargetedEvent<HTMLInputElement>} event */
  const type = (event) => {
    const { text: kept, cut } = withoutSecrets(event.currentTarget.value);
    if (cut) event.currentTarget.value = kept;
    setText(kept);
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
        {say("operator.search")}
      </label>
      <SearchIcon />
      <input
        id="search"
        type="search"
        autocomplete="off"
        spellcheck={false}
        placeholder={say("operator.search")}
        value={text}
        onInput={type}
        onCompositionEnd={type}
      />
    </form>
  );
}

/** @param {{counts: Counts, q: string, status: string}} props */
export function StatusLinks({ counts, q, status }) {
  const { say, format } = useLocale();
  const { open, suspended, pending } = counts;
  /** @type {[string, string, number][]} */
  const links = [
    ["", "operator.status.all", open + suspended + pending],
    ["open", "operator.open", open],
    ["suspended", "operator.suspended", suspended],
    ["pending", "operator.pending", pending],
  ];
  return (
    <nav class="row" aria-label={say("operator.status")}>
      {links.map(([value, label, number]) => (
        <a
          key={value}
          class="button small"
          href={accountsAddress({ q, status: value })}
          aria-current={value === status ? "true" : undefined}
        >
          {say("operator.status.count", { status: say(label), number: format.number(number) })}
        </a>
      ))}
    </nav>
  );
}
