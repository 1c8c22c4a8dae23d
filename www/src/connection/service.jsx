// Shows the service credentials, which issue keys for the account, and the limits of those keys.
import { useCallback, useEffect, useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
import { canManageKeys, isOwner, useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { exampleIssue } from "../key/examples.js";
import { IssuanceLimits } from "../key/limits.jsx";
import { RevocationDialog } from "../key/short-lived/revocation.jsx";
import { TimeAgo } from "../key/times.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { CodeBlock } from "../ui/code.jsx";
import { Copyable } from "../ui/copy.jsx";
import { useForm } from "../ui/form.js";
import { RetryNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { Credentials } from "./credentials.jsx";
import { LimitsDialog } from "./limits.jsx";
import { NewPassword } from "./password.jsx";
import { ServiceProblem } from "./problem.jsx";
import { loadService, renewService, revealService } from "./requests.js";
import { ServiceUse } from "./usage.jsx";

/** @param {{onLoaded: () => void}} props `onLoaded` is called once it is drawn */
export function Service({ onLoaded }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { request, session } = useSession();
  const { data: service, problem, reload } = useLoader((signal) => loadService(request, { signal }), [request]);
  useEffect(() => {
    if (service || problem) onLoaded();
  }, [service, problem, onLoaded]);
  const [dialog, setDialog] = useState(/** @type {'password' | 'limits' | 'short-lived' | null} */ (null));
  const [result, setResult] = useState(/** @type {import('../ui/result.jsx').Result | null} */ (null));
  // The only place that holds the password; it goes with the dialog.
  const [secrets, setSecrets] = useState(/** @type {import('./requests.js').ServiceSecrets | null} */ (null));
  const acting = useForm({});

  /** @param {string} act @param {{bound: import('../key/model.js').Bound | null}} answer */
  const settle = (act, { bound }) => {
    const done = { act, bound };
    setDialog(null);
    setResult(done);
    announce(resultText(locale, done));
    reload();
  };
  const show = async () => {
    setResult(null);
    const answer = await acting.submit([], () => revealService(request));
    if (answer?.ok) setSecrets(answer.data);
  };
  const create = async () => {
    if (!service) return;
    // The first password ends nothing, so it needs no confirmation.
    const answer = await acting.submit([], () => renewService(request, service));
    if (!answer) return;
    if (answer.ok) setSecrets(answer.data);
    reload();
  };
  /** @param {'password' | 'limits' | 'short-lived'} name */
  const open = (name) => () => {
    setResult(null);
    acting.setProblem(null);
    setDialog(name);
  };
  const hide = useCallback(() => setSecrets(null), []);

  if (problem && !service) return <RetryNotice problem={problem} as="service_not_loaded" still onRetry={reload} />;
  if (!service) return null;
  return (
    <div class="service">
      <h3>{say("service.title")}</h3>
      <p class="hint">{say("service.lead")}</p>
      {result && <ResultNote result={result} />}
      <ServiceProblem problem={acting.problem} />
      {service.has_password && service.service_id !== null ? (
        <dl class="call">
          <div class="pairs">
            <dt>{say("service.id")}</dt>
            <dd>
              <Copyable text={service.service_id} label={say("copy.service-id")} />
            </dd>
            <dt>{say("service.password")}</dt>
            <dd class="copyable">
              <span aria-hidden="true">••••••••••</span>
              {canManageKeys(session) && (
                <button type="button" class="small" aria-label={say("service.show")} onClick={show}>
                  {say(acting.busy ? "show.busy" : "show")}
                </button>
              )}
              {isOwner(session) && (
                <button type="button" class="small" aria-label={say("service.change")} onClick={open("password")}>
                  {say("change")}
                </button>
              )}
            </dd>
            {service.changed_at && (
              <dd class="by">{say("service.changed", { ago: <TimeAgo at={service.changed_at} /> })}</dd>
            )}
          </div>
          <div>
            <dt>{say("service.example")}</dt>
            <dd>
              <CodeBlock
                label={say("service.example")}
                code={exampleIssue(service.service_id, location.origin)}
                copyLabel={say("copy.example")}
              />
              <p class="hint">{say("service.example.hint")}</p>
            </dd>
          </div>
          <div class="across">
            <dt>
              {say("service.limits")}{" "}
              {isOwner(session) && (
                <button type="button" class="link" aria-label={say("service.limits.edit")} onClick={open("limits")}>
                  {say("change")}
                </button>
              )}
            </dt>
            <dd>
              <IssuanceLimits limits={service.ceiling} />
            </dd>
          </div>
          {service.usage && <ServiceUse usage={service.usage} />}
        </dl>
      ) : isOwner(session) ? (
        <button type="button" onClick={create}>
          {say(acting.busy ? "service.creating" : "service.create")}
        </button>
      ) : (
        <p>{say("service.none")}</p>
      )}
      {canManageKeys(session) && (
        <button type="button" class="small revoke" onClick={open("short-lived")}>
          {say("short-lived.open")}
        </button>
      )}
      {dialog === "password" && (
        <NewPassword
          service={service}
          onDone={(answer) => {
            settle("service_password", answer);
            setSecrets(answer);
          }}
          onStale={reload}
          onCancel={() => setDialog(null)}
        />
      )}
      {dialog === "short-lived" && (
        <RevocationDialog onDone={(act, answer) => settle(act, answer)} onCancel={() => setDialog(null)} />
      )}
      {dialog === "limits" && (
        <LimitsDialog
          service={service}
          onDone={(answer) => settle("service_edited", answer)}
          onStale={reload}
          onCancel={() => setDialog(null)}
        />
      )}
      {secrets && <Credentials secrets={secrets} onDone={hide} />}
    </div>
  );
}
