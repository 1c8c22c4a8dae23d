// Sets up an account with a set-up link, which works once. The terminal prints the first link;
// operators make the others.
import { useEffect, useState } from "preact/hooks";
import { send } from "../client/api.js";
import { currentSetupToken, forgetSetupToken, go } from "../client/route.js";
import { Preferences } from "../frame/preferences.jsx";
import { CardPage, PageTitle } from "../frame/shell.jsx";
import { LANGUAGES, useLocale } from "../i18n/locale.jsx";
import { ZONES } from "../i18n/zones.js";
import { ErrorSummary, Field, Form, PasswordField, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";

const PASSWORD_CHARACTERS = { min: 12, max: 256 };

/** Names of the server's fields, in the order of the form. */
const FIELDS = ["account_name", "time_zone", "name", "email", "password", "language"];

const REGIONS = Map.groupBy(ZONES, (zone) => (zone.includes("/") ? zone.split("/")[0] : "UTC"));

/** Codes that no input can correct. */
const FINAL = ["setup_refused", "setup_done"];

/** @param {{onDone: (session: import('../client/session.jsx').Session) => void}} props */
export function SetUp({ onDone }) {
  const { say, lang, setLang, format } = useLocale();
  const form = useForm({ account_name: "", time_zone: format.zone, name: "", email: "", password: "" });
  const { values, mistakes } = form;
  const [tokenGone] = useState(!currentSetupToken());
  useEffect(() => {
    if (tokenGone) return;
    // A link that was used says so before the form is filled in. Without an answer, submitting will.
    send("POST", "/v1/setup/check", { body: { token: currentSetupToken() } }).then(({ problem: found }) => {
      if (found && FINAL.includes(found.code)) form.setProblem(found);
    });
  }, []);
  const problem = tokenGone ? { code: "setup_token_gone" } : form.problem;

  /** @param {string} id */
  const field = (id) => ({ id, label: say(`setup.${id}`), error: errorOf(mistakes.errors, id) });
  const submit = async () => {
    const body = { token: currentSetupToken(), ...values, language: lang };
    /** @type {import('../client/api.js').Answer<import('../client/session.jsx').Session> | null} */
    const answer = await form.submit(missingFields(values, FIELDS), () => send("POST", "/v1/setup", { body }));
    if (!answer?.ok) return;
    forgetSetupToken();
    onDone(answer.data);
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
          <PasswordField
            {...field("password")}
            {...form.field("password")}
            hint={say("setup.password.hint", PASSWORD_CHARACTERS)}
            autocomplete="new-password"
          />
          <Field {...field("language")} hint={say("setup.language.hint")}>
            {(control) => (
              <select
                {...control}
                value={lang}
                onChange={(event) =>
                  setLang(/** @type {import('../i18n/locale.jsx').Language} */ (event.currentTarget.value))
                }
              >
                {Object.entries(LANGUAGES).map(([code, name]) => (
                  <option key={code} value={code} lang={code}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <div class="actions">
            <button class="primary">{say(form.busy ? "setup.busy" : "setup.submit")}</button>
          </div>
        </Form>
      )}
    </CardPage>
  );
}

/**
 * Draws the time zones by region. The browser's own zone may be one that the list lacks.
 * Further attributes go to the control.
 * @param {import('../ui/fields.jsx').ControlAttributes & {value: string, onChange: (zone: string)
 *   => void}} props
 */
function ZoneSelect({ value, onChange, ...control }) {
  return (
    <select {...control} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {!ZONES.includes(value) && <option>{value}</option>}
      {[...REGIONS].map(([region, zones]) => (
        <optgroup key={region} label={region}>
          {zones.map((zone) => (
            <option key={zone} value={zone}>
              {zone.replaceAll("_", " ")}
            </option>
          ))}
        </optgroup>
      ))}
    </select>
  );
}
