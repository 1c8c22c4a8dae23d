// Joins an account with the link of an invitation. Its token proves the address; a password proves
// that the person who knows it is the same.
import { useEffect, useState } from "preact/hooks";
import { send } from "../client/api.js";
import { forgetLinkToken, go, linkToken } from "../client/route.js";
import { challengeIn } from "../client/session.jsx";
import { Preferences } from "../frame/preferences.jsx";
import { CardPage, PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Detail } from "../ui/detail.jsx";
import { ErrorSummary, Field, Form, NewPasswordField, PasswordField, PasswordOwner, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { Loading } from "../ui/loading.jsx";
import { ProblemNotice, RetryNotice } from "../ui/problem.jsx";
import { LanguageSelect } from "../ui/selects.jsx";

/**
 * @typedef {import('../client/session.jsx').Session} Session
 * @typedef {import('../client/api.js').Problem} Problem
 *
 * @typedef {object} Invitation
 * @property {{name: string}} account
 * @property {import('../client/session.jsx').Role} role
 * @property {string} email
 * @property {string} invited_by
 * @property {string} expires_at
 * @property {boolean} has_password `true` if the person signs in to another account already
 */

/** Codes that no input can correct. */
const FINAL = ["invitation_refused", "invitation_over", "invitation_token_gone"];

/**
 * @param {object} props
 * @param {Session | null} props.session of the person who is signed in
 * @param {(session: Session) => void} props.onDone
 * @param {() => void} props.onLeave called once that person is signed out
 */
export function Join({ session, onDone, onLeave }) {
  const { say } = useLocale();
  const [invitation, setInvitation] = useState(/** @type {Invitation | null} */ (null));
  const [problem, setProblem] = useState(
    /** @type {Problem | null} */ (linkToken("join") ? null : { code: "invitation_token_gone" }),
  );
  const check = async () => {
    setProblem(null);
    /** @type {import('../client/api.js').Answer<Invitation>} */
    const answer = await send("POST", "/v1/invitations/check", { body: { token: linkToken("join") } });
    if (answer.ok) setInvitation(answer.data);
    else setProblem(answer.problem);
  };
  useEffect(() => {
    if (linkToken("join")) check();
  }, []);

  if (problem && FINAL.includes(problem.code)) return <Over problem={problem} session={session} />;
  if (!invitation)
    return (
      <CardPage after={<Preferences />}>
        <PageTitle title={say("join.title")} />
        {!problem && <Loading message="loading.invitation" />}
        <RetryNotice problem={problem} onRetry={check} />
      </CardPage>
    );
  const isOther = session !== null && session.member.email.toLowerCase() !== invitation.email.toLowerCase();
  return (
    <CardPage after={<Preferences />}>
      <PageTitle title={say("join.title.account", { account: invitation.account.name })} />
      <Facts invitation={invitation} />
      {session && isOther ? (
        <OtherPerson session={session} invitation={invitation} onLeave={onLeave} />
      ) : (
        <JoinForm invitation={invitation} name={session?.member.name} onDone={onDone} onOver={setProblem} />
      )}
    </CardPage>
  );
}

/** Says why the link does not work. @param {{problem: Problem, session: Session | null}} props */
function Over({ problem, session }) {
  const { say } = useLocale();
  return (
    <CardPage after={<Preferences />}>
      <PageTitle title={say("join.title")} />
      <ProblemNotice problem={problem} />
      <div class="actions">
        <button type="button" class="primary" onClick={() => go("#/keys")}>
          {say(session ? "back.keys" : "setup.to-sign-in")}
        </button>
      </div>
    </CardPage>
  );
}

/** @param {{invitation: Invitation}} props */
function Facts({ invitation: { role, email, invited_by, expires_at } }) {
  const { say, format } = useLocale();
  return (
    <dl class="facts-list">
      <Detail term={say("members.role")}>
        {say(`role.${role}`)}
        <span class="by">{say(`role.${role}.may`)}</span>
      </Detail>
      <Detail term={say("join.by")}>
        <bdi>{invited_by}</bdi>
      </Detail>
      <Detail term={say("email")}>{email}</Detail>
      <Detail term={say("join.until")}>
        {format.dateTime(expires_at)} ({format.zone})
      </Detail>
    </dl>
  );
}

/**
 * Says that somebody else is signed in, and offers to sign them out.
 * @param {{session: Session, invitation: Invitation, onLeave: () => void}} props
 */
function OtherPerson({ session: { member }, invitation, onLeave }) {
  const { say } = useLocale();
  const form = useForm({});
  const signOut = async () => {
    const answer = await form.submit([], () => send("DELETE", "/v1/session"));
    if (answer && (answer.ok || answer.problem.code === "not_signed_in")) onLeave();
  };
  return (
    <>
      <p class="notice">
        <span>{say("join.other", { name: member.name, email: member.email, invited: invitation.email })}</span>
      </p>
      <ProblemNotice problem={form.problem} />
      <div class="actions">
        <button type="button" class="primary" onClick={signOut}>
          {say(form.busy ? "signing-out" : "join.other.leave")}
        </button>
        <button type="button" onClick={() => go("#/keys")}>
          {say("join.other.stay")}
        </button>
      </div>
    </>
  );
}

/**
 * @param {object} props
 * @param {Invitation} props.invitation
 * @param {string} [props.name] of a person who is signed in to another account
 * @param {(session: Session) => void} props.onDone
 * @param {(problem: Problem) => void} props.onOver called if the link has ended meanwhile
 */
function JoinForm({ invitation: { email, has_password }, name = "", onDone, onOver }) {
  const { say, lang, setLang } = useLocale();
  const form = useForm({ name, password: "" });
  const { values, mistakes } = form;

  const submit = async () => {
    const body = { token: linkToken("join"), ...values, language: lang };
    /** @type {import('../client/api.js').Answer<Session | import('../client/session.jsx').FactorChallenge> | null} */
    const answer = await form.submit(missingFields(values, ["name", "password"]), () =>
      send("POST", "/v1/invitations/accept", { body }),
    );
    if (answer?.ok) {
      forgetLinkToken("join");
      // The link was used a moment ago, and the member has a second factor since.
      if (challengeIn(answer.data)) onOver({ code: "invitation_over" });
      else onDone(/** @type {Session} */ (answer.data));
    } else if (answer && FINAL.includes(answer.problem.code)) onOver(answer.problem);
    else if (answer?.problem.code === "sign_in_refused") {
      form.change({ password: "" });
      form.setProblem(null);
      form.show([{ pointer: "#/password", code: "refused" }]);
    }
  };
  const password = { id: "password", label: say("password"), error: errorOf(mistakes.errors, "password") };
  return (
    <Form onSubmit={submit} busy={form.busy}>
      <p>{say(has_password ? "join.known" : "join.new")}</p>
      <ErrorSummary {...mistakes} />
      <ProblemNotice problem={form.problem} as={form.problem?.code === "address_taken" ? "join_taken" : undefined} />
      <PasswordOwner email={email} />
      <Field
        id="name"
        label={say("setup.name")}
        hint={say("profile.name.hint")}
        error={errorOf(mistakes.errors, "name")}
      >
        {(control) => <input {...control} {...form.field("name")} autocomplete="name" />}
      </Field>
      {has_password ? (
        <PasswordField
          {...password}
          {...form.field("password")}
          hint={<a href="#/reset">{say("reset.link")}</a>}
          autocomplete="current-password"
        />
      ) : (
        <NewPasswordField {...password} {...form.field("password")} />
      )}
      <Field id="language" label={say("language")} hint={say("profile.language.hint")}>
        {(control) => <LanguageSelect {...control} value={lang} onChange={setLang} />}
      </Field>
      <div class="actions">
        <button class="primary">{say(form.busy ? "join.busy" : "join.submit")}</button>
      </div>
    </Form>
  );
}
