// Sets up an account with a set-up link, which works once. The terminal prints the first link;
// operators make the others. The form mails a code to the address, and the code opens the account.
import { useEffect, useState } from "preact/hooks";
import { send } from "../client/api.js";
import { forgetLinkToken, go, linkToken } from "../client/route.js";
import { challengeIn } from "../client/session.jsx";
import { Preferences } from "../frame/preferences.jsx";
import { CardPage, PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ErrorSummary, Field, Form, NewPasswordField, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { MailboxStep } from "../ui/mailbox.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { LanguageSelect, ZoneSelect } from "../ui/selects.jsx";

/** Names of the server's fields, in the order of the form. */
const FIELDS = ["account_name", "time_zone", "name", "email", "password", "language"];

/** No code was right yet. */
const NOT_PROVEN = { email: "", code: "", until: "" };

/** Codes that no input can correct. */
const FINAL = ["setup_refused", "setup_done"];

/** @param {{onDone: (session: import('../client/session.jsx').Session) => void}} props */
export function SetUp({ onDone }) {
  const { say, lang, setLang, format } = useLocale();
  const form = useForm({ account_name: "", time_zone: format.zone, name: "", email: "", password: "" });
  const { values, mistakes } = form;
  const [tokenGone] = useState(!linkToken("setup"));
  const [code, setCode] = useState(/** @type {import('../ui/mailbox.jsx').MailboxCode | null} */ (null));
  const [proven, setProven] = useState(NOT_PROVEN);
  useEffect(() => {
    if (tokenGone) return;
    // A link that was used says so before the form is filled in. Without an answer, submitting will.
    send("POST", "/v1/setup/check", { body: { token: linkToken("setup") } }).then(({ problem: found }) => {
      if (found && FINAL.includes(found.code)) form.setProblem(found);
    });
  }, []);
  const problem = tokenGone ? { code: "setup_token_gone" } : form.problem;

  /** @param {string} id */
  const field = (id) => ({ id, label: say(`setup.${id}`), error: errorOf(mistakes.errors, id) });
  const email = values.email.trim();
  const body = () => ({ token: linkToken("setup"), ...values, email, language: lang });
  /** @returns {Promise<import('../client/api.js').Answer<import('../ui/mailbox.jsx').MailboxCode>>} */
  const mail = () => send("POST", "/v1/setup/code", { body: body() });
  /**
   * @param {string} code
   * @returns {Promise<import('../client/api.js').Answer<import('../client/session.jsx').Session>>}
   */
  const create = (code) => send("POST", "/v1/setup", { body: { ...body(), code } });
  /** @param {import('../client/session.jsx').Session} session */
  const finish = (session) => {
    forgetLinkToken("setup");
    // The link was used a moment ago, and the owner has a second factor since.
    if (challengeIn(session)) setCode(null);
    if (challengeIn(session)) form.setProblem({ code: "setup_done" });
    else onDone(session);
  };
  // A code that was right proves the address for a while: a mistake in the form needs no new mail.
  const isProven = proven.email === email && Date.parse(proven.until) > Date.now();
  const submit = async () => {
    const missing = missingFields(values, FIELDS);
    if (isProven) {
      const answer = await form.submit(missing, () => create(proven.code));
      if (answer?.ok) return finish(answer.data);
      if (!["code_over", "code_wrong"].includes(answer?.problem.code ?? "")) return undefined;
      setProven(NOT_PROVEN);
    }
    const answer = await form.submit(missing, mail);
    return answer?.ok && setCode(answer.data);
  };
  /**
   * Shows a refusal that the form can correct there.
   * @param {import('../client/api.js').Problem} refused
   * @param {string} typed
   */
  const refuse = (refused, typed) => {
    const isOfForm = refused.errors?.some(({ pointer }) => pointer !== "#/code");
    if (!isOfForm && ![...FINAL, "address_taken", "mail_off"].includes(refused.code)) return false;
    if (code && !FINAL.includes(refused.code)) setProven({ email, code: typed, until: code.expires_at });
    setCode(null);
    if (isOfForm) form.show(refused.errors ?? []);
    else form.setProblem(refused);
    return true;
  };

  const over = problem && (FINAL.includes(problem.code) || problem.code === "setup_token_gone");
  return (
    <CardPage after={over && <Preferences />}>
      <PageTitle key={code ? "code" : "form"} title={say(code ? "setup.code.title" : "setup.title")} />
      {!code && (
        <ProblemNotice problem={problem} text={problem?.code === "mail_off" ? say("mailbox.mail-off") : undefined} />
      )}
      {over ? (
        <p>
          <button type="button" class="primary" onClick={() => go("#/keys")}>
            {say("setup.to-sign-in")}
          </button>
        </p>
      ) : code ? (
        <MailboxStep
          address={email}
          code={code}
          mail={mail}
          confirm={create}
          onDone={finish}
          onRefused={refuse}
          onBack={() => setCode(null)}
          submit={say("setup.submit")}
          busy={say("setup.busy")}
        />
      ) : (
        <Form onSubmit={submit} busy={form.busy}>
          <p>{say("setup.lead")}</p>
          <ErrorSummary {...mistakes} />
          <Field {...field("account_name")} hint={say("setup.account_name.hint")}>
            {(control) => <input {...control} {...form.field("account_name")} autocomplete="organization" />}
          </Field>
          <Field {...field("time_zone")} hint={say("setup.time_zone.hint")}>
            {(control) => (
              <ZoneSelect {...control} value={values.time_zone} onChange={(zone) => form.change({ time_zone: zone })} />
            )}
          </Field>
          <Field {...field("name")}>
            {(control) => <input {...control} {...form.field("name")} autocomplete="name" />}
          </Field>
          <Field {...field("email")}>
            {(control) => <input {...control} {...form.field("email")} type="email" autocomplete="username" />}
          </Field>
          <NewPasswordField {...field("password")} {...form.field("password")} />
          <Field {...field("language")} hint={say("setup.language.hint")}>
            {(control) => <LanguageSelect {...control} value={lang} onChange={setLang} />}
          </Field>
          <div class="actions">
            <button class="primary">{say(submitLabel(form.busy, isProven))}</button>
          </div>
        </Form>
      )}
    </CardPage>
  );
}

/**
 * Returns the label of the form's button: the first step mails, the last one creates.
 * @param {boolean} busy
 * @param {boolean} isLast
 */
function submitLabel(busy, isLast) {
  if (isLast) return busy ? "setup.busy" : "setup.submit";
  return busy ? "delete.mailing" : "setup.next";
}
