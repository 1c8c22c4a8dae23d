// Draws the page of one key: details, limits, activity, and every action as a plain button.
import { useEffect, useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
import { go, keyAddress } from "../client/route.js";
import { canManageKeys, isOwner, useSession } from "../client/session.jsx";
import { NotFoundPage, PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ActionDialog } from "../key/actions/dialog.jsx";
import { Issuer } from "../key/issuer.jsx";
import { Codes, IssuanceLimits } from "../key/limits.jsx";
import { actionsFor, loadKey } from "../key/model.js";
import { ShowButton, isShowable } from "../key/reveal.jsx";
import { Status, sayOfMember } from "../key/status.jsx";
import { Expiry, LastUse, TimeAgo } from "../key/times.jsx";
import { RefusedCalls } from "../key/use.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { useTick } from "../ui/browser.js";
import { Copyable } from "../ui/copy.jsx";
import { deferred } from "../ui/deferred.jsx";
import { Detail } from "../ui/detail.jsx";
import { BackIcon } from "../ui/icons.jsx";
import { Loading } from "../ui/loading.jsx";
import { RetryNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { Predecessor, Replaced } from "./rotation.jsx";

/** The first key page loads it. */
const KeyActivity = deferred(async () => (await import("../activity/history.jsx")).KeyActivity, "loading.activity");

/** @param {{id: string}} props from the address bar */
export function KeyPage({ id }) {
  const { say } = useLocale();
  const { request } = useSession();
  const {
    data: key,
    setData: setKey,
    problem,
    reload,
  } = useLoader((signal) => loadKey(request, id, { signal }), [request, id]);

  if (problem?.code === "not_found") return <NotFoundPage />;
  if (key) return <KeyDetails subject={key} onKey={setKey} onStale={reload} />;
  if (!problem) return <Loading message="loading.key" />;
  return (
    <>
      <Back />
      <PageTitle title={say("key.title")} />
      <RetryNotice problem={problem} as="key_not_loaded" onRetry={reload} />
    </>
  );
}

/**
 * @typedef {import('../key/model.js').Key} Key
 * @typedef {import('../key/model.js').KeyResult} KeyResult
 * @typedef {import('../key/model.js').Action} Action
 */

/** @param {{subject: Key, onKey: (key: Key) => void, onStale: () => void}} props */
function KeyDetails({ subject, onKey, onStale }) {
  const locale = useLocale();
  const { say, format } = locale;
  const announce = useAnnounce();
  const { session } = useSession();
  const [what, setWhat] = useState(/** @type {Action | null} */ (null));
  const [result, setResult] = useState(/** @type {KeyResult | null} */ (null));
  const isDeleted = subject.status === "deleted";
  const acts = canManageKeys(session) ? actionsFor(subject, session) : [];
  useTick();

  /** @param {KeyResult} done */
  const settle = (done) => {
    setWhat(null);
    announce(resultText(locale, done));
    if (done.act === "regenerated") return go(keyAddress(done.keys[0].id));
    setResult(done);
    // A deletion returns only IDs.
    if (done.act === "deleted") return onStale();
    return onKey(done.keys[0]);
  };
  // The button that led to a deletion is gone with it.
  useEffect(() => {
    if (result?.act === "deleted") document.querySelector("h1")?.focus();
  }, [result]);
  /** @param {Action} act */
  const open = (act) => () => {
    setResult(null);
    setWhat(act);
  };

  return (
    <>
      <Back />
      <div class="page-head">
        <PageTitle title={subject.name} />
        <p class="row">
          {acts
            .filter((act) => act !== "delete")
            .map((act, place) => (
              // Keyed by place: "Activate" takes the place of "Disable", and keeps its focus.
              <button key={place} type="button" onClick={open(act)}>
                {say(`act.${act}`)}
              </button>
            ))}
        </p>
      </div>
      {result && <ResultNote result={result} />}
      {subject.deleted_at && subject.restorable_until && !result && (
        <p class="notice">
          {say("key.deleted", {
            at: format.dateTime(subject.deleted_at),
            until: format.day(new Date(subject.restorable_until)),
          })}
        </p>
      )}
      {subject.status === "mfa_off" && subject.mfa_off && <MfaOff subject={subject} member={subject.mfa_off} />}
      <Replaced subject={subject} />
      <Facts subject={subject} onStale={onStale} />
      <KeyActivity subject={subject} />
      {canManageKeys(session) && !isDeleted && (subject.protected || acts.includes("delete")) && (
        <section class="apart" aria-labelledby="delete">
          <h2 id="delete">{say("delete.heading")}</h2>
          <p>{say(subject.protected ? (isOwner(session) ? "protected.lift" : "protected.ask") : "delete.lead")}</p>
          {acts.includes("delete") && (
            <button type="button" class="danger-quiet" onClick={open("delete")}>
              {say("act.delete")}
            </button>
          )}
        </section>
      )}
      {what && (
        <ActionDialog
          what={what}
          subject={subject}
          onDone={settle}
          onChanged={onKey}
          onStale={onStale}
          onCancel={() => setWhat(null)}
        />
      )}
    </>
  );
}

/**
 * Says whose key it is, and what makes it work again.
 * @param {{subject: Key, member: import('../key/model.js').WithoutMfa}} props
 */
function MfaOff({ subject, member }) {
  const locale = useLocale();
  const { session } = useSession();
  const isOwn = member.id === session.member.id;
  return (
    <div class="notice bad">
      <p>{sayOfMember(locale, `mfa-off.${subject.issued_by.kind === "key" ? "issued" : "key"}`, member, session)}</p>
      {isOwn && <a href="#/profile/mfa">{locale.say("pair.second-factor.setup")}</a>}
    </div>
  );
}

function Back() {
  const { say } = useLocale();
  return (
    <p class="back">
      <a href="#/keys">
        <BackIcon /> {say("keys.title")}
      </a>
    </p>
  );
}

/** @param {{subject: Key, onStale: () => void}} props */
function Facts({ subject, onStale }) {
  const { say } = useLocale();
  return (
    <div class="facts">
      <section aria-labelledby="facts">
        <h2 id="facts">{say("key.facts")}</h2>
        <Identity subject={subject} />
      </section>
      <section aria-labelledby="limits">
        <h2 id="limits">{say("key.limits")}</h2>
        <Limits subject={subject} />
      </section>
      {subject.issuable && (
        <section class="across" aria-labelledby="key-issuable">
          <h2 id="key-issuable">{say("limits.title")}</h2>
          <p class="hint">{say("limits.lead")}</p>
          <IssuanceLimits limits={subject.issuable} />
        </section>
      )}
      {subject.replaces && <Predecessor subject={subject} onEnded={onStale} />}
    </div>
  );
}

/** @param {{subject: Key}} props */
function Identity({ subject }) {
  const { say } = useLocale();
  const { session } = useSession();
  const showable = isShowable(subject, session);
  return (
    <dl>
      <Detail term={say("column.status")}>
        <Status subject={subject} />
      </Detail>
      <Detail term={say("key.id")}>
        <Copyable text={subject.access_key} label={say("copy.id")} />
      </Detail>
      {subject.viewable && (
        <Detail term={say("reveal.key")}>
          {say("key.viewable")} {showable && <ShowButton subject={subject} />}
        </Detail>
      )}
      {subject.protected && <Detail term={say("key.protected")}>{say("key.protected.yes")}</Detail>}
      <Detail term={say("column.used")}>
        <LastUse subject={subject} exact />
        {subject.uses_24h > 0 && <span class="by">{say("use.day", { count: subject.uses_24h })}</span>}
      </Detail>
      {subject.last_refused_at && (
        <Detail term={say("use.refused.last")}>
          <RefusedCalls subject={subject} />
        </Detail>
      )}
      <Detail term={say("column.issued")}>
        <TimeAgo at={subject.created_at} exact />
        <span class="by">
          <Issuer subject={subject} />
        </span>
      </Detail>
      <Detail term={say("column.changed")}>
        <TimeAgo at={subject.changed_at} exact />
        <span class="by">{say("issuer.member", { name: subject.changed_by })}</span>
      </Detail>
    </dl>
  );
}

/** @param {{subject: Key}} props */
function Limits({ subject }) {
  const { say, format } = useLocale();
  const zone = <span class="by">{format.zone}</span>;
  return (
    <dl>
      {subject.not_before && (
        <Detail term={say("key.not-before")}>
          <time dateTime={subject.not_before}>{format.dateTime(subject.not_before)}</time>
          {zone}
        </Detail>
      )}
      <Detail term={say("column.expires")}>
        <Expiry at={subject.expires_at} />
        {subject.expires_at && zone}
      </Detail>
      <Detail term={say("column.networks")}>
        <Codes list={subject.networks} none="networks.anywhere" />
      </Detail>
      <Detail term={say("form.permissions")}>
        <Codes list={subject.permissions} none="permissions.none" />
      </Detail>
    </dl>
  );
}
