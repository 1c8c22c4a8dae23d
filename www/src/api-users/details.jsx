// Draws the page of one API user: details, limits, activity, and every action as a plain button.
import { useLoader } from "../client/loader.js";
import { canManageKeys, useSession } from "../client/session.jsx";
import { BackLink, LoadedPage } from "../frame/loaded.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { presentName } from "../i18n/zones.js";
import { UseLimits } from "../key/limits.jsx";
import { PageHead, usePageActions } from "../key/page-head.jsx";
import { LastUse, TimeAgo } from "../key/times.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { useTick } from "../ui/browser.js";
import { Copyable } from "../ui/copy.jsx";
import { deferred } from "../ui/deferred.jsx";
import { Detail } from "../ui/detail.jsx";
import { resultText } from "../ui/result.jsx";
import { UserAction } from "./action.jsx";
import { actionsOn, loadUser } from "./requests.js";
import { MailSettings } from "./saved.jsx";
import { UserStatus, interfacesText } from "./status.jsx";

/** The first page of a user loads it. */
const Activity = deferred(async () => (await import("../activity/history.jsx")).UserActivity, "loading.activity");

/**
 * @typedef {import('./requests.js').ApiUser} ApiUser
 * @typedef {import('./requests.js').UserResult} UserResult
 * @typedef {import('./requests.js').Action} Action
 */

/** @param {{id: string}} props from the address bar */
export function ApiUserPage({ id }) {
  const { say } = useLocale();
  const { request } = useSession();
  const loaded = useLoader((signal) => loadUser(request, id, { signal }), [request, id]);
  return (
    <LoadedPage
      loaded={loaded}
      back={<BackLink href="#/api-users">{say("api-user.title")}</BackLink>}
      title={say("api-user.one")}
      loading="loading.api-user"
      failed="api_user_not_loaded"
    >
      {(user) => <UserDetails subject={user} onUser={loaded.setData} onStale={loaded.reload} />}
    </LoadedPage>
  );
}

/** @param {{subject: ApiUser, onUser: (user: ApiUser) => void, onStale: () => void}} props */
function UserDetails({ subject, onUser, onStale }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { session } = useSession();
  /** @type {import('../key/page-head.jsx').PageActions<Action, UserResult>} */
  const { what, open, close, result, setResult } = usePageActions("user_deleted");
  const acts = canManageKeys(session) ? actionsOn(subject) : [];
  useTick();

  /** @param {UserResult} done */
  const settle = (done) => {
    announce(resultText(locale, done));
    setResult(done);
    onUser(done.keys[0]);
  };

  return (
    <>
      <PageHead subject={subject} acts={acts} result={result} onAct={open} />
      <div class="facts">
        <section aria-labelledby="facts">
          <h2 id="facts">{say("key.facts")}</h2>
          <Identity subject={subject} />
        </section>
        <section aria-labelledby="limits">
          <h2 id="limits">{say("api-user.rights")}</h2>
          <Rights subject={subject} />
        </section>
        {subject.interfaces.includes("smtp") && (
          <section class="across" aria-labelledby="mail">
            <h2 id="mail">{say("api-user.mail.heading")}</h2>
            <MailSettings name={subject.name} />
          </section>
        )}
      </div>
      <Activity subject={subject} />
      {acts.includes("delete") && (
        <section class="apart" aria-labelledby="delete">
          <h2 id="delete">{say("api-user.delete.heading")}</h2>
          <p>{say("api-user.delete.lead")}</p>
          <button type="button" class="danger-quiet" onClick={() => open("delete")}>
            {say("act.delete")}
          </button>
        </section>
      )}
      {what && (
        <UserAction
          what={what}
          subject={subject}
          onSaved={settle}
          onDone={close}
          onChanged={onUser}
          onStale={onStale}
        />
      )}
    </>
  );
}

/** @param {{subject: ApiUser}} props */
function Identity({ subject }) {
  const { say } = useLocale();
  return (
    <dl>
      <Detail term={say("column.status")}>
        <UserStatus subject={subject} />
      </Detail>
      <Detail term={say("api-user.name")}>
        <Copyable text={subject.name} label={say("api-user.copy-name")} />
      </Detail>
      <Detail term={say("api-user.id")}>
        <Copyable text={subject.id} label={say("copy.id")} />
      </Detail>
      <Detail term={say("column.used")}>
        <LastUse subject={subject} exact />
      </Detail>
      <Detail term={say("api-user.added")}>
        <TimeAgo at={subject.created_at} exact />
        <span class="by">{say("issuer.member", { name: subject.created_by })}</span>
      </Detail>
      <Detail term={say("column.changed")}>
        <TimeAgo at={subject.changed_at} exact />
        <span class="by">{say("issuer.member", { name: subject.changed_by })}</span>
      </Detail>
    </dl>
  );
}

/** @param {{subject: ApiUser}} props */
function Rights({ subject }) {
  const locale = useLocale();
  const { say } = locale;
  const { view_personal_data: views, download_personal_data: downloads } = subject;
  return (
    <dl>
      <Detail term={say("api-user.group")}>
        {say(`api-user.group.${subject.group}`)}
        <span class="by">{say(`api-user.group.${subject.group}.may`)}</span>
      </Detail>
      <Detail term={say("api-user.personal")}>
        {views && <p>{say("api-user.views")}</p>}
        {downloads && <p>{say("api-user.downloads")}</p>}
        {!views && !downloads && say("api-user.personal.none")}
      </Detail>
      <Detail term={say("api-user.interfaces")}>{interfacesText(locale, subject.interfaces)}</Detail>
      <Detail term={say("api-user.own-data")}>{say(subject.own_data_only ? "yes" : "no")}</Detail>
      <Detail term={say("setup.time_zone")}>{presentName(subject.zone).replaceAll("_", " ")}</Detail>
      <UseLimits subject={subject} />
    </dl>
  );
}
