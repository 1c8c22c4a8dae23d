// Sets up an account with a set-up link, which works once. The terminal prints the first link;
// operators make the others.
import { useEffect, useState } from "preact/hooks";
import { send } from "../client/api.js";
import { forgetLinkToken, go, linkToken } from "../client/route.js";
import { challengeIn } from "../client/session.jsx";
import { Preferences } from "../frame/preferences.jsx";
import { CardPage, PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ErrorSummary, Field, Form, NewPasswordField, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { LanguageSelect, ZoneSelect } from "../ui/selects.jsx";

/** Names of the server's fields, in the order of the form. */
const FIELDS = ["account_name", "time_zone", "name", "email", "password", "language"];

/** Codes that no input can correct. */
const FINAL = ["setup_refused", "setup_done"];

/** @param {{onDone: (session: import('../client/session.jsx').Session) => void}} props */
export function SetUp({ onDone }) {
  const { say, lang, setLang, format } = useLocale();
  const form = useForm({ account_name: "", time_zone: format.zone, name: "", email: "", password: "" });
  const { values, mistakes } = form;
  const [tokenGone] = useState(!linkToken("setup"));
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
  const submit = async () => {
    const body = { token: linkToken("setup"), ...values, language: lang };
    /** @type {import('../client/api.js').Answer<import('../client/session.jsx').Session> | null} */
    const answer = await form.submit(missingFields(values, FIELDS), () => send("POST", "/v1/setup", { body }));
    if (!answer?.ok) return;
    forgetLinkToken("setup");
    // The link was used a moment ago, and the owner has a second factor since.
    if (challengeIn(answer.data)) form.setProblem({ code: "setup_done" });
    else onDone(answer.data);
  };

  const over = problem && (FINAL.includes(problem.code) || problem.code === "setup_token_gone");
  return (
    <CardPage after={over && <Preferences />}>
      <PageTitle title={say("setup.title")} />
      <ProblemNotice problem={problem} />
      {over ? (
        <p>
          <button type="button" class="primary" onClick={() => go("#/keys")}>
            {say("setup.to-sign-in")}
          </button>
        </p>
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
            <button class="primary">{say(form.busy ? "setup.busy" : "setup.submit")}</button>
          </div>
        </Form>
      )}
    </CardPage>
  );
}
