// Asks for a second factor: a code of the authenticator app, a recovery code, or a passkey; to sign
// in, and to confirm one's identity.
import { useEffect, useState } from "preact/hooks";
import { send } from "../client/api.js";
import { knowsPasskeys, takePasskey } from "../client/passkey.js";
import { useLocale } from "../i18n/locale.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { CodeField, Form, errorOf } from "../ui/fields.jsx";
import { useForm, useMistakeFocus } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";

/**
 * @typedef {import('../client/session.jsx').Session} Session
 * @typedef {import('../client/session.jsx').FactorChallenge} FactorChallenge
 * @typedef {import('../client/api.js').Problem} Problem
 * @typedef {import('../client/passkey.js').PasskeyOptions} PasskeyOptions
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

/** @typedef {'code' | 'recovery' | 'passkey'} Way */

/** Texts of the links that lead to a way. @type {Record<Way, string>} */
const LINKS = { code: "factor.use-code", recovery: "factor.use-recovery", passkey: "factor.use-passkey" };

/**
 * Returns the ways that a member has, the first one first.
 * @param {string[]} methods
 * @returns {Way[]}
 */
function waysOf(methods) {
  /** @type {[string, Way][]} */
  const all = [
    ["totp", "code"],
    ["passkey", "passkey"],
    ["recovery_code", "recovery"],
  ];
  const ways = all.filter(([method]) => methods.includes(method)).map(([, way]) => way);
  return knowsPasskeys() || ways.length < 2 ? ways : ways.filter((way) => way !== "passkey");
}

/**
 * Asks for one second factor and sends it.
 * @param {object} props
 * @param {string} props.path of the route that takes it
 * @param {object} [props.body] further members of the request
 * @param {string[]} props.methods methods of the member
 * @param {() => Promise<import('../client/api.js').Answer<PasskeyOptions>>} props.askPasskey returns
 *   the options of a prompt
 * @param {string} props.submit text of the button
 * @param {string} props.busy text of the button while the request is under way
 * @param {(session: Session) => void} props.onSession
 * @param {(problem: Problem) => void} [props.onProblem] called for a refusal other than of the code
 * @param {import('preact').ComponentChildren} [props.children] further buttons
 */
export function FactorForm({ path, body, methods, askPasskey, submit, busy, onSession, onProblem, children }) {
  const locale = useLocale();
  const { say } = locale;
  const ways = waysOf(methods);
  const [way, setWay] = useState(ways[0] ?? "code");
  const form = useForm({ code: "" });
  useMistakeFocus(form.mistakes);
  // The field comes in place of what had the focus: the password's form, or the other field.
  useEffect(() => document.getElementById(FIELD)?.focus(), [way]);

  const code = async () => {
    const typed = form.values.code;
    const missing = typed.trim() ? [] : [{ pointer: `#/${FIELD}`, code: "required" }];
    const factor = way === "recovery" ? { recovery_code: typed } : { code: typed };
    /** @type {import('../client/api.js').Answer<Session> | null} */
    const answer = await form.submit(missing, async () =>
      atField(await send("POST", path, { body: { ...body, ...factor } }), FIELD),
    );
    if (!answer) return;
    if (answer.ok) return onSession(answer.data);
    form.change({ code: "" });
    if (answer.problem.code !== "factor_refused") return onProblem?.(answer.problem);
    form.setProblem(null);
    form.show([{ pointer: `#/${FIELD}`, code: "refused", count: answer.problem.tries_left ?? 0 }]);
  };
  const passkey = async () => {
    const answer = await form.submit([], async () => {
      const options = await askPasskey();
      if (!options.ok) return options;
      const used = await takePasskey(options.data);
      if (!used.ok) return used;
      /** @type {import('../client/api.js').Answer<Session>} */
      const sent = await send("POST", path, { body: { ...body, passkey: used.data } });
      return sent;
    });
    if (answer?.ok) onSession(answer.data);
    else if (answer && answer.problem.code !== "factor_refused") onProblem?.(answer.problem);
  };
  /** @param {Way} next */
  const turn = (next) => {
    setWay(next);
    form.change({ code: "" });
    form.setProblem(null);
    form.show([]);
  };
  const { problem } = form;
  const isPasskey = way === "passkey";
  const refused = isPasskey && problem?.code === "factor_refused" ? "passkey_wrong" : undefined;
  return (
    <Form onSubmit={isPasskey ? passkey : code} busy={form.busy}>
      <ProblemNotice problem={problem} as={refused} text={tooManyText(locale, problem)} />
      {isPasskey ? (
        <p>{say("factor.passkey.lead")}</p>
      ) : (
        <CodeField
          key={way}
          id={FIELD}
          label={say(way === "recovery" ? "factor.recovery" : "factor.code")}
          hint={say(way === "recovery" ? "factor.recovery.hint" : "factor.code.hint")}
          error={errorOf(form.mistakes.errors, FIELD)}
          first
          {...form.field("code")}
          autocapitalize="none"
          {...(way === "recovery" ? RECOVERY_INPUT : {})}
        />
      )}
      <div class="actions">
        <button class="primary" id={isPasskey ? FIELD : undefined}>
          {isPasskey ? say(form.busy ? "passkey.waiting" : "factor.passkey") : form.busy ? busy : submit}
        </button>
        {children}
      </div>
      {ways
        .filter((other) => other !== way)
        .map((other) => (
          <p class="aside-line" key={other}>
            <button type="button" class="link" onClick={() => turn(other)}>
              {say(LINKS[other])}
            </button>
          </p>
        ))}
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
export function ChallengeForm({ challenge: { challenge, methods, passkey }, onSession, onOver }) {
  const { say } = useLocale();
  return (
    <FactorForm
      path="/v1/session/factor"
      body={{ challenge }}
      methods={methods}
      askPasskey={async () =>
        passkey ? { ok: true, data: passkey } : { ok: false, problem: { code: "passkey_unavailable" } }
      }
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
