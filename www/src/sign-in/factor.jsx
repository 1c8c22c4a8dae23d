// Asks for a code of the authenticator app, or for a recovery code: to sign in, and to confirm one's
// identity.
import { useEffect, useState } from "preact/hooks";
import { send } from "../client/api.js";
import { useLocale } from "../i18n/locale.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { CodeField, Form, errorOf } from "../ui/fields.jsx";
import { useForm, useMistakeFocus } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";

/**
 * @typedef {import('../client/session.jsx').Session} Session
 * @typedef {import('../client/session.jsx').FactorChallenge} FactorChallenge
 * @typedef {import('../client/api.js').Problem} Problem
 */

/** Differs from the fields of a form below a dialog. */
const FIELD = "factor-code";

/** Attributes of the input for a recovery code. */
const RECOVERY_INPUT = /** @type {const} */ ({ class: "code-input long", inputMode: "text", autocomplete: "off" });

/**
 * Returns an answer whose field errors belong to one field.
 * @template Data
 * @param {import('../client/api.js').Answer<Data>} answer
 * @param {string} field
 * @returns {import('../client/api.js').Answer<Data>}
 */
export function atField(answer, field) {
  if (!answer.problem?.errors) return answer;
  const errors = answer.problem.errors.map((error) => ({ ...error, pointer: `#/${field}` }));
  return { ...answer, problem: { ...answer.problem, errors } };
}

/**
 * Says from when codes are accepted again; `undefined` for any other problem.
 * @param {import('../i18n/locale.jsx').Locale} locale
 * @param {Problem | null} problem
 */
export const tooManyText = ({ say, format }, problem) =>
  problem?.code === "too_many_codes" && problem.until
    ? say("problem.too_many_factor_tries", { at: format.dateTime(problem.until), zone: format.zone })
    : undefined;

/**
 * Asks for one code and sends it.
 * @param {object} props
 * @param {string} props.path of the route that takes it
 * @param {object} [props.body] further members of the request
 * @param {string} props.submit text of the button
 * @param {string} props.busy text of the button while the request is under way
 * @param {(session: Session) => void} props.onSession
 * @param {(problem: Problem) => void} [props.onProblem] called for a refusal other than of the code
 * @param {import('preact').ComponentChildren} [props.children] further buttons
 */
export function FactorForm({ path, body, submit, busy, onSession, onProblem, children }) {
  const locale = useLocale();
  const { say } = locale;
  const [recovers, setRecovers] = useState(false);
  const form = useForm({ code: "" });
  useMistakeFocus(form.mistakes);
  // The field comes in place of what had the focus: the password's form, or the other field.
  useEffect(() => document.getElementById(FIELD)?.focus(), [recovers]);

  const finish = async () => {
    const { code } = form.values;
    const missing = code.trim() ? [] : [{ pointer: `#/${FIELD}`, code: "required" }];
    const typed = recovers ? { recovery_code: code } : { code };
    /** @type {import('../client/api.js').Answer<Session> | null} */
    const answer = await form.submit(missing, async () =>
      atField(await send("POST", path, { body: { ...body, ...typed } }), FIELD),
    );
    if (!answer) return;
    if (answer.ok) {
      onSession(answer.data);
      return;
    }
    form.change({ code: "" });
    if (answer.problem.code !== "factor_refused") {
      onProblem?.(answer.problem);
      return;
    }
    form.setProblem(null);
    form.show([{ pointer: `#/${FIELD}`, code: "refused", count: answer.problem.tries_left ?? 0 }]);
  };
  const turn = () => {
    setRecovers(!recovers);
    form.change({ code: "" });
    form.show([]);
  };
  return (
    <Form onSubmit={finish} busy={form.busy}>
      <ProblemNotice problem={form.problem} text={tooManyText(locale, form.problem)} />
      <CodeField
        key={String(recovers)}
        id={FIELD}
        label={say(recovers ? "factor.recovery" : "factor.code")}
        hint={say(recovers ? "factor.recovery.hint" : "factor.code.hint")}
        error={errorOf(form.mistakes.errors, FIELD)}
        first
        {...form.field("code")}
        autocapitalize="none"
        {...(recovers ? RECOVERY_INPUT : {})}
      />
      <div class="actions">
        <button class="primary">{form.busy ? busy : submit}</button>
        {children}
      </div>
      <p class="aside-line">
        <button type="button" class="link" onClick={turn}>
          {say(recovers ? "factor.use-code" : "factor.use-recovery")}
        </button>
      </p>
    </Form>
  );
}

/**
 * Asks for the second factor of a sign-in.
 * @param {object} props
 * @param {FactorChallenge} props.challenge
 * @param {(session: Session) => void} props.onSession
 * @param {(problem: Problem | null) => void} props.onOver called if the challenge has ended, or to
 *   start again
 */
export function ChallengeForm({ challenge: { challenge }, onSession, onOver }) {
  const { say } = useLocale();
  return (
    <FactorForm
      path="/v1/session/factor"
      body={{ challenge }}
      submit={say("sign-in")}
      busy={say("signing-in")}
      onSession={onSession}
      onProblem={(problem) => problem.code === "challenge_over" && onOver(problem)}
    >
      <button type="button" onClick={() => onOver(null)}>
        {say("factor.start-again")}
      </button>
    </FactorForm>
  );
}

/**
 * Asks for the second factor of another account, in a dialog.
 * @param {object} props
 * @param {FactorChallenge} props.challenge
 * @param {(session: Session) => void} props.onSession
 * @param {(problem: Problem | null) => void} props.onOver
 */
export function ChallengeDialog({ challenge, onSession, onOver }) {
  const { say } = useLocale();
  return (
    <Dialog title={say("factor.title")} onCancel={() => onOver(null)}>
      <ChallengeForm challenge={challenge} onSession={onSession} onOver={onOver} />
    </Dialog>
  );
}
