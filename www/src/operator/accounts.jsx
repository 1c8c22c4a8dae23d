// Draws the operator's page: every account of the deployment, and the button that makes another.
import { useEffect, useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
import { accountsAddress } from "../client/route.js";
import { useSession } from "../client/session.jsx";
import { NotFoundPage, PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { TimeAgo } from "../key/times.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { useTick } from "../ui/browser.js";
import { FocusFallback } from "../ui/focus.jsx";
import { ActiveIcon, DisabledIcon, NextIcon, PlusIcon, WaitingIcon } from "../ui/icons.jsx";
import { Loading } from "../ui/loading.jsx";
import { useSearchable } from "../ui/search.jsx";
import { OperatorProblem, accessProblem } from "./access.jsx";
import { Invite } from "./invitation.jsx";
import { accountAddress, listAccounts } from "./requests.js";
import { AccountSearch, StatusLinks } from "./search.jsx";

/** @typedef {import('./requests.js').Account} Account */

/** @param {{query: Record<string, string>}} props from the address bar */
export function AccountsPage({ query }) {
  const { say } = useLocale();
  const { request, session } = useSession();
  const announce = useAnnounce();
  const [inviting, setInviting] = useState(false);
  const { q = "", status = "", cursor = "" } = query;

  const {
    data: page,
    problem: found,
    reload,
  } = useLoader((signal) => listAccounts(request, { q, status, cursor }, { signal }), [request, q, status, cursor]);
  const problem = accessProblem(session, found);

  const counts = page?.counts;
  const searchable = useSearchable(q, counts ? counts.open + counts.suspended + counts.pending : 0);
  useEffect(() => {
    if (page && (q || status))
      announce(
        page.accounts.length ? say("operator.shown", { count: page.accounts.length }) : say("operator.none-match"),
      );
  }, [page]);

  if (problem?.code === "not_found") return <NotFoundPage />;
  return (
    <>
      <div class="page-head">
        <PageTitle title={say("operator.title")} />
        <button type="button" class="primary" onClick={() => setInviting(true)}>
          <PlusIcon /> {say("operator.new")}
        </button>
      </div>
      {counts && (
        <div class="section-head">
          {searchable && <AccountSearch q={q} status={status} />}
          <StatusLinks counts={counts} q={q} status={status} />
        </div>
      )}
      {!page && !problem && <Loading message="loading.accounts" />}
      <OperatorProblem problem={problem} as="accounts_not_loaded" onRetry={reload} />
      {page && !problem && <Accounts {...page} query={{ q, status, cursor }} />}
      {inviting && (
        <Invite
          onDone={() => {
            setInviting(false);
            reload();
          }}
        />
      )}
    </>
  );
}

/** @param {{accounts: Account[], next: string | null, query: Record<string, string>}} props */
function Accounts({ accounts, next, query }) {
  const { say } = useLocale();
  const { q, status, cursor } = query;
  const filtered = Boolean(q || status);
  useTick();
  return (
    <>
      {accounts.length === 0 ? (
        <div class="empty">
          <p>{say(filtered ? "operator.none-match" : "operator.none")}</p>
          {filtered && (
            <FocusFallback>
              <a class="button" href={accountsAddress({})}>
                {say("clear")}
              </a>
            </FocusFallback>
          )}
        </div>
      ) : (
        <table class="keys">
          <caption class="unseen">{say("operator.caption")}</caption>
          <thead>
            <tr>
              <th scope="col">{say("operator.account")}</th>
              <th scope="col">{say("column.status")}</th>
              <th scope="col">{say("column.created")}</th>
            </tr>
          </thead>
          <tbody>
            {accounts.map((account) => (
              <Row key={account.id} account={account} />
            ))}
          </tbody>
        </table>
      )}
      {(next || cursor) && (
        <nav class="paging" aria-label={say("operator.paging")}>
          {cursor && (
            <a class="button" href={accountsAddress({ q, status })}>
              {say("paging.first")}
            </a>
          )}
          {next && (
            <a class="button" href={accountsAddress({ q, status, cursor: next })}>
              {say("paging.next")} <NextIcon />
            </a>
          )}
        </nav>
      )}
    </>
  );
}

/** @param {{account: Account}} props */
function Row({ account }) {
  const { say } = useLocale();
  const { session } = useSession();
  return (
    <tr>
      <th scope="row">
        <a href={accountAddress(account.id)}>{accountName(say, account)}</a>
        {account.id === session.account.id && <span class="tag">{say("operator.yours")}</span>}
        <code class="id" translate={false}>
          {account.id}
        </code>
      </th>
      <td>
        <AccountStatus account={account} />
      </td>
      <td>
        <TimeAgo at={account.entered_at} />
      </td>
    </tr>
  );
}

/**
 * Returns the name of an account; one that waits for its set-up has none.
 * @param {import('../i18n/locale.jsx').Say} say
 * @param {Account} account
 */
export const accountName = (say, { name, state, id }) => name ?? (state === "pending" ? say("operator.unnamed") : id);

/** @param {{account: Account}} props */
export function AccountStatus({ account }) {
  const { say, format } = useLocale();
  if (account.suspended)
    return (
      <span class="status disabled">
        <DisabledIcon /> {say("operator.suspended")}
      </span>
    );
  if (account.state === "open")
    return (
      <span class="status active">
        <ActiveIcon /> {say("operator.open")}
      </span>
    );
  return (
    <>
      <span class="status not_yet_valid">
        <WaitingIcon /> {say("operator.pending")}
      </span>
      <span class="by">
        {say("operator.link-until", { at: account.link_until ? format.end(account.link_until, { short: true }) : "" })}
      </span>
    </>
  );
}
