// Draws the browsers that are signed in, and the buttons that sign them out.
import { useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { TimeAgo } from "../key/times.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { useTick } from "../ui/browser.js";
import { Confirmation } from "../ui/confirmation.jsx";
import { useFocusLater } from "../ui/focus.jsx";
import { useForm } from "../ui/form.js";
import { Loading } from "../ui/loading.jsx";
import { ProblemNotice, RetryNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { browserOf } from "./agent.js";
import { useReached } from "./reached.js";
import { endBrowser, endOtherBrowsers, loadBrowsers } from "./requests.js";

const HEADING = "browsers";

/** @typedef {import('./requests.js').Browser} Browser */

/**
 * Returns "Firefox on Windows", or what is known of it.
 * @param {import('../i18n/locale.jsx').Say} say
 * @param {Browser} browser
 */
function browserName(say, { agent }) {
  const { browser, system } = browserOf(agent);
  if (browser && system) return say("browsers.on", { browser, system });
  if (system) return say("browsers.unknown.on", { system });
  return browser ?? say("browsers.unknown");
}

/** @param {{reached: boolean}} props */
export function Browsers({ reached }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { request } = useSession();
  const { data, setData, problem, reload } = useLoader((signal) => loadBrowsers(request, signal), [request]);
  const [ending, setEnding] = useState(false);
  const [result, setResult] = useState(/** @type {import('../ui/result.jsx').Result | null} */ (null));
  const focusLater = useFocusLater();
  useReached(HEADING, reached);
  useTick();
  const browsers = data?.sessions ?? [];
  const sorted = browsers.toSorted(
    (one, other) => Number(other.current) - Number(one.current) || (one.seen_at < other.seen_at ? 1 : -1),
  );
  const others = browsers.filter(({ current }) => !current);

  /** @param {string} act @param {string} name @param {(browser: Browser) => boolean} stays */
  const settle = (act, name, stays) => {
    const done = { act, keys: [{ name }], bound: null };
    setEnding(false);
    setResult(done);
    announce(resultText(locale, done));
    setData((before) => before && { sessions: before.sessions.filter(stays) });
    focusLater(HEADING);
  };
  return (
    <section class="apart" aria-labelledby={HEADING}>
      <div class="section-head">
        <h2 id={HEADING} tabIndex={-1}>
          {say("browsers.heading")}
        </h2>
        {others.length > 1 && (
          <button
            type="button"
            class="small"
            onClick={() => {
              setResult(null);
              setEnding(true);
            }}
          >
            {say("browsers.end-others")}
          </button>
        )}
      </div>
      <p>{say("browsers.lead")}</p>
      {result && <ResultNote result={result} />}
      {!data && !problem && <Loading message="loading.browsers" />}
      <RetryNotice problem={problem} as="browsers_not_loaded" still onRetry={reload} />
      <ul class="rows">
        {sorted.map((browser) => (
          <Row
            key={browser.id}
            browser={browser}
            onStale={reload}
            onDone={() => settle("browser_ended", browserName(say, browser), ({ id }) => id !== browser.id)}
          />
        ))}
      </ul>
      {ending && (
        <EndOthers
          count={others.length}
          onDone={() => settle("others_ended", "", ({ current }) => current)}
          onStale={reload}
          onCancel={() => setEnding(false)}
        />
      )}
    </section>
  );
}

/** @param {{browser: Browser, onDone: () => void, onStale: () => void}} props */
function Row({ browser, onDone, onStale }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({});
  const name = browserName(say, browser);
  const { address, last_address, agent, current } = browser;
  const network = last_address ?? address;

  const end = async () => {
    const answer = await form.submit([], () => endBrowser(request, browser));
    if (answer?.ok) onDone();
    else if (answer?.problem.code === "not_found") onStale();
  };
  return (
    <li>
      <div class="row-text">
        <strong>{name}</strong>
        {current && <span class="tag">{say("browsers.this")}</span>}
        {agent && !browserOf(agent).browser && <code class="line">{agent}</code>}
        <span class="by">
          {say("browsers.seen", { ago: <TimeAgo at={browser.seen_at} /> })}
          {network && (
            <>
              {" · "}
              <code>{network}</code>
            </>
          )}
        </span>
        <span class="by">
          {say("browsers.since", { at: <TimeAgo at={browser.created_at} exact /> })}
          {address && address !== network && (
            <>
              {" · "}
              <code>{address}</code>
            </>
          )}
        </span>
      </div>
      {!current && (
        <button
          type="button"
          class="small"
          onClick={end}
          aria-label={say("browsers.end.label", { name, address: network ?? "" })}
        >
          {say(form.busy ? "signing-out" : "sign-out")}
        </button>
      )}
      <ProblemNotice problem={form.problem} as={form.problem?.code === "not_found" ? "browser_not_found" : undefined} />
    </li>
  );
}

/**
 * @param {object} props
 * @param {number} props.count
 * @param {() => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function EndOthers({ count, onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({});
  const confirm = async () => {
    const answer = await form.submit([], () => endOtherBrowsers(request));
    if (answer?.ok) onDone();
  };
  return (
    <Confirmation
      title={say("browsers.end-others.title")}
      body={say("browsers.end-others.body", { count })}
      confirm={say(form.busy ? "signing-out" : "browsers.end-others")}
      onConfirm={confirm}
      onCancel={() => form.leave(onCancel, onStale)}
    >
      <ProblemNotice problem={form.problem} />
    </Confirmation>
  );
}
