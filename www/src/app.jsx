// Chooses what to show: set-up, an invitation, sign-in, or the console. The server's challenges open above any
// page.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { withChallenges } from "./client/api.js";
import { syncClock } from "./client/clock.js";
import { go, linkToken, useRoute } from "./client/route.js";
import { SessionProvider, loadSession, useSession } from "./client/session.jsx";
import { onMemberElsewhere, reportMember } from "./client/tabs.js";
import { KeyPage } from "./details/page.jsx";
import { CardPage, NotFoundPage, PageTitle, Shell } from "./frame/shell.jsx";
import {
  LocaleProvider,
  chosenLanguage,
  loadMessages,
  preferredLanguage,
  rememberLanguage,
  useLocale,
} from "./i18n/locale.jsx";
import { presentName } from "./i18n/zones.js";
import { KeysPage } from "./keys/page.jsx";
import { SetUp } from "./setup/page.jsx";
import { Challenge } from "./sign-in/challenge.jsx";
import { SignIn } from "./sign-in/page.jsx";
import { Announcer } from "./ui/announcer.jsx";
import { deferred } from "./ui/deferred.jsx";
import { Loading } from "./ui/loading.jsx";
import { RetryNotice } from "./ui/problem.jsx";

// Most visits need none of these; each comes with its first use.
const ActivityPage = deferred(async () => (await import("./activity/page.jsx")).ActivityPage, "loading.activity");
const AccountsPage = deferred(async () => (await import("./operator/accounts.jsx")).AccountsPage, "loading.console");
const OperatedAccount = deferred(async () => (await import("./operator/account.jsx")).AccountPage, "loading.console");
const ApiUsersPage = deferred(async () => (await import("./api-users/page.jsx")).ApiUsersPage, "loading.api-users");
const ApiUserPage = deferred(async () => (await import("./api-users/details.jsx")).ApiUserPage, "loading.api-user");
const AccountPage = deferred(async () => (await import("./account/page.jsx")).AccountPage, "loading.members");
const ProfilePage = deferred(async () => (await import("./profile/page.jsx")).ProfilePage, "loading.console");
const NoticesPage = deferred(async () => (await import("./notices/page.jsx")).NoticesPage, "loading.console");
const Join = deferred(async () => (await import("./join/page.jsx")).Join, "loading.invitation");

const BROWSER_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * @typedef {import('./client/session.jsx').Session} Session
 * @typedef {import('./client/api.js').Problem} Problem
 * @typedef {import('./client/route.js').Route} Route
 * @typedef {import('./i18n/locale.jsx').Language} Language
 * @typedef {import('./sign-in/challenge.jsx').PendingChallenge} PendingChallenge
 */

/** @param {{answering: ReturnType<typeof loadSession>}} props `answering` is the first request */
export function App({ answering }) {
  // `undefined` until the server has answered, `null` while no member is signed in.
  const [session, setSession] = useState(/** @type {Session | null | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [lang, setLang] = useState(preferredLanguage);
  const first = useRef(/** @type {typeof answering | null} */ (answering));

  const show = useCallback(
    /** @param {Language} language */
    async (language) => {
      try {
        await loadMessages(language);
        setLang(language);
      } catch {
        // The page keeps its present language, which is loaded.
      }
    },
    [],
  );
  const choose = useCallback(
    /** @param {Language} language */
    (language) => {
      rememberLanguage(language);
      show(language);
    },
    [show],
  );
  const enter = useCallback(
    /** @param {Session} document */
    async (document) => {
      syncClock(document.now);
      // The language is there before the first screen that shows it.
      await show(chosenLanguage() ?? document.member.language);
      setProblem(null);
      setSession(document);
      reportMember(document.member.id);
    },
    [show],
  );
  const amend = useCallback(
    /**
     * @param {string} member
     * @param {Partial<Session>} part
     */
    (member, part) => setSession((shown) => (shown?.member.id === member ? { ...shown, ...part } : shown)),
    [],
  );
  const leave = useCallback(() => {
    setSession(null);
    show(preferredLanguage());
  }, [show]);
  const load = useCallback(async () => {
    setProblem(null);
    const answer = await (first.current ?? loadSession());
    first.current = null;
    if (answer.ok) await enter(answer.data);
    else if (answer.problem.code === "not_signed_in") setSession(null);
    else setProblem(answer.problem);
  }, [enter]);
  useEffect(() => {
    load();
  }, [load]);
  const shown = session?.member.id;
  useEffect(() => {
    if (!shown) return undefined;
    return onMemberElsewhere((member) => member !== shown && load());
  }, [shown, load]);

  return (
    <LocaleProvider lang={lang} zone={presentName(session?.account.time_zone ?? BROWSER_ZONE)} setLang={choose}>
      <Announcer>
        {problem ? (
          <LoadFailure problem={problem} onRetry={load} />
        ) : (
          <Screen session={session} enter={enter} amend={amend} leave={leave} />
        )}
      </Announcer>
    </LocaleProvider>
  );
}

