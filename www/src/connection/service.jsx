// Service ID and service password: a pair that issues keys for the account, and what those may be at most.
import { useCallback, useEffect, useState } from "preact/hooks";
import { useAnnounce } from "../ui/announcer.jsx";
import { CodeBlock, exampleIssue } from "../ui/code.jsx";
import { canManageKeys, isOwner, useSession } from "../client/session.jsx";
import { Copyable } from "../ui/copy.jsx";
import { IssuanceLimits } from "../key/limits.jsx";
import { TimeAgo } from "../key/times.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { RevocationDialog } from "../key/short-lived/revocation.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { useForm } from "../ui/form.js";
import { LimitsDialog } from "./limits.jsx";
import { Credentials } from "./credentials.jsx";
import { NewPassword } from "./password.jsx";
import { loadService, renewService, revealService } from "./requests.js";

export function Service() {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { request, session } = useSession();
  const [service, setService] = useState(/** @type {import('./requests.js').Service | null} */ (null));
  const [problem, setProblem] = useState(null);
  const [dialog, setDialog] = useState(/** @type {'password' | 'limits' | 'short-lived' | null} */ (null));
  const [result, setResult] = useState(null);
  /** The only place that holds the password; gone with the dialog. */
  const [secrets, setSecrets] = useState(null);
  const acting = useForm({});

  const load = useCallback(async () => {
    const answer = await loadService(request);
    setProblem(answer.ok ? null : answer.problem);
    if (answer.ok) setService(answer.data);
  }, [request]);
  useEffect(() => {
    load();
  }, [load]);

  const settle = (act, { bound }) => {
    const done = { act, bound };
    setDialog(null);
    setResult(done);
    announce(resultText(locale, done));
    load();
  };
  const show = async () => {
    setResult(null);
    const answer = await acting.submit([], () => revealService(request));
    if (answer?.ok) setSecrets(answer.data);
  };
  /** The first one takes nothing from anybody, so nothing is asked. */
  const create = async () => {
    const answer = await acting.submit([], () => renewService(request, service));
    if (!answer) return;
    if (answer.ok) setSecrets(answer.data);
    load();
  };
  const open = (name) => () => {
    setResult(null);
    acting.setProblem(null);
    setDialog(name);
  };
  const hide = useCallback(() => setSecrets(null), []);

  if (problem && !service)
    return (
      <ProblemNotice problem={problem} as="service_not_loaded" still>
        <button type="button" onClick={load}>
          {say("retry")}
        </button>
      </ProblemNotice>
    );
  if (!service) return null;
  return (
    <div class="service">
      <h3>{say("service.title")}</h3>
      <p class="hint">{say("service.lead")}</p>
      {result && <ResultNote result={result} />}
      <ProblemNotice
        problem={acting.problem}
        as={acting.problem?.code === "changed_meanwhile" ? "service_changed" : undefined}
      />
      {service.has_password ? (
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
          onStale={load}
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
          onStale={load}
          onCancel={() => setDialog(null)}
        />
      )}
      {secrets && <Credentials secrets={secrets} onDone={hide} />}
    </div>
  );
}
