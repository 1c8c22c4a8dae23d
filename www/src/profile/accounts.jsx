// Draws the accounts that the person belongs to, and opens another one.
import { useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
import { go } from "../client/route.js";
import { challengeIn, useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ChallengeDialog } from "../sign-in/factor.jsx";
import { useForm } from "../ui/form.js";
import { Loading } from "../ui/loading.jsx";
import { ProblemNotice, RetryNotice } from "../ui/problem.jsx";
import { useReached } from "./reached.js";
import { loadAccounts, switchAccount } from "./requests.js";

const HEADING = "accounts";

/** @typedef {import('./requests.js').OwnAccount} OwnAccount */

/** @param {{reached: boolean}} props */
export function OwnAccounts({ reached }) {
  const { say } = useLocale();
  const { request, enter } = useSession();
  const { data, problem, reload } = useLoader((signal) => loadAccounts(request, signal), [request]);
  const form = useForm({ id: "" });
  const [challenge, setChallenge] = useState(
    /** @type {import('../client/session.jsx').FactorChallenge | null} */ (null),
  );
  useReached(HEADING, reached);

  /** @param {OwnAccount} account */
  const open = async (account) => {
    form.change({ id: account.id });
    const answer = await form.submit([], () => switchAccount(request, account));
    if (!answer?.ok) return;
    const asked = challengeIn(answer.data);
    if (asked) setChallenge(asked);
    else await settle(/** @type {import('../client/session.jsx').Session} */ (answer.data));
  };
  /** @param {import('../client/session.jsx').Session} session */
  const settle = async (session) => {
    await enter(session);
    go("#/keys");
  };
  return (
    <section class="apart" aria-labelledby={HEADING}>
      <h2 id={HEADING} tabIndex={-1}>
        {say("accounts.heading")}
      </h2>
      <p>{say("accounts.lead")}</p>
      {!data && !problem && <Loading message="loading.accounts" />}
      <RetryNotice problem={problem} as="accounts_not_loaded" still onRetry={reload} />
      <ul class="rows">
        {data?.accounts.map((account) => (
          <li key={account.id}>
            <div class="row-text">
              <strong>
                <bdi>{account.name ?? account.id}</bdi>
              </strong>
              {account.current && <span class="tag">{say("accounts.current")}</span>}
              <span class="by">
                {say(account.role ? `role.${account.role}` : "accounts.unreached")} ·{" "}
                <code translate={false}>{account.id}</code>
              </span>
            </div>
            {!account.current && (
              <button
                type="button"
                class="small"
                onClick={() => open(account)}
                aria-label={say("accounts.open.label", { name: account.name ?? account.id })}
              >
                {say(form.busy && form.values.id === account.id ? "accounts.opening" : "accounts.open")}
              </button>
            )}
            {form.values.id === account.id && (
              <ProblemNotice
                problem={form.problem}
                as={form.problem?.code === "not_found" ? "own_account_not_found" : undefined}
              />
            )}
          </li>
        ))}
      </ul>
      {challenge && (
        <ChallengeDialog
          challenge={challenge}
          onSession={settle}
          onOver={(problem) => {
            setChallenge(null);
            form.setProblem(problem);
          }}
        />
      )}
    </section>
  );
}
