// One account: what holds for it, how far its keys are published, and what an operator can do about both.
import { useEffect, useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
import { useSession } from "../client/session.jsx";
import { NotFoundPage, PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { TimeAgo } from "../key/times.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { useTick } from "../ui/browser.js";
import { Detail } from "../ui/detail.jsx";
import { FocusFallback } from "../ui/focus.jsx";
import { BackIcon, DisabledIcon, WarningIcon } from "../ui/icons.jsx";
import { Loading } from "../ui/loading.jsx";
import { RetryNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { AccountStatus, accountName } from "./accounts.jsx";
import { AccountConfirmation } from "./confirmation.jsx";
import { FreshnessForm } from "./freshness.jsx";
import { loadAccount } from "./requests.js";

/** How often the progress of a rebuild or a restore is looked at. */
const PROGRESS_MS = 2_000;

/** @param {{id: string}} props from the address bar */
export function AccountPage({ id }) {
  const { say } = useLocale();
  const { request } = useSession();
  const { data, problem, reload } = useLoader((signal) => loadAccount(request, id, { signal }), [request, id]);
  const account = data?.account;

  const moves = !problem && (account?.publication?.rebuilding || Boolean(account?.publication?.lag_s));
  useEffect(() => {
    if (!moves) return undefined;
    const timer = setTimeout(reload, PROGRESS_MS);
    return () => clearTimeout(timer);
  }, [moves, account]);

  if (problem?.code === "not_found") return <NotFoundPage />;
  if (!account && !problem) return <Loading message="loading.account" />;
  return (
    <>
      <p class="back">
        <a href="#/operator">
          <BackIcon /> {say("operator.title")}
        </a>
      </p>
      {account && <AccountDetails account={account} onChanged={reload} />}
      {!account && <PageTitle title={say("operator.account")} />}
      <RetryNotice problem={problem} as="account_not_loaded" onRetry={reload} />
    </>
  );
}

/** @param {{account: import('./requests.js').Account, onChanged: () => void}} props */
function AccountDetails({ account, onChanged }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const [what, setWhat] = useState(null);
  const [result, setResult] = useState(null);
  const name = accountName(say, account);
  useTick();

  const settle = (act, bound) => {
    const done = { act, keys: [{ name }], bound };
    setWhat(null);
    setResult(done);
    announce(resultText(locale, done));
    onChanged();
  };
  const open = (act) => () => {
    setResult(null);
    setWhat(act);
  };
  const leave = () => setWhat(null);

  if (account.state === "pending")
    return (
      <>
        <PageTitle title={name} />
        <p class="state">
          <AccountStatus account={account} />
        </p>
        <p class="lead">{say("operator.pending.lead")}</p>
      </>
    );
  return (
    <>
      <div class="page-head">
        <PageTitle title={name} />
        <button type="button" onClick={open(account.suspended ? "resume" : "suspend")}>
          {say(account.suspended ? "operate.resume.confirm" : "operate.suspend.confirm")}
        </button>
      </div>
      {result && <ResultNote result={result} />}
      <div class="facts">
        <State account={account} onFreshness={open("freshness")} />
        <Publication {...account.publication} onRebuild={open("rebuild")} />
      </div>
      <section class="apart" aria-labelledby="restore">
        <h2 id="restore">{say("operator.restore")}</h2>
        <p>{say(account.restoring ? "operator.restoring" : "operator.restore.lead")}</p>
        <div class="row">
          <button type="button" onClick={open("restore-begin")}>
            {say("operate.restore-begin.confirm")}
          </button>
          {account.restoring && (
            <FocusFallback>
              <button type="button" onClick={open("restore-finish")}>
                {say("operate.restore-finish.confirm")}
              </button>
            </FocusFallback>
          )}
        </div>
      </section>
      {what === "freshness" && <FreshnessForm account={account} onDone={settle} onCancel={leave} />}
      {what && what !== "freshness" && (
        <AccountConfirmation
          what={what}
          account={account}
          name={name}
          onDone={settle}
          onStale={onChanged}
          onCancel={leave}
        />
      )}
    </>
  );
}

function State({ account, onFreshness }) {
  const { say, format } = useLocale();
  const { session } = useSession();
  const seconds = account.within_s;
  const within = {
    eventual: say("operator.freshness.eventually"),
    bounded: seconds === 0 ? say("operator.freshness.now") : say("operator.freshness.within", { seconds }),
  };
  return (
    <section aria-labelledby="facts">
      <h2 id="facts">{say("key.facts")}</h2>
      <dl>
        <Detail term={say("column.status")}>
          {account.suspended ? (
            <span class="status disabled">
              <DisabledIcon /> {say("operator.suspended")}
            </span>
          ) : (
            <AccountStatus account={account} />
          )}
        </Detail>
        <Detail term={say("operator.id")}>
          <code translate={false}>{account.id}</code>
        </Detail>
        <Detail term={say("column.created")}>
          <TimeAgo at={account.entered_at} exact />
          <span class="by">{format.zone}</span>
        </Detail>
        <Detail term={say("setup.time_zone")}>{account.time_zone}</Detail>
        <Detail term={say("operator.freshness")}>
          <p>{within[session.account.freshness]}</p>
          <button type="button" class="small" onClick={onFreshness}>
            {say("operator.freshness.change")}
          </button>
        </Detail>
      </dl>
    </section>
  );
}

/** How far all places can know what the account's own does. */
function Publication({ rebuilding, done, total, unsettled, lag_s, onRebuild }) {
  const { say, format } = useLocale();
  const counts = { done, total };
  return (
    <section aria-labelledby="publication">
      <h2 id="publication">{say("operator.publication")}</h2>
      <dl>
        <Detail term={say("operator.published")}>
          {/* Its words are beside it. */}
          {rebuilding && <progress value={done} max={Math.max(total, 1)} aria-label={say("operator.published")} />}
          <p>{say(rebuilding ? "operator.rebuilding" : "operator.published.of", counts)}</p>
        </Detail>
        <Detail term={say("operator.unsettled")}>{format.number(unsettled)}</Detail>
        {lag_s !== null && (
          <Detail term={say("operator.lag")}>
            <WarningIcon /> {format.span(lag_s * 1000)}
          </Detail>
        )}
      </dl>
      {!rebuilding && (
        <FocusFallback class="section-foot">
          <button type="button" class="small" onClick={onRebuild}>
            {say("operate.rebuild.confirm")}
          </button>
        </FocusFallback>
      )}
    </section>
  );
}
