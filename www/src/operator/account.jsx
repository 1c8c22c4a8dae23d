// Draws the page of one account: its state, the publication of its keys, and the operator's
// actions.
import { useEffect, useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
import { accountsAddress, go } from "../client/route.js";
import { loadSession, useSession } from "../client/session.jsx";
import { BackLink } from "../frame/loaded.jsx";
import { NotFoundPage, PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { presentName } from "../i18n/zones.js";
import { TimeAgo } from "../key/times.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { useTick } from "../ui/browser.js";
import { Detail } from "../ui/detail.jsx";
import { FocusFallback } from "../ui/focus.jsx";
import { WarningIcon } from "../ui/icons.jsx";
import { Loading } from "../ui/loading.jsx";
import { PolicyFacts } from "../ui/policy.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { OperatorProblem } from "./access.jsx";
import { AccountStatus, accountName } from "./accounts.jsx";
import { AccountConfirmation } from "./confirmation.jsx";
import { FreshnessForm } from "./freshness.jsx";
import { PolicyDialog } from "./policy.jsx";
import { loadAccount } from "./requests.js";

/** Period at which the page loads the progress of a rebuild or a restore. */
const PROGRESS_MS = 2_000;

/** @param {{id: string}} props from the address bar */
export function AccountPage({ id }) {
  const { say } = useLocale();
  const { request } = useSession();
  const { data, problem, reload } = useLoader((signal) => loadAccount(request, id, { signal }), [request, id]);
  const account = data?.account;

  const publication = account && "publication" in account ? account.publication : null;
  const moves = !problem && (publication?.rebuilding || Boolean(publication?.lag_s));
  useEffect(() => {
    if (!moves) return undefined;
    const timer = setTimeout(reload, PROGRESS_MS);
    return () => clearTimeout(timer);
  }, [moves, account]);

  if (problem?.code === "not_found") return <NotFoundPage />;
  if (!account && !problem) return <Loading message="loading.account" />;
  return (
    <>
      <BackLink href="#/operator">{say("operator.title")}</BackLink>
      {account && !isOpen(account) && <PendingAccount account={account} onChanged={reload} />}
      {account && isOpen(account) && <AccountDetails account={account} onChanged={reload} />}
      {!account && <PageTitle title={say("operator.account")} />}
      <OperatorProblem problem={problem} as="account_not_loaded" onRetry={reload} />
    </>
  );
}

/**
 * @typedef {import('./requests.js').Account} Account
 * @typedef {import('./requests.js').OpenAccount} OpenAccount
 * @typedef {import('../ui/result.jsx').Bound} Bound
 */

/** @param {Account | OpenAccount} account @returns {account is OpenAccount} */
const isOpen = (account) => account.state === "open";

/** @param {{account: Account, onChanged: () => void}} props */
function PendingAccount({ account, onChanged }) {
  const { say } = useLocale();
  const announce = useAnnounce();
  const [withdrawing, setWithdrawing] = useState(false);
  const withdrawn = () => {
    // The account is gone, and so is this page.
    announce(say("operate.withdraw.done"));
    go(accountsAddress({}), { replace: true });
  };
  return (
    <>
      <div class="page-head">
        <PageTitle title={accountName(say, account)} />
        <button type="button" onClick={() => setWithdrawing(true)}>
          {say("operate.withdraw.confirm")}
        </button>
      </div>
      <p class="state">
        <AccountStatus account={account} />
      </p>
      <dl>
        <Detail term={say("operator.id")}>
          <code translate={false}>{account.id}</code>
        </Detail>
      </dl>
      <p class="lead">{say("operator.pending.lead")}</p>
      {withdrawing && (
        <AccountConfirmation
          what="withdraw"
          account={account}
          name={account.id}
          onDone={withdrawn}
          onStale={onChanged}
          onCancel={() => setWithdrawing(false)}
        />
      )}
    </>
  );
}

/** @param {{account: OpenAccount, onChanged: () => void}} props */
function AccountDetails({ account, onChanged }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { session, enter } = useSession();
  const [what, setWhat] = useState(
    /** @type {import('./confirmation.jsx').AccountAction | 'freshness' | 'policy' | null} */ (null),
  );
  const [result, setResult] = useState(/** @type {import('../ui/result.jsx').Result | null} */ (null));
  const name = accountName(say, account);
  useTick();

  /** @param {string} act @param {Bound | null} bound */
  const settle = (act, bound) => {
    const done = { act, keys: [{ name }], bound };
    setWhat(null);
    setResult(done);
    announce(resultText(locale, done));
    onChanged();
  };
  // What the console offers depends on the policy of the operator's own account.
  const changePolicy = async () => {
    settle("policy", null);
    const own = account.id === session.account.id ? await loadSession() : null;
    return own?.ok && enter(own.data);
  };
  /** @param {NonNullable<typeof what>} act */
  const open = (act) => () => {
    setResult(null);
    setWhat(act);
  };
  const leave = () => setWhat(null);

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
      {account.policy && (
        <section class="apart" aria-labelledby="policy">
          <h2 id="policy">{say("policy.title")}</h2>
          <PolicyFacts policy={account.policy} />
          <button type="button" onClick={open("policy")}>
            {say("policy.change")}
          </button>
        </section>
      )}
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
      {what === "policy" && account.policy && (
        <PolicyDialog
          account={account}
          name={name}
          policy={account.policy}
          onDone={changePolicy}
          onStale={onChanged}
          onCancel={leave}
        />
      )}
      {what && what !== "freshness" && what !== "policy" && (
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

/** @param {{account: OpenAccount, onFreshness: () => void}} props */
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
          <AccountStatus account={account} />
        </Detail>
        <Detail term={say("operator.id")}>
          <code translate={false}>{account.id}</code>
        </Detail>
        <Detail term={say("column.created")}>
          <TimeAgo at={account.entered_at} exact />
          <span class="by">{format.zone}</span>
        </Detail>
        {typeof account.members === "number" && (
          <Detail term={say("operator.members")}>{format.number(account.members)}</Detail>
        )}
        {account.keys && (
          <Detail term={say("operator.keys")}>
            {say("operator.keys.of", {
              members: format.number(account.keys.by_members),
              issuers: format.number(account.keys.by_issuers),
            })}
          </Detail>
        )}
        <Detail term={say("setup.time_zone")}>{presentName(account.time_zone)}</Detail>
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

/**
 * Draws how many keys are published to all places.
 * @param {import('./requests.js').Publication & {onRebuild: () => void}} props
 */
function Publication({ rebuilding, done, total, unsettled, lag_s, onRebuild }) {
  const { say, format } = useLocale();
  const counts = { done, total };
  return (
    <section aria-labelledby="publication">
      <h2 id="publication">{say("operator.publication")}</h2>
      <dl>
        <Detail term={say("operator.published")}>
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