/** @param {{problem: Problem, onRetry: () => void}} props */
function LoadFailure({ problem, onRetry }) {
  const { say } = useLocale();
  return (
    <CardPage>
      <PageTitle title={say("unreached.title")} />
      <RetryNotice problem={problem} onRetry={onRetry} />
    </CardPage>
  );
}

/**
 * @param {object} props
 * @param {Session | null | undefined} props.session
 * @param {(document: Session) => Promise<void>} props.enter
 * @param {(member: string, part: Partial<Session>) => void} props.amend
 * @param {() => void} props.leave
 */
function Screen({ session, enter, amend, leave }) {
  const route = useRoute();
  /** @param {Session} document */
  const begin = async (document) => {
    await enter(document);
    go("#/keys", { replace: true });
  };
  if (route.page === "setup") return <SetUp onDone={begin} />;
  if (session === undefined)
    return (
      <main class="card-page">
        <Loading message="loading.console" />
      </main>
    );
  // Another link is another invitation, with a form of its own.
  if (route.page === "join") return <Join key={linkToken("join")} session={session} onDone={begin} onLeave={leave} />;
  if (session === null || route.page === "reset")
    return (
      <SignIn resetting={route.page === "reset"} email={session?.member.email} onReset={leave} onSignedIn={enter} />
    );
  const props = { session, enter, amend, leave, route };
  return <SignedIn key={session.member.id} {...props} />;
}

/**
 * @param {object} props
 * @param {Session} props.session
 * @param {(document: Session) => Promise<void>} props.enter
 * @param {(member: string, part: Partial<Session>) => void} props.amend
 * @param {() => void} props.leave
 * @param {Route} props.route
 */
function SignedIn({ session, enter, amend, leave, route }) {
  const [challenge, setChallenge] = useState(/** @type {PendingChallenge | null} */ (null));
  const pending = useRef(/** @type {Promise<boolean> | null} */ (null));

  // One dialog serves every request that meets a challenge while it is open.
  const ask = useCallback((/** @type {Problem} */ { code, methods = [] }) => {
    pending.current ??= new Promise((resolve) => {
      /** @param {boolean} met */
      const settle = (met) => {
        pending.current = null;
        setChallenge(null);
        resolve(met);
      };
      setChallenge({ code, methods, settle });
    });
    return pending.current;
  }, []);
  const value = useMemo(
    () => ({ session, enter, amend, leave, request: withChallenges(ask) }),
    [session, enter, amend, leave, ask],
  );

  return (
    <SessionProvider value={value}>
      <Shell page={route.page}>
        <Page route={route} />
      </Shell>
      {challenge && <Challenge challenge={challenge} session={session} onSession={enter} onLeave={leave} />}
    </SessionProvider>
  );
}

/** @param {{route: Route}} props */
function Page({ route }) {
  const { session } = useSession();
  if (route.page === "keys" && route.id) return <KeyPage key={route.id} id={route.id} />;
  if (route.page === "keys" || route.page === "connection")
    return <KeysPage query={route.query} atConnection={route.page === "connection"} />;
  if (route.page === "api-users")
    return route.id ? <ApiUserPage key={route.id} id={route.id} /> : <ApiUsersPage query={route.query} />;
  if (route.page === "account") return <AccountPage query={route.query} />;
  if (route.page === "profile") return <ProfilePage part={route.id} />;
  if (route.page === "notices") return <NoticesPage />;
  if (route.page === "activity") return <ActivityPage query={route.query} />;
  // Under Cloudflare Access, the operator's routes alone know who may see the pages.
  if (route.page === "operator" && (session.operator || session.operator_by === "access"))
    return route.id ? <OperatedAccount key={route.id} id={route.id} /> : <AccountsPage query={route.query} />;
  return <NotFoundPage />;
}
