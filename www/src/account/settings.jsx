// Shows what concerns the account itself: name, time zone, ID. Owners may change the first two.
import { useState } from "preact/hooks";
import { policyOf } from "../client/policy.js";
import { isOwner, useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { presentName } from "../i18n/zones.js";
import { useAnnounce } from "../ui/announcer.jsx";
import { Copyable } from "../ui/copy.jsx";
import { Detail } from "../ui/detail.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { ErrorSummary, Field, Form, FormActions, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { PolicyFacts } from "../ui/policy.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { ZoneSelect } from "../ui/selects.jsx";
import { changeAccount } from "./requests.js";

/** @typedef {import('../ui/result.jsx').Result} Result */

export function AccountSettings() {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { session, enter } = useSession();
  const [editing, setEditing] = useState(false);
  const [result, setResult] = useState(/** @type {Result | null} */ (null));
  const { account } = session;

  /** @param {import('../client/session.jsx').Session} document */
  const settle = async (document) => {
    const done = { act: "account_edited", keys: [{ name: document.account.name }], bound: null };
    await enter(document);
    setEditing(false);
    setResult(done);
    announce(resultText(locale, done));
  };
  return (
    <section class="apart" aria-labelledby="settings">
      <h2 id="settings">{say("settings.heading")}</h2>
      {result && <ResultNote result={result} />}
      <dl class="facts-list">
        <Detail term={say("setup.account_name")}>
          <bdi>{account.name}</bdi>
        </Detail>
        <Detail term={say("setup.time_zone")}>{presentName(account.time_zone).replaceAll("_", " ")}</Detail>
        <Detail term={say("operator.id")}>
          <Copyable text={account.id} label={say("copy.id")} />
        </Detail>
      </dl>
      <h3 id="policy">{say("policy.title")}</h3>
      <PolicyFacts policy={policyOf(session)} />
      {isOwner(session) && (
        <button
          type="button"
          onClick={() => {
            setResult(null);
            setEditing(true);
          }}
        >
          {say("settings.edit")}
        </button>
      )}
      {editing && <Edit account={account} onDone={settle} onCancel={() => setEditing(false)} />}
    </section>
  );
}

/**
 * @param {object} props
 * @param {import('../client/session.jsx').Session['account']} props.account
 * @param {(session: import('../client/session.jsx').Session) => void} props.onDone
 * @param {() => void} props.onCancel
 */
function Edit({ account, onDone, onCancel }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({ account_name: account.name, time_zone: presentName(account.time_zone) });
  const { values, mistakes } = form;
  const leave = () => form.leave(onCancel);

  const submit = async () => {
    if (!form.dirty) return onCancel();
    // Only what was changed is sent: others may have changed the rest meanwhile.
    const body = {
      name: values.account_name === account.name ? undefined : values.account_name,
      time_zone: values.time_zone === presentName(account.time_zone) ? undefined : values.time_zone,
    };
    const answer = await form.submit(missingFields(values, ["account_name"]), async () =>
      named(await changeAccount(request, body)),
    );
    return answer?.ok && onDone(answer.data);
  };
  return (
    <Dialog title={say("settings.title")} onCancel={leave} dirty={form.dirty}>
      <Form onSubmit={submit} busy={form.busy}>
        <ErrorSummary {...mistakes} />
        <ProblemNotice problem={form.problem} as={form.problem?.code === "not_permitted" ? "owners_only" : undefined} />
        <Field
          id="account_name"
          label={say("setup.account_name")}
          hint={say("settings.name.hint")}
          error={errorOf(mistakes.errors, "account_name")}
        >
          {(control) => <input {...control} {...form.field("account_name")} autocomplete="organization" />}
        </Field>
        <Field
          id="time_zone"
          label={say("setup.time_zone")}
          hint={say("settings.zone.hint")}
          error={errorOf(mistakes.errors, "time_zone")}
        >
          {(control) => (
            <ZoneSelect {...control} value={values.time_zone} onChange={(time_zone) => form.change({ time_zone })} />
          )}
        </Field>
        <FormActions submit={say(form.busy ? "edit.busy" : "edit.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}

/**
 * Returns the answer with the server's name of the field, `name`, as the form's.
 * @template Data
 * @param {import('../client/api.js').Answer<Data>} answer
 * @returns {import('../client/api.js').Answer<Data>}
 */
function named(answer) {
  const errors = answer.problem?.errors?.map((error) =>
    error.pointer === "#/name" ? { ...error, pointer: "#/account_name" } : error,
  );
  return answer.ok || !errors ? answer : { ...answer, problem: { ...answer.problem, errors } };
}
