// Shows the other key of a rotation: the predecessor on the successor's page, and the other way
// round.
import { useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
import { keyAddress } from "../client/route.js";
import { canManageKeys, useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ActionDialog } from "../key/actions/dialog.jsx";
import { loadKey } from "../key/model.js";
import { Status } from "../key/status.jsx";
import { Expiry, LastUse } from "../key/times.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { Detail } from "../ui/detail.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";

/** @typedef {import('../key/model.js').Key} Key */

/**
 * Draws the predecessor with its last use, its end and the button that ends it now.
 * @param {{subject: Key, onEnded: () => void}} props `subject` is the successor
 */
export function Predecessor({ subject, onEnded }) {
  const locale = useLocale();
  const { say, format } = locale;
  const { request, session } = useSession();
  const announce = useAnnounce();
  const [ending, setEnding] = useState(false);
  const [result, setResult] = useState(/** @type {import('../key/model.js').KeyResult | null} */ (null));
  const id = String(subject.replaces);
  const {
    data: old,
    setData,
    reload,
  } = useLoader((signal) => loadKey(request, id, { signal }), [request, id, subject.revision]);
  if (!old) return null;

  /** @param {import('../key/model.js').KeyResult} done */
  const settle = (done) => {
    setEnding(false);
    setResult(done);
    setData(done.keys[0]);
    announce(resultText(locale, done));
    onEnded();
  };
  return (
    <section class="across" aria-labelledby="predecessor">
      <h2 id="predecessor">{say("predecessor")}</h2>
      <p class="hint">{say("predecessor.lead")}</p>
      <dl>
        <Detail term={say("key.id")}>
          <a href={keyAddress(old.id)}>
            <code translate={false}>{old.access_key}</code>
          </a>
        </Detail>
        <Detail term={say("column.status")}>
          <Status subject={old} />
        </Detail>
        <Detail term={say("column.used")}>
          <LastUse subject={old} exact />
          {old.uses_24h > 0 && <span class="by">{say("use.day", { count: old.uses_24h })}</span>}
        </Detail>
        <Detail term={say("predecessor.ends")}>
          <Expiry at={old.expires_at} />
          <span class="by">{format.zone}</span>
        </Detail>
      </dl>
      {result && <ResultNote result={result} />}
      {old.status !== "deleted" && canManageKeys(session) && (
        <p>
          <button type="button" onClick={() => setEnding(true)}>
            {say("act.end")}
          </button>
        </p>
      )}
      {ending && (
        <ActionDialog
          what="end"
          subject={old}
          onDone={settle}
          onChanged={setData}
          onStale={reload}
          onCancel={() => setEnding(false)}
        />
      )}
    </section>
  );
}

/**
 * Says that a key was replaced, and leads to its successor.
 * @param {{subject: Key}} props `subject` is the predecessor
 */
export function Replaced({ subject: { replaced_by, status, overlap_until } }) {
  const { say, format } = useLocale();
  if (!replaced_by) return null;
  const sentence =
    status !== "deleted" && overlap_until
      ? say("replaced.until", { until: format.end(overlap_until), zone: format.zone })
      : say("replaced");
  return (
    <p class="notice">
      {sentence} <a href={keyAddress(replaced_by)}>{say("replaced.open")}</a>
    </p>
  );
}
