// Turns the second step of signing in on and off, and shows its recovery codes.
import { useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
import { knowsPasskeys } from "../client/passkey.js";
import { policyOf } from "../client/policy.js";
import { loadSession, useSession } from "../client/session.jsx";
import { sayWithin } from "../i18n/bound.js";
import { useLocale } from "../i18n/locale.jsx";
import { TimeAgo } from "../key/times.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { Confirmation } from "../ui/confirmation.jsx";
import { useFocusLater } from "../ui/focus.jsx";
import { useForm } from "../ui/form.js";
import { Loading } from "../ui/loading.jsx";
import { ProblemNotice, RetryNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { AppDialog } from "./app-dialog.jsx";
import { AddPasskey, PasskeyList } from "./passkeys.jsx";
import { RecoveryCodes } from "./recovery.jsx";
import { useReached } from "./reached.js";
import { beginApp, loadFactors, renewCodes, turnOffApp } from "./requests.js";

const HEADING = "mfa";

/** Number of recovery codes below which the page advises new ones. */
const FEW = 3;

/** @param {{reached: boolean}} props */
export function TwoSteps({ reached }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { request, enter } = useSession();
  const { data, setData, problem, reload } = useLoader((signal) => loadFactors(request, signal), [request]);
  const form = useForm({});
  const [app, setApp] = useState(/** @type {import('./requests.js').PendingApp | null} */ (null));
  const [codes, setCodes] = useState(/** @type {string[] | null} */ (null));
  const [asking, setAsking] = useState(/** @type {'off' | 'renew' | 'passkey' | null} */ (null));
  const [done, setDone] = useState(/** @type {import('../ui/result.jsx').Result | null} */ (null));
  const focusLater = useFocusLater();
  useReached(HEADING, reached);

  const begin = async () => {
    setDone(null);
    const answer = await form.submit([], () => beginApp(request));
    if (answer?.ok) setApp(answer.data);
    // Another tab has turned it on.
    else if (answer?.problem.code === "factor_is_on") reload();
  };
  /** @param {string} act @param {import('./requests.js').Factors} factors @param {string} [name] */
  const settle = async (act, factors, name = "") => {
    const result = { act, keys: [{ name }], bound: null };
    setData(factors);
    setDone(result);
    announce(resultText(locale, result));
    focusLater(HEADING);
    // The rest of the console knows by it which proof to ask for.
    const session = await loadSession();
    if (session.ok) await enter(session.data);
  };
  /**
   * @param {string} act what it is beside other factors
   * @param {import('./requests.js').AddedPasskey} added
   * @param {string} [name]
   */
  const added = (act, { recovery_codes, ...factors }, name) => {
    setAsking(null);
    setApp(null);
    if (recovery_codes) setCodes(recovery_codes);
    settle(recovery_codes ? "mfa_on" : act, factors, name);
  };
  /** @param {NonNullable<typeof asking>} act */
  const ask = (act) => {
    setDone(null);
    setAsking(act);
  };
  const passkeys = data?.passkeys ?? [];
  const isOn = Boolean(data?.totp) || passkeys.length > 0;
  return (
    <section class="apart" aria-labelledby={HEADING}>
      <div class="section-head">
        <h2 id={HEADING} tabIndex={-1}>
          {say("mfa.heading")}
        </h2>
        {data && <span class="tag">{say(isOn ? "mfa.on" : "mfa.off")}</span>}
      </div>
      <p>{say("mfa.lead")}</p>
      {done && <ResultNote result={done} />}
      {!data && !problem && <Loading message="loading.factors" />}
      <RetryNotice problem={problem} as="factors_not_loaded" still onRetry={reload} />
      <ProblemNotice problem={form.problem} />
      {data && isOn && (
        <p>
          {data.totp && <>{say("mfa.since", { at: <TimeAgo at={data.totp.since} exact /> })} </>}
          {say("mfa.codes-left", { count: data.recovery_codes_left })}{" "}
          {data.recovery_codes_left < FEW && <strong>{say("mfa.codes-few")}</strong>}
        </p>
      )}
      {data && passkeys.length > 0 && (
        <PasskeyList
          passkeys={passkeys}
          isOnly={!data.totp}
          onBegin={() => setDone(null)}
          onDone={(act, name, factors) => settle(act, factors, name)}
          onStale={reload}
        />
      )}
      {data && (
        <p class="row">
          {knowsPasskeys() && (
            <button type="button" onClick={() => ask("passkey")}>
              {say("passkeys.add")}
            </button>
          )}
          {!data.totp && (
            <button type="button" onClick={begin}>
              {say(form.busy ? "mfa.beginning" : "mfa.set-up")}
            </button>
          )}
          {isOn && (
            <button type="button" onClick={() => ask("renew")}>
              {say("mfa.renew")}
            </button>
          )}
          {data.totp && (
            <button type="button" onClick={() => ask("off")}>
              {say(passkeys.length ? "mfa.remove-app" : "mfa.turn-off")}
            </button>
          )}
        </p>
      )}
      {data && !knowsPasskeys() && <p>{say("passkeys.unknown")}</p>}
      {app && <AppDialog app={app} onDone={(codes) => added("app_added", codes)} onCancel={() => setApp(null)} />}
      {asking === "passkey" && (
        <AddPasskey
          count={passkeys.length}
          onDone={(name, factors) => added("passkey_added", factors, name)}
          onStale={reload}
          onCancel={() => setAsking(null)}
        />
      )}
      {asking === "off" && (
        <TurnOff
          isLast={passkeys.length === 0}
          onDone={(factors) => {
            setAsking(null);
            settle(passkeys.length ? "app_removed" : "mfa_off", factors);
          }}
          onStale={reload}
          onCancel={() => setAsking(null)}
        />
      )}
      {asking === "renew" && (
        <Renew
          onDone={({ recovery_codes, ...factors }) => {
            setAsking(null);
            setCodes(recovery_codes);
            settle("codes_renewed", factors);
          }}
          onStale={reload}
          onCancel={() => setAsking(null)}
        />
      )}
      {codes && <RecoveryCodes codes={codes} onDone={() => setCodes(null)} />}
    </section>
  );
}

/**
 * Turns the app off.
 * @param {object} props
 * @param {boolean} props.isLast `true` if no passkey stays, so that two-step sign-in is off
 * @param {(factors: import('./requests.js').Factors) => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function TurnOff({ isLast, onDone, onStale, onCancel }) {
  const { say, gap } = useLocale();
  const { request, session } = useSession();
  const { account } = session;
  const form = useForm({});
  const keys = policyOf(session).demands_mfa ? sayWithin(say, "mfa.turn-off.keys", account) : "";
  const confirm = async () => {
    const answer = await form.submit([], () => turnOffApp(request));
    if (answer?.ok) onDone(answer.data);
  };
  return (
    <Confirmation
      title={say(isLast ? "mfa.turn-off.title" : "mfa.remove-app.title")}
      body={isLast ? [say("mfa.turn-off.body"), keys].filter(Boolean).join(gap) : say("mfa.remove-app.body")}
      confirm={say(form.busy ? "mfa.turning-off" : isLast ? "mfa.turn-off" : "mfa.remove-app")}
      danger
      onConfirm={confirm}
      onCancel={() => form.leave(onCancel, onStale)}
    >
      <ProblemNotice problem={form.problem} />
    </Confirmation>
  );
}

/**
 * @param {object} props
 * @param {(codes: import('./requests.js').NewCodes) => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function Renew({ onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({});
  const confirm = async () => {
    const answer = await form.submit([], () => renewCodes(request));
    if (answer?.ok) onDone(answer.data);
  };
  return (
    <Confirmation
      title={say("mfa.renew.title")}
      body={say("mfa.renew.body")}
      confirm={say(form.busy ? "mfa.renewing" : "mfa.renew")}
      onConfirm={confirm}
      onCancel={() => form.leave(onCancel, onStale)}
    >
      <ProblemNotice problem={form.problem} />
    </Confirmation>
  );
}
