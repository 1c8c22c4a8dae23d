// Changes the password.
import { useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { Dialog } from "../ui/dialog.jsx";
import {
  ErrorSummary,
  Form,
  FormActions,
  NewPasswordField,
  PasswordField,
  PasswordOwner,
  errorOf,
} from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { changePassword } from "./requests.js";

/** @typedef {import('../client/session.jsx').Session} Session */

const RESULT = { act: "password_changed", bound: null };

/** Fields that a refusal empties. */
const EMPTY = { password: "", new_password: "" };

export function PasswordSection() {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { enter } = useSession();
  const [changing, setChanging] = useState(false);
  const [changed, setChanged] = useState(false);

  /** @param {Session} document */
  const settle = async (document) => {
    await enter(document);
    setChanging(false);
    setChanged(true);
    announce(resultText(locale, RESULT));
  };
  return (
    <section class="apart" aria-labelledby="password-heading">
      <h2 id="password-heading">{say("password")}</h2>
      {changed && <ResultNote result={RESULT} />}
      <p>{say("password.lead")}</p>
      <button
        type="button"
        onClick={() => {
          setChanged(false);
          setChanging(true);
        }}
      >
        {say("password.change")}
      </button>
      {changing && <Change onDone={settle} onCancel={() => setChanging(false)} />}
    </section>
  );
}

/** @param {{onDone: (session: Session) => void, onCancel: () => void}} props */
function Change({ onDone, onCancel }) {
  const { say } = useLocale();
  const { request, session } = useSession();
  const form = useForm(EMPTY);
  const { values, mistakes } = form;
  const leave = () => form.leave(onCancel);

  const submit = async () => {
    const answer = await form.submit(missingFields(values, ["password", "new_password"]), () =>
      changePassword(request, values),
    );
    if (answer?.ok) return onDone(answer.data);
    if (answer?.problem.code !== "step_up_refused") return undefined;
    form.change({ password: "" });
    form.setProblem(null);
    return form.show([{ pointer: "#/password", code: "refused" }]);
  };
  return (
    <Dialog title={say("password.change.title")} onCancel={leave}>
      <Form onSubmit={submit} busy={form.busy}>
        <ErrorSummary {...mistakes} />
        <ProblemNotice problem={form.problem} />
        <p>{say("password.change.body")}</p>
        <PasswordOwner email={session.member.email} />
        <PasswordField
          id="password"
          label={say("password.current")}
          hint={<a href="#/reset">{say("reset.link")}</a>}
          error={errorOf(mistakes.errors, "password")}
          autocomplete="current-password"
          {...form.field("password")}
          first
        />
        <NewPasswordField
          id="new_password"
          label={say("password.new")}
          error={errorOf(mistakes.errors, "new_password")}
          {...form.field("new_password")}
        />
        <FormActions submit={say(form.busy ? "password.change.busy" : "password.change")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}
