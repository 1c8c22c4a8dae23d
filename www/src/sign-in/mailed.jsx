// Confirms the identity of a member with a code by mail, where the account's policy demands one, or
// says what the member must set up first.
import { useEffect, useState } from "preact/hooks";
import { send } from "../client/api.js";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { CodeField, Form, errorOf } from "../ui/fields.jsx";
import { useForm, useMistakeFocus } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { atField } from "./factor.jsx";

/**
 * @typedef {import('../client/session.jsx').Session} Session
 * @typedef {{sent_to: string, expires_at: string}} Mailed
 */

/** Differs from the fields of a form below this dialog. */
const FIELD = "step-up-code";

/** @returns {Promise<import('../client/api.js').Answer<Mailed>>} */
const mailCode = () => send("POST", "/v1/session/step-up/code");

/**
 * @param {object} props
 * @param {Session['member']} props.member
 * @param {(met: boolean) => void} props.settle
 * @param {() => void} props.onEnded called if the session has ended
 */
export function MailedStepUp({ member, settle, onEnded }) {
  const locale = useLocale();
  const { say, format } = locale;
  const announce = useAnnounce();
  const [mailed, setMailed] = useState(/** @type {Mailed | null} */ (null));
  const [again, setAgain] = useState(false);
  const sending = useForm({ code: "" });
  const mailing = useForm({});
  useMistakeFocus(sending.mistakes);

  const mail = async () => {
    const answer = await mailing.submit([], mailCode);
    if (answer?.problem?.code === "not_signed_in") onEnded();
    if (!answer?.ok) return;
    sending.setProblem(null);
    sending.show([]);
    setMailed(answer.data);
    setAgain(mailed !== null);
    const key = mailed ? "step-up.mailed-again" : "step-up.mailed.said";
    announce(say(key, { address: answer.data.sent_to }));
    document.getElementById(FIELD)?.focus();
  };
  useEffect(() => void mail(), []);

  /** @param {string} code @param {Record<string, number>} parameters */
  const refuse = (code, parameters) => {
    sending.setProblem(null);
    sending.show([{ pointer: `#/${FIELD}`, code, ...parameters }]);
  };
  const submit = async () => {
    const { code } = sending.values;
    const missing = code.trim() ? [] : [{ pointer: `#/${FIELD}`, code: "required" }];
    /** @type {import('../client/api.js').Answer<Session> | null} */
    const answer = await sending.submit(missing, async () =>
      atField(await send("POST", "/v1/session/step-up", { body: { email_code: code } }), FIELD),
    );
    if (!answer) return;
    if (answer.ok) {
      // Another tab may have opened another account meanwhile: the request is not of that one.
      settle(answer.data.member.id === member.id);
      return;
    }
    sending.change({ code: "" });
    const { code: refused, tries_left: count = 0 } = answer.problem;
    if (refused === "not_signed_in") onEnded();
    if (refused === "factor_refused") refuse(count > 0 ? "refused" : "over", { count });
    if (refused === "code_over") refuse("over", {});
  };
  const busy = sending.busy || mailing.busy;
  const leave = () => !busy && settle(false);
  const problem = sending.problem ?? mailing.problem;
  return (
    <Dialog title={say("step-up.title")} describedBy="mailed-body" onCancel={leave}>
      <Form onSubmit={submit} busy={busy}>
        <p id="mailed-body">
          {mailed
            ? say(again ? "step-up.mailed-new" : "step-up.mailed", {
                address: <strong>{mailed.sent_to}</strong>,
                until: <strong>{format.clock(mailed.expires_at)}</strong>,
                zone: format.zone,
              })
            : say("step-up.mail-lead", { email: member.email })}
        </p>
        <ProblemNotice problem={problem} text={noCodeText(locale, problem)} />
        <CodeField
          id={FIELD}
          label={say("delete.code")}
          hint={say("step-up.code.hint")}
          error={errorOf(sending.mistakes.errors, FIELD)}
          first
          {...sending.field("code")}
        />
        <div class="actions">
          <button class="primary">{say(sending.busy ? "step-up.busy" : "step-up.confirm")}</button>
          <button type="button" onClick={mail}>
            {say(mailing.busy ? "delete.mailing" : "delete.mail-again")}
          </button>
          <button type="button" onClick={leave}>
            {say("cancel")}
          </button>
        </div>
      </Form>
    </Dialog>
  );
}

/**
 * Says why no code is mailed or checked; `undefined` for any other problem.
 * @param {import('../i18n/locale.jsx').Locale} locale
 * @param {import('../client/api.js').Problem | null} problem
 */
function noCodeText({ say, format }, problem) {
  if (problem?.code === "mail_off") return say("step-up.mail-off");
  // One code of the server for both: what was mailed within a day, and what was typed.
  if (problem?.code !== "too_many_codes" || !problem.until) return undefined;
  return say("step-up.too-many", { at: format.dateTime(problem.until), zone: format.zone });
}

/**
 * Says that an action needs a factor that the member does not have, and leads to its set-up.
 * @param {{passkey: boolean, settle: (met: boolean) => void}} props `passkey`: only a passkey counts
 */
export function MissingFactor({ passkey, settle }) {
  const { say } = useLocale();
  return (
    <Dialog title={say("step-up.missing.title")} describedBy="missing-body" onCancel={() => settle(false)}>
      <p id="missing-body">{say(passkey ? "step-up.missing.passkey" : "step-up.missing.factor")}</p>
      <div class="actions">
        <a class="button primary" href="#/profile/mfa" data-focus="" onClick={() => settle(false)}>
          {say("step-up.missing.setup")}
        </a>
        <button type="button" onClick={() => settle(false)}>
          {say("cancel")}
        </button>
      </div>
    </Dialog>
  );
}
