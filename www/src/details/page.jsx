// Draws the page of one key: details, limits, activity, and every action as a plain button.
import { useLoader } from "../client/loader.js";
import { go, keyAddress } from "../client/route.js";
import { canManageKeys, isOwner, useSession } from "../client/session.jsx";
import { BackLink, LoadedPage } from "../frame/loaded.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ActionDialog } from "../key/actions/dialog.jsx";
import { Issuer } from "../key/issuer.jsx";
import { Codes, IssuanceLimits, UseLimits } from "../key/limits.jsx";
import { actionsFor, loadKey } from "../key/model.js";
import { PageHead, usePageActions } from "../key/page-head.jsx";
import { ShowButton, isShowable } from "../key/reveal.jsx";
import { Status, sayOfMember } from "../key/status.jsx";
import { LastUse, TimeAgo } from "../key/times.jsx";
import { RefusedCalls } from "../key/use.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { useTick } from "../ui/browser.js";
import { Copyable } from "../ui/copy.jsx";
import { deferred } from "../ui/deferred.jsx";
import { Detail } from "../ui/detail.jsx";
import { resultText } from "../ui/result.jsx";
import { Predecessor, Replaced } from "./rotation.jsx";

/** The first key page loads it. */
const KeyActivity = deferred(async () => (await import("../activity/history.jsx")).KeyActivity, "loading.activity");

/** @param {{id: string}} props from the address bar */
export function KeyPage({ id }) {
  const { say } = useLocale();
  const { request } = useSession();
  const loaded = useLoader((signal) => loadKey(request, id, { signal }), [request, id]);
  return (
    <LoadedPage
      loaded={loaded}
      back={<BackLink href="#/keys">{say("keys.title")}</BackLink>}
      title={say("key.title")}
      loading="loading.key"
      failed="key_not_loaded"
    >
      {(key) => <KeyDetails subject={key} onKey={loaded.setData} onStale={loaded.reload} />}
    </LoadedPage>
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
  const { say } = locale;
  const announce = useAnnounce();
  const { session } = useSession();
  /** @type {import('../key/page-head.jsx').PageActions<Action, KeyResult>} */
  const { what, open, close, result, setResult } = usePageActions("deleted");
  const isDeleted = subject.status === "deleted";
  const acts = canManageKeys(session) ? actionsFor(subject, session) : [];
  useTick();

  /** @param {KeyResult} done */
  const settle = (done) => {
    close();
    announce(resultText(locale, done));
    if (done.act === "regenerated") return go(keyAddress(done.keys[0].id));
    setResult(done);
    // A deletion returns only IDs.
    if (done.act === "deleted") return onStale();
    return onKey(done.keys[0]);
  };

  return (
    <>
      <PageHead subject={subject} acts={acts} result={result} onAct={open} />
      {subject.status === "mfa_off" && subject.mfa_off && <MfaOff subject={subject} member={subject.mfa_off} />}
      <Replaced subject={subject} />
      <Facts subject={subject} onStale={onStale} />
      <KeyActivity subject={subject} />
      {canManageKeys(session) && !isDeleted && (subject.protected || acts.includes("delete")) && (
        <section class="apart" aria-labelledby="delete">
          <h2 id="delete">{say("delete.heading")}</h2>
          <p>{say(subject.protected ? (isOwner(session) ? "protected.lift" : "protected.ask") : "delete.lead")}</p>
          {acts.includes("delete") && (
            <button type="button" class="danger-quiet" onClick={() => open("delete")}>
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
          onCancel={close}
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
  const { say } = useLocale();
  return (
    <dl>
      <UseLimits subject={subject} />
      <Detail term={say("form.permissions")}>
        <Codes list={subject.permissions} none="permissions.none" />
      </Detail>
    </dl>
  );
}
