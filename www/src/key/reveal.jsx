// Shows a key in clear text: once when it is issued, and again if it is viewable.
import { useState } from "preact/hooks";
import { policyOf } from "../client/policy.js";
import { canManageKeys, useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { CodeBlock } from "../ui/code.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { Secret, SecretDialog } from "../ui/secret.jsx";
import { Advice } from "./advice.jsx";
import { exampleCall } from "./examples.js";
import { isOfAnother, revealKey } from "./model.js";
import { exampleLacks, worksText } from "./works.js";

/**
 * @param {object} props
 * @param {import('./model.js').Key} props.subject
 * @param {import('./model.js').Secrets} props.secrets
 * @param {boolean} [props.again] `true` if the key was issued before
 * @param {string} [props.title] names the dialog, if it is not about a key that was issued
 * @param {string} [props.works] what to say after from when and where the key works
 * @param {string} [props.closeBody] key of the message to show before it closes
 * @param {() => void} props.onDone
 */
export function Reveal({ subject, secrets, again = false, title, works, closeBody, onDone }) {
  const locale = useLocale();
  const { say } = locale;
  const { session } = useSession();
  const once = !subject.viewable;
  const lacks = session.api && exampleLacks(locale, subject, session.api);
  return (
    <SecretDialog
      title={title ?? say(again ? "show.title" : "reveal.title", { name: subject.name })}
      lead={say(once ? "reveal.once" : again ? "show.lead" : "reveal.viewable")}
      once={once}
      closeBody={closeBody}
      onDone={onDone}
    >
      {({ copied, onCopied }) => (
        <>
          {!again && <p>{[worksText(locale, subject, session.permissions), works].filter(Boolean).join(locale.gap)}</p>}
          <Secret
            id="credential"
            label={say("reveal.key")}
            value={secrets.credential}
            copyLabel={say("copy.key")}
            main
            primary={!copied}
            onCopied={onCopied}
          />
          <details>
            <summary>{say("reveal.pair")}</summary>
            <p class="hint">{say("reveal.pair.hint")}</p>
            <PairSecrets secrets={secrets} onCopied={onCopied} />
          </details>
          {session.api && (
            <>
              <h3>{say("reveal.try")}</h3>
              <p class="hint">{say("reveal.try.hint")}</p>
              {lacks && <p class="hint">{lacks}</p>}
              <CodeBlock label={say("reveal.try")} code={exampleCall(session.api)} copyLabel={say("copy.example")} />
            </>
          )}
          <p class="hint">{say("reveal.where")}</p>
          <Advice />
        </>
      )}
    </SecretDialog>
  );
}

/**
 * Draws the access key and the access secret of a key.
 * @param {object} props
 * @param {import('./model.js').Secrets} props.secrets
 * @param {() => void} props.onCopied called once the access secret is copied
 * @param {boolean} [props.main] `true` if they are what the dialog is for
 * @param {boolean} [props.primary]
 */
export function PairSecrets({ secrets, onCopied, main, primary }) {
  const { say } = useLocale();
  return (
    <>
      <Secret
        id="access-key"
        label={say("reveal.access-key")}
        value={secrets.access_key}
        copyLabel={say("copy.access-key")}
      />
      <Secret
        id="access-secret"
        label={say("reveal.access-secret")}
        value={secrets.access_secret}
        copyLabel={say("copy.access-secret")}
        main={main}
        primary={primary}
        onCopied={onCopied}
      />
    </>
  );
}

/**
 * Returns `true` if the member may show the key again.
 * @param {import('./model.js').Key} key
 * @param {import('../client/session.jsx').Session} session
 */
export const isShowable = (key, session) =>
  key.viewable &&
  key.status !== "deleted" &&
  canManageKeys(session) &&
  policyOf(session).viewable_allowed &&
  !isOfAnother(key, session);

/**
 * Draws the button that shows a viewable key again.
 * @param {{subject: import('./model.js').Key}} props
 */
export function ShowButton({ subject }) {
  const { say } = useLocale();
  const { request } = useSession();
  const announce = useAnnounce();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {import('../client/api.js').Problem | null} */ (null));
  // The only place that holds the secret; it goes with the dialog.
  const [secrets, setSecrets] = useState(/** @type {import('./model.js').Secrets | null} */ (null));

  const show = async () => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    announce(say("show.busy"));
    const answer = await revealKey(request, subject);
    setBusy(false);
    if (answer.ok) setSecrets(answer.data);
    else setProblem(answer.problem);
  };

  return (
    <>
      <button type="button" class="small" aria-label={say("show.label", { name: subject.name })} onClick={show}>
        {say(busy ? "show.busy" : "show")}
      </button>
      <ProblemNotice problem={problem} />
      {secrets && <Reveal subject={subject} secrets={secrets} again onDone={() => setSecrets(null)} />}
    </>
  );
}
