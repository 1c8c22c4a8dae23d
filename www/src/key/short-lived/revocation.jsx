// Revoking one short-lived key. Only its ID is known here, and that is enough.
import { useEffect, useRef, useState } from "preact/hooks";
import { useAnnounce } from "../../ui/announcer.jsx";
import { useConsole } from "../../client/session.jsx";
import { Dialog } from "../../ui/dialog.jsx";
import { Field, Form, errorOf } from "../../ui/fields.jsx";
import { InfoIcon } from "../../ui/icons.jsx";
import { useLocale } from "../../i18n/locale.jsx";
import { ProblemNotice } from "../../ui/problem.jsx";
import { keyAddress } from "../../client/route.js";
import { useForm, useMistakeFocus } from "../../ui/form.js";
import { withinKey } from "../../i18n/bound.js";
import { OutcomeNote, outcomeText } from "../../ui/result.jsx";
import { sealedIn } from "./parser.js";

const FIELD = "sealed-key";

/** Beside the search, when one was pasted there. @param {{sealed: {id: string, issuer: string}}} props */
export function SealedFound({ sealed }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const [asking, setAsking] = useState(false);
  const [outcome, setOutcome] = useState(null);
  const box = useRef(null);
  /** The button that led there has gone. */
  useEffect(() => {
    if (outcome) box.current.focus();
  }, [outcome]);

  const revoked = (act, { bound }) => {
    const done = { act, bound };
    setAsking(false);
    setOutcome(done);
    announce(outcomeText(locale, done));
  };
  return (
    <div class="notice sealed" ref={box} tabIndex={-1}>
      <Found sealed={sealed} />
      {outcome ? (
        <OutcomeNote outcome={outcome} />
      ) : (
        <button type="button" onClick={() => setAsking(true)}>
          {say("sealed.revoke")}
        </button>
      )}
      {asking && <RevokeSealed found={sealed} onDone={revoked} onCancel={() => setAsking(false)} />}
    </div>
  );
}

function Found({ sealed: { id, issuer } }) {
  const { say } = useLocale();
  return (
    <p>
      <InfoIcon /> {say("sealed.found", { id: <code>{id}</code> })}{" "}
      {issuer === "service" ? (
        <a href="#/connection">{say("issuer.service")}</a>
      ) : (
        <a href={keyAddress(issuer)}>{say("sealed.issuer")}</a>
      )}
    </p>
  );
}

/**
 * Asks before one is revoked; and for the key itself, where none was found before.
 * @param {object} props
 * @param {{id: string, issuer: string}} [props.found]
 * @param {(act: string, answer: object) => void} props.onDone
 * @param {() => void} props.onCancel
 */
export function RevokeSealed({ found, onDone, onCancel }) {
  const { say } = useLocale();
  const { request, session } = useConsole();
  const [sealed, setSealed] = useState(found);
  const form = useForm({});
  useMistakeFocus(form.mistakes);
  const { freshness, freshness_s: within } = session.account;

  const revoke = async () => {
    const missing = sealed ? [] : [{ pointer: `#/${FIELD}`, code: "required" }];
    const answer = await form.submit(missing, () => request("POST", "/v1/sealed-keys/revoke", { body: sealed }));
    if (answer?.ok) onDone(answer.data.all_of_issuer ? "revoked_all" : "revoked", answer.data);
  };
  /** The whole key never stays, not even in its field. */
  const paste = (event) => {
    const read = sealedIn(event.currentTarget.value);
    if (!read) return;
    event.currentTarget.value = "";
    form.show([]);
    setSealed(read);
  };
  const leave = () => !form.busy && onCancel();

  return (
    <Dialog role="alertdialog" title={say("sealed.title")} describedBy="sealed-body" onCancel={leave}>
      <Form onSubmit={revoke} busy={form.busy}>
        <p id="sealed-body">{say(withinKey("sealed.body", freshness, within), { seconds: within })}</p>
        {!found && (
          <Field
            id={FIELD}
            label={say("sealed.paste")}
            hint={say("sealed.paste.hint")}
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
        {sealed && <Found sealed={sealed} />}
        <ProblemNotice problem={form.problem} />
        <div class="actions">
          <button class="danger">{say(form.busy ? "sealed.busy" : "sealed.confirm")}</button>
          <button type="button" onClick={leave} data-focus={found ? "" : undefined}>
            {say("cancel")}
          </button>
        </div>
      </Form>
    </Dialog>
  );
}
