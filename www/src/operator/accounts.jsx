// The operator's page: every account of the deployment, and the way to make another.
import { useEffect, useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { ActiveIcon, NextIcon, PlusIcon, WaitingIcon } from "../ui/icons.jsx";
import { TimeAgo } from "../key/times.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { PageTitle } from "../frame/shell.jsx";
import { Loading, useTick } from "../ui/loading.jsx";
import { accountAddress, listAccounts } from "./requests.js";
import { Invite } from "./invitation.jsx";

/** @param {{cursor?: string}} props */
export function AccountsPage({ cursor = "" }) {
  const { say } = useLocale();
  const { request } = useSession();
  const [page, setPage] = useState(null);
  const [problem, setProblem] = useState(null);
  const [turn, setTurn] = useState(0);
  const [inviting, setInviting] = useState(false);

  useEffect(() => {
    const control = new AbortController();
    setProblem(null);
    listAccounts(request, cursor, { signal: control.signal }).then((answer) => {
      if (control.signal.aborted) return;
      if (answer.ok) setPage(answer.data);
      else setProblem(answer.problem);
    });
    return () => control.abort();
  }, [request, cursor, turn]);

  const again = () => setTurn(turn + 1);
  return (
    <>
      <div class="page-head">
        <PageTitle title={say("operator.title")} />
        <button type="button" class="primary" onClick={() => setInviting(true)}>
          <PlusIcon /> {say("operator.new")}
        </button>
      </div>
      {!page && !problem && <Loading message="loading.accounts" />}
      <ProblemNotice problem={problem} as="accounts_not_loaded">
        <button type="button" onClick={again}>
          {say("retry")}
        </button>
      </ProblemNotice>
      {page && !problem && <Accounts {...page} cursor={cursor} />}
      {inviting && (
        <Invite
          onDone={() => {
            setInviting(false);
            again();
          }}
        />
      )}
    </>
  );
}

function Accounts({ accounts, next, cursor }) {
  const { say } = useLocale();
  useTick(30_000);
  return (
    <>
      {accounts.length === 0 ? (
        <div class="empty">
          <p>{say("operator.none")}</p>
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
            <a class="button" href="#/operator">
              {say("paging.first")}
            </a>
          )}
          {next && (
            <a class="button" href={`#/operator?${new URLSearchParams({ cursor: next })}`}>
              {say("paging.next")} <NextIcon />
            </a>
          )}
        </nav>
      )}
    </>
  );
}

/** @param {{account: import('./requests.js').Account}} props */
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

/** What an account is called; one that waits for its set-up has no name. */
export const accountName = (say, { name, state, id }) => name ?? (state === "pending" ? say("operator.unnamed") : id);

/** @param {{account: import('./requests.js').Account}} props */
export function AccountStatus({ account }) {
  const { say, format } = useLocale();
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
      <span class="by">{say("operator.link-until", { at: format.end(account.link_until, { short: true }) })}</span>
    </>
  );
}
