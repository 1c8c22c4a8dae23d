// Revokes one short-lived key. The page knows only its ID, which is enough.
import { useEffect, useRef, useState } from "preact/hooks";
import { searchTerm, withoutSecrets } from "../../client/redaction.js";
import { keyAddress } from "../../client/route.js";
import { useSession } from "../../client/session.jsx";
import { sayWithin } from "../../i18n/bound.js";
import { useLocale } from "../../i18n/locale.jsx";
import { useAnnounce } from "../../ui/announcer.jsx";
import { Dialog } from "../../ui/dialog.jsx";
import { Field, Form, errorOf } from "../../ui/fields.jsx";
import { useForm, useMistakeFocus } from "../../ui/form.js";
import { InfoIcon } from "../../ui/icons.jsx";
import { ProblemNotice } from "../../ui/problem.jsx";
import { ResultNote, resultText } from "../../ui/result.jsx";
import { parseShortLivedId, parseShortLivedKey } from "./parser.js";

const FIELD = "short-lived-key";
const ISSUER = "short-lived-issuer";

/**
 * @typedef {import('./parser.js').ShortLivedKey} ShortLivedKey
 * @typedef {{all_of_issuer: boolean, bound: import('../model.js').Bound | null}} Revoked
 */

/**
 * Offers to revoke the key that was pasted into the search.
 * @param {{shortLived: ShortLivedKey}} props
 */
export function PastedShortLivedKey({ shortLived }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const [asking, setAsking] = useState(false);
  const [result, setResult] = useState(/** @type {import('../../ui/result.jsx').Result | null} */ (null));
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  // The button that led to the result has gone.
  useEffect(() => {
    if (result) box.current?.focus();
  }, [result]);

  /** @param {string} act @param {Revoked} answer */
  const revoked = (act, { bound }) => {
    const done = { act, bound };
    setAsking(false);
    setResult(done);
    announce(resultText(locale, done));
  };
  return (
    <div class="notice" ref={box} tabIndex={-1}>
      <Found shortLived={shortLived} />
      {result ? (
        <ResultNote result={result} />
      ) : (
        <button type="button" onClick={() => setAsking(true)}>
          {say("short-lived.revoke")}
        </button>
      )}
      {asking && <RevocationDialog found={shortLived} onDone={revoked} onCancel={() => setAsking(false)} />}
    </div>
  );
}

/** @param {{shortLived: ShortLivedKey}} props */
function Found({ shortLived: { id, issuer } }) {
  const { say } = useLocale();
  return (
    <p>
      <InfoIcon /> {say("short-lived.found", { id: <code>{id}</code> })}{" "}
      {issuer === "service" ? (
        <a href="#/connection">{say("issuer.service")}</a>
      ) : (
        <a href={keyAddress(issuer)}>{say("short-lived.issuer")}</a>
      )}
    </p>
  );
}

/**
 * Confirms the revocation, and asks for the key itself if none was pasted before.
 * @param {object} props
 * @param {ShortLivedKey} [props.found]
 * @param {(act: string, answer: Revoked) => void} props.onDone
 * @param {() => void} props.onCancel
 */
export function RevocationDialog({ found, onDone, onCancel }) {
  const { say } = useLocale();
  const { request, session } = useSession();
  const [shortLived, setShortLived] = useState(found);
  // An ID alone does not say who issued the key, so the member does.
  const [id, setId] = useState(/** @type {string | null} */ (null));
  const form = useForm({ issuer: "" });
  useMistakeFocus(form.mistakes);

  /** @returns {import('../model.js').Answering<Revoked>} */
  const send = () => {
    const issuer = searchTerm(form.values.issuer).replace(/^.*_/, "") || "service";
    return request("POST", "/v1/sealed-keys/revoke", { body: shortLived ?? { id, issuer } });
  };
  const revoke = async () => {
    const missing = shortLived || id ? [] : [{ pointer: `#/${FIELD}`, code: "required" }];
    const answer = await form.submit(missing, send);
    if (answer?.ok) onDone(answer.data.all_of_issuer ? "revoked_all" : "revoked", answer.data);
  };
  /** @param {import('preact').TargetedEvent<HTMLInputElement>} event */
  const paste = (event) => {
    const read = parseShortLivedKey(event.currentTarget.value);
    setId(read ? null : parseShortLivedId(event.currentTarget.value));
    if (!read) return;
    // The whole key never stays, not even in its field.
    event.currentTarget.value = "";
    form.show([]);
    setShortLived(read);
  };
  const leave = () => form.leave(onCancel);

  return (
    <Dialog role="alertdialog" title={say("short-lived.title")} describedBy="short-lived-body" onCancel={leave}>
      <Form onSubmit={revoke} busy={form.busy}>
        <p id="short-lived-body">{sayWithin(say, "short-lived.body", session.account)}</p>
        {!found && (
          <Field
            id={FIELD}
            label={say("short-lived.paste")}
            hint={say("short-lived.paste.hint")}
            error={errorOf(form.mistakes.errors, FIELD)}
          >
            {(control) => (
              <input
                {...control}
                autocomplete="off"
                spellcheck={false}
                translate={false}
                data-focus=""
                onInput={paste}
              />
            )}
          </Field>
        )}
        {id && (
          <Field id={ISSUER} label={say("short-lived.by")} hint={say("short-lived.by.hint")}>
            {(control) => (
              <input
                {...control}
                value={form.values.issuer}
                autocomplete="off"
                spellcheck={false}
                translate={false}
                onInput={(event) => form.change({ issuer: withoutSecrets(event.currentTarget.value).text })}
              />
            )}
          </Field>
        )}
        {shortLived && <Found shortLived={shortLived} />}
        <ProblemNotice
          problem={form.problem}
          text={id && form.problem?.code === "not_found" ? say("short-lived.not-found") : undefined}
        />
        <div class="actions">
          <button class="danger">{say(form.busy ? "short-lived.busy" : "short-lived.confirm")}</button>
          <button type="button" onClick={leave} data-focus={found ? "" : undefined}>
            {say("cancel")}
          </button>
        </div>
      </Form>
    </Dialog>
  );
}
