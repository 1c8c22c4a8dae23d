// Draws the key pair of the member: what is missing for one, the button that generates it, or the
// pair with its slider.
import { useEffect, useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
import { keyAddress } from "../client/route.js";
import { canManageKeys, useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { KeyConfirmation } from "../key/actions/confirmation.jsx";
import { DeletionDialog } from "../key/deletion/dialog.jsx";
import { Regeneration } from "../key/rotation/dialog.jsx";
import { Status } from "../key/status.jsx";
import { Expiry } from "../key/times.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { useTick } from "../ui/browser.js";
import { Copyable } from "../ui/copy.jsx";
import { Detail } from "../ui/detail.jsx";
import { useFocusLater } from "../ui/focus.jsx";
import { PlusIcon } from "../ui/icons.jsx";
import { Loading } from "../ui/loading.jsx";
import { RetryNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { Generate } from "./generate.jsx";
import { Rename } from "./rename.jsx";
import { loadPair } from "./requests.js";

const HEADING = "pair";
const SWITCH = "pair-switch";

/**
 * @typedef {import('../key/model.js').Key} Key
 * @typedef {import('../key/model.js').KeyResult} KeyResult
 * @typedef {'generate' | 'rename' | 'regenerate' | 'disable' | 'enable' | 'delete'} PairAction
 */

/**
 * @param {object} props
 * @param {number} props.turn number of changes elsewhere; another one loads the pair again
 * @param {() => void} props.onChanged called after each change of the pair
 */
export function PairSection({ turn, onChanged }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { request } = useSession();
  const {
    data: pair,
    setData: setPair,
    problem,
    reload,
  } = useLoader((signal) => loadPair(request, signal), [request, turn]);
  const [what, setWhat] = useState(/** @type {PairAction | null} */ (null));
  const [result, setResult] = useState(/** @type {KeyResult | null} */ (null));
  const focusLater = useFocusLater();
  useTick();

  /** @param {Key | null} key */
  const show = (key) => pair && setPair({ ...pair, key });
  /** @param {KeyResult} done */
  const settle = (done) => {
    setWhat(null);
    setResult(done);
    announce(resultText(locale, done));
    show(done.act === "deleted" ? null : done.keys[0]);
    // The expiry of the next pair is a later one by now.
    if (done.act === "deleted") reload();
    onChanged();
  };
  // The button that led there is gone with the pair, or with its absence.
  useEffect(() => {
    if (result?.act === "deleted") focusLater(HEADING);
    if (result?.act === "generated" && !what) focusLater(SWITCH);
  }, [result, what]);
  /** @param {PairAction} act */
  const open = (act) => () => {
    setResult(null);
    setWhat(act);
  };
  const leave = () => setWhat(null);
  const stale = () => {
    reload();
    onChanged();
  };
  const subject = pair?.key;

  return (
    <section class="apart" aria-labelledby={HEADING}>
      <h2 id={HEADING} tabIndex={-1}>
        {say("pair.heading")}
      </h2>
      {!pair && !problem && <Loading message="loading.pair" />}
      <RetryNotice problem={problem} as="pair_not_loaded" onRetry={reload} />
      {result && <ResultNote result={result} />}
      {result?.act === "deleted" && (
        <p>
          <a href={keyAddress(result.keys[0].id)}>{say("pair.deleted.open")}</a>
        </p>
      )}
      {pair && !subject && <NoPair pair={pair} onGenerate={open("generate")} />}
      {pair && subject && <PairFacts subject={subject} onAct={open} owners={pair.owners} />}
      {pair && what === "generate" && (
        <Generate
          expires={pair.expires_at}
          onGenerated={(key) => {
            show(key);
            setResult({ act: "generated", keys: [key], bound: null });
            onChanged();
          }}
          onStale={stale}
          onDone={leave}
        />
      )}
      {subject && what === "rename" && (
        <Rename subject={subject} onDone={settle} onChanged={show} onStale={stale} onCancel={leave} />
      )}
      {subject && (what === "disable" || what === "enable") && (
        <KeyConfirmation
          what={what}
          subject={subject}
          onDone={settle}
          onChanged={show}
          onStale={stale}
          onCancel={leave}
        />
      )}
      {subject && what === "regenerate" && (
        <Regeneration subject={subject} onDone={settle} onChanged={show} onStale={stale} onCancel={leave} />
      )}
      {subject && what === "delete" && (
        <DeletionDialog keys={[subject]} onDone={settle} onStale={stale} onCancel={leave} />
      )}
    </section>
  );
}

/** @param {{pair: import('./requests.js').Pair, onGenerate: () => void}} props */
function NoPair({ pair: { missing, owners, expires_at }, onGenerate }) {
  const { say, format, lang } = useLocale();
  const names = new Intl.ListFormat(lang, { type: "disjunction" }).format(owners);
  if (missing === "permission") return <p class="lead">{say("pair.permission", { names })}</p>;
  if (missing === "second_factor")
    return (
      <div class="empty">
        <p>{say("pair.second-factor")}</p>
        <a class="button primary" href="#/profile/mfa">
          {say("pair.second-factor.setup")}
        </a>
      </div>
    );
  return (
    <div class="empty">
      <p>
        {expires_at ? say("pair.none", { at: format.end(expires_at), zone: format.zone }) : say("pair.none.unlimited")}
      </p>
      <button type="button" class="primary" onClick={onGenerate}>
        <PlusIcon /> {say("pair.generate")}
      </button>
    </div>
  );
}

/**
 * @param {object} props
 * @param {Key} props.subject
 * @param {string[]} props.owners
 * @param {(act: PairAction) => () => void} props.onAct
 */
function PairFacts({ subject, owners, onAct }) {
  const { say, format, lang } = useLocale();
  const { session } = useSession();
  const changes = canManageKeys(session);
  const names = new Intl.ListFormat(lang, { type: "disjunction" }).format(owners);
  return (
    <>
      {subject.status === "mfa_off" && (
        <div class="notice bad">
          <p>{say("pair.mfa-off")}</p>
          <a href="#/profile/mfa">{say("pair.second-factor.setup")}</a>
        </div>
      )}
      <p class="pair-name">
        <strong>
          <bdi>{subject.name}</bdi>
        </strong>{" "}
        <a href={keyAddress(subject.id)}>{say("pair.details")}</a>
      </p>
      <dl class="facts-list">
        <Detail term={say("reveal.access-key")}>
          <Copyable text={subject.access_key} label={say("copy.access-key")} />
        </Detail>
        <Detail term={say("column.status")}>
          <span class="switched">
            <Status subject={subject} />
            {changes && (
              <button
                type="button"
                id={SWITCH}
                role="switch"
                class="switch"
                aria-checked={subject.enabled}
                aria-label={say("pair.switch", { name: subject.name })}
                onClick={onAct(subject.enabled ? "disable" : "enable")}
              >
                <span />
              </button>
            )}
          </span>
        </Detail>
        <Detail term={say("pair.expires")}>
          <Expiry at={subject.expires_at} />
          {subject.expires_at && <span class="by">{format.zone}</span>}
        </Detail>
      </dl>
      {changes ? (
        <p class="row">
          <button type="button" onClick={onAct("rename")}>
            {say("pair.rename")}
          </button>
          {subject.enabled && (
            <button type="button" onClick={onAct("regenerate")}>
              {say("act.regenerate")}
            </button>
          )}
          {!subject.protected && (
            <button type="button" class="danger-quiet" onClick={onAct("delete")}>
              {say("act.delete")}
            </button>
          )}
        </p>
      ) : (
        <p class="hint">{say("pair.permission", { names })}</p>
      )}
    </>
  );
}
