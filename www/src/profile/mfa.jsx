// Turns the second step of signing in on and off, and shows its recovery codes.
import { useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
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
  const [asking, setAsking] = useState(/** @type {'off' | 'renew' | null} */ (null));
  const [done, setDone] = useState(/** @type {string | null} */ (null));
  const focusLater = useFocusLater();
  useReached(HEADING, reached);

  const begin = async () => {
    setDone(null);
    const answer = await form.submit([], () => beginApp(request));
    if (answer?.ok) setApp(answer.data);
    // Another tab has turned it on.
    else if (answer?.problem.code === "factor_is_on") reload();
  };
  /** @param {string} act @param {import('./requests.js').Factors} factors */
  const settle = async (act, factors) => {
    setData(factors);
    setDone(act);
    announce(resultText(locale, { act, bound: null }));
    focusLater(HEADING);
    // The rest of the console knows by it which proof to ask for.
    const session = await loadSession();
    if (session.ok) await enter(session.data);
  };
  return (
    <section class="apart" aria-labelledby={HEADING}>
      <div class="section-head">
        <h2 id={HEADING} tabIndex={-1}>
          {say("mfa.heading")}
        </h2>
        {data && <span class="tag">{say(data.totp ? "mfa.on" : "mfa.off")}</span>}
      </div>
      <p>{say("mfa.lead")}</p>
      {done && <ResultNote result={{ act: done, bound: null }} />}
      {!data && !problem && <Loading message="loading.factors" />}
      <RetryNotice problem={problem} as="factors_not_loaded" still onRetry={reload} />
      <ProblemNotice problem={form.problem} />
      {data && !data.totp && (
        <button type="button" onClick={begin}>
          {say(form.busy ? "mfa.beginning" : "mfa.set-up")}
        </button>
      )}
      {data?.totp && (
        <>
          <p>
            {say("mfa.since", { at: <TimeAgo at={data.totp.since} exact /> })}{" "}
            {say("mfa.codes-left", { count: data.recovery_codes_left })}{" "}
            {data.recovery_codes_left < FEW && <strong>{say("mfa.codes-few")}</strong>}
          </p>
          <p class="row">
            <button
              type="button"
              onClick={() => {
                setDone(null);
                setAsking("renew");
              }}
            >
              {say("mfa.renew")}
            </button>
            <button
              type="button"
              onClick={() => {
                setDone(null);
                setAsking("off");
              }}
            >
              {say("mfa.turn-off")}
            </button>
          </p>
        </>
      )}
      {app && (
        <AppDialog
          app={app}
          onDone={({ recovery_codes, ...factors }) => {
            setApp(null);
            setCodes(recovery_codes);
            settle("mfa_on", factors);
          }}
          onCancel={() => setApp(null)}
        />
      )}
      {asking === "off" && (
        <TurnOff
          onDone={(factors) => {
            setAsking(null);
            settle("mfa_off", factors);
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
 * @param {object} props
 * @param {(factors: import('./requests.js').Factors) => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function TurnOff({ onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { request, session } = useSession();
  const { account } = session;
  const form = useForm({});
  const keys = policyOf(session).demands_mfa ? ` ${sayWithin(say, "mfa.turn-off.keys", account)}` : "";
  const confirm = async () => {
    const answer = await form.submit([], () => turnOffApp(request));
    if (answer?.ok) onDone(answer.data);
  };
  return (
    <Confirmation
      title={say("mfa.turn-off.title")}
      body={say("mfa.turn-off.body") + keys}
      confirm={say(form.busy ? "mfa.turning-off" : "mfa.turn-off")}
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
