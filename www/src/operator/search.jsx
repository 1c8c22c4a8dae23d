// Draws how operators find accounts: the search, and the numbers of accounts by status, which are
// links.
import { accountsAddress, go } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { SearchField } from "../ui/search.jsx";

/** @typedef {import('./requests.js').Counts} Counts */

/** @param {{q: string, status: string}} props from the address bar */
export function AccountSearch({ q, status }) {
  const { say } = useLocale();
  const onSearch = (/** @type {string} */ words) => go(accountsAddress({ q: words, status }), { replace: true });
  return <SearchField q={q} label={say("operator.search")} onSearch={onSearch} />;
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
