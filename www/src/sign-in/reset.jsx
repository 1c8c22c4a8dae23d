// Resets a forgotten password: mails a code to an address, then takes the code and a new password.
import { useState } from "preact/hooks";
import { send } from "../client/api.js";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { CodeField, ErrorSummary, Field, Form, NewPasswordField, PasswordOwner, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";

/** Time for which a code works, and the tries that it allows; the server has the same. */
const CODE_MS = 10 * 60_000;
const TRIES = 5;

/** @param {string} email */
const mailCode = (email) => send("POST", "/v1/password/reset", { body: { email } });

/**
 * Draws step 1. The answer is the same for an address that belongs to nobody.
 * @param {object} props
 * @param {string} props.email as typed before, for instance to sign in
 * @param {(email: string) => void} props.onMailed
 */
export function AddressStep({ email, onMailed }) {
  const { say } = useLocale();
  const form = useForm({ email });
  const submit = async () => {
    const address = form.values.email.trim();
    const answer = await form.submit(missingFields(form.values, ["email"]), () => mailCode(address));
    if (answer?.ok) onMailed(address);
  };
  return (
    <Form onSubmit={submit} busy={form.busy}>
      <p>{say("reset.lead")}</p>
      <ErrorSummary {...form.mistakes} />
      <ProblemNotice
        problem={form.problem}
        text={form.problem?.code === "mail_off" ? say("reset.mail-off") : undefined}
      />
      <Field id="email" label={say("email")} error={errorOf(form.mistakes.errors, "email")}>
        {(control) => <input {...control} {...form.field("email")} type="email" autocomplete="username" />}
      </Field>
      <div class="actions">
        <button class="primary">{say(form.busy ? "delete.mailing" : "reset.send")}</button>
      </div>
    </Form>
  );
}

/**
 * Draws step 2.
 * @param {object} props
 * @param {string} props.email
 * @param {() => void} props.onDone
 * @param {() => void} props.onBack called to type another address
 */
export function CodeStep({ email, onDone, onBack }) {
  const { say, format } = useLocale();
  const announce = useAnnounce();
  const form = useForm({ code: "", password: "" });
  const mailing = useForm({});
  const [mailed, setMailed] = useState({ at: Date.now(), again: false });
  const { values, mistakes } = form;
  const slots = { address: email, until: format.clock(mailed.at + CODE_MS), zone: format.zone, count: TRIES };

  const submit = async () => {
    const body = { email, code: values.code.trim(), password: values.password };
    const answer = await form.submit(missingFields(values, ["code", "password"]), () =>
      send("POST", "/v1/password/reset/confirm", { body }),
    );
    if (answer?.ok) return onDone();
    // The server says no more: an address without a member has the same answer.
    if (answer?.problem.code !== "reset_refused") return undefined;
    form.setProblem(null);
    return form.show([{ pointer: "#/code", code: "refused" }]);
  };
  const mailAgain = async () => {
    const answer = await mailing.submit([], () => mailCode(email));
    if (!answer?.ok) return;
    form.setProblem(null);
    form.show([]);
    form.change({ code: "" });
    setMailed({ at: Date.now(), again: true });
    announce(say("reset.mailed-again", { ...slots, until: format.clock(Date.now() + CODE_MS) }));
    document.getElementById("code")?.focus();
  };
  return (
    <Form onSubmit={submit} busy={form.busy || mailing.busy}>
      <p>
        {say(mailed.again ? "reset.mailed-again" : "reset.mailed", { ...slots, address: <strong>{email}</strong> })}
      </p>
      <ErrorSummary {...mistakes} />
      <ProblemNotice problem={form.problem ?? mailing.problem} />
      <PasswordOwner email={email} />
      <CodeField
        id="code"
        label={say("reset.code")}
        hint={say("reset.code.hint")}
        error={errorOf(mistakes.errors, "code")}
        {...form.field("code")}
      />
      <NewPasswordField
        id="password"
        label={say("password.new")}
        error={errorOf(mistakes.errors, "password")}
        {...form.field("password")}
      />
      <div class="actions">
        <button class="primary">{say(form.busy ? "password.change.busy" : "reset.submit")}</button>
        <button type="button" onClick={mailAgain}>
          {say(mailing.busy ? "delete.mailing" : "delete.mail-again")}
        </button>
      </div>
      <p class="aside-line">
        <button type="button" class="link" onClick={onBack}>
          {say("reset.other-address")}
        </button>
      </p>
    </Form>
  );
}
