// Adds and edits API users in one dialog. It then shows a generated API key, and the settings of
// mail programs.
import { useCallback, useRef, useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { LockOutWarning } from "../key/actions/lockout.jsx";
import { checkFields, checkNetworks } from "../key/model.js";
import { worksFrom } from "../key/works.js";
import { Dialog } from "../ui/dialog.jsx";
import { ErrorSummary, Form, FormActions } from "../ui/fields.jsx";
import { useForm } from "../ui/form.js";
import { AddProblem, UserConflict, UserProblem } from "./conflict.jsx";
import { UserFields } from "./fields.jsx";
import { errorsWithoutPolicy } from "./policy.js";
import { conflictOf, createUser, editUser } from "./requests.js";
import { Saved, hasNews } from "./saved.jsx";
import { NO_KEY, changesOf, missingIn, newFieldsOf, newValues, valuesOf } from "./values.js";

/**
 * @typedef {import('./requests.js').ApiUser} ApiUser
 * @typedef {import('./requests.js').UserResult} UserResult
 * @typedef {import('./values.js').UserValues} UserValues
 * @typedef {import('../client/api.js').FieldError} FieldError
 * @typedef {import('./requests.js').SavedUser} SavedUser
 * @typedef {import('./requests.js').Changed} Changed
 */

/**
 * @param {object} props
 * @param {ApiUser | null} props.subject `null` to add a user
 * @param {(result: UserResult) => void} props.onSaved called with the server's response
 * @param {(user: ApiUser) => void} [props.onChanged] called if somebody changed the user meanwhile
 * @param {() => void} props.onStale called if the result is unknown
 * @param {() => void} props.onDone called once the dialog is over
 */
export function UserDialog({ subject, onSaved, onChanged, onStale, onDone }) {
  // The only place that holds a generated key; it goes with the dialog.
  const [saved, setSaved] = useState(/** @type {SavedUser | null} */ (null));
  const done = useRef(onDone);
  done.current = onDone;
  const close = useCallback(() => done.current(), []);
  /** @param {SavedUser} news */
  const settle = (news) => {
    onSaved(news.result);
    if (hasNews(news)) setSaved(news);
    else onDone();
  };
  if (saved) return <Saved saved={saved} onDone={close} />;
  const props = { onSaved: settle, onStale, onCancel: onDone };
  return subject ? <Edit subject={subject} onChanged={onChanged} {...props} /> : <Add {...props} />;
}

/**
 * Empties the API key, as a refusal does with passwords.
 * @param {ReturnType<typeof useForm<UserValues>>} form
 */
function useEmptied(form) {
  const [emptied, setEmptied] = useState(false);
  const empty = () => {
    if (form.values.api_key || form.values.api_key_confirmation) setEmptied(true);
    form.change(NO_KEY);
  };
  return { emptied, empty };
}

/**
 * Returns the answer with the server's name of the field, `name`, as the form's.
 * @template Data
 * @param {import('../client/api.js').Answer<Data>} answer
 * @returns {import('../client/api.js').Answer<Data>}
 */
function named(answer) {
  const errors = answer.problem?.errors?.map((error) =>
    error.pointer === "#/name" ? { ...error, pointer: "#/user_name" } : error,
  );
  return answer.ok || !errors ? answer : { ...answer, problem: { ...answer.problem, errors } };
}

/**
 * Asks which of the times and networks the server would refuse.
 * @param {import('./requests.js').Request} request
 * @param {Record<string, unknown>} fields
 * @returns {Promise<FieldError[]>}
 */
const checkLimits = async (request, { expires, not_before, networks }) =>
  errorsWithoutPolicy(await checkFields(request, { expires, not_before, networks }));

/**
 * @param {object} props
 * @param {(saved: SavedUser) => void} props.onSaved
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function Add({ onSaved, onStale, onCancel }) {
  const locale = useLocale();
  const { say, format } = locale;
  const { request, session } = useSession();
  const form = useForm(() => newValues(session.account.time_zone));
  const { values } = form;
  const { emptied, empty } = useEmptied(form);
  // One dialog adds one user, even if a response is lost and the member submits again.
  const idempotencyKey = useRef(crypto.randomUUID());

  const submit = async () => {
    const fields = newFieldsOf(values, format.zone);
    const missing = missingIn(values, format.zone);
    const answer = await form.submit(
      missing,
      async () => named(await createUser(request, fields, idempotencyKey.current)),
      () => checkLimits(request, fields),
    );
    if ((!answer && missing.length) || answer?.problem?.errors?.length) empty();
    if (!answer?.ok) return;
    const { user, api_key } = answer.data;
    const { interfaces } = user;
    // By SMTP it works once the mail server asks, which the next dialog says.
    const works = interfaces.includes("http") ? worksFrom(locale, user) : undefined;
    const nowhere = interfaces.length ? undefined : say("api-user.works.nowhere");
    onSaved({
      result: { act: "user_added", keys: [user], bound: null, works: works ?? nowhere },
      drawn: api_key,
      mail: interfaces.includes("smtp"),
    });
  };
  const leave = () => form.leave(onCancel, onStale);

  // What was typed is a user already, so nothing is lost.
  const dirty = form.dirty && form.problem?.code !== "already_created";
  return (
    <Dialog title={say("api-user.add.title")} onCancel={leave} dirty={dirty} class="form">
      <Form onSubmit={submit} busy={form.busy}>
        <div class="body">
          <ErrorSummary {...form.mistakes} />
          <AddProblem problem={form.problem} name={values.user_name.trim()} generates={values.generates} />
          <UserFields
            values={values}
            change={form.change}
            errors={form.mistakes.errors}
            emptied={emptied}
            held={null}
          />
        </div>
        <FormActions submit={say(form.busy ? "api-user.add.busy" : "api-user.add.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}

/**
 * @param {object} props
 * @param {ApiUser} props.subject
 * @param {(saved: SavedUser) => void} props.onSaved
 * @param {(user: ApiUser) => void} [props.onChanged]
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function Edit({ subject, onSaved, onChanged, onStale, onCancel }) {
  const { say, format } = useLocale();
  const { request } = useSession();
  // The version that the member started from; adopting a conflict moves it to the server's version.
  const [base, setBase] = useState(subject);
  const form = useForm(() => valuesOf(subject, format.zone));
  const { values, problem } = form;
  const { emptied, empty } = useEmptied(form);
  const [lockedOut, setLockedOut] = useState(/** @type {import('../key/model.js').Caller[]} */ ([]));
  const conflict = conflictOf(problem);

  // Names the callers that the new networks would lock out before it saves anything.
  const submit = async ({ warned = false } = {}) => {
    const changes = changesOf(valuesOf(base, format.zone), values, format.zone);
    const missing = missingIn(values, format.zone);
    if (!missing.length && !Object.keys(changes).length) {
      onCancel();
      return;
    }
    /** @type {import('../key/model.js').Caller[]} */
    let callers = [];
    /** @returns {Promise<import('../client/api.js').Answer<Changed | null>>} */
    const send = async () => {
      if (!warned && "networks" in changes) {
        // A form that would be refused anyway asks nothing about callers.
        const errors = await checkLimits(request, changes);
        if (errors.length) return { ok: false, problem: { code: "invalid", errors } };
        const checked = await checkNetworks(request, base, values.networks);
        if (!checked.ok) return checked;
        callers = checked.data.locked_out ?? [];
        if (callers.length) return { ok: true, data: null };
      }
      return named(await editUser(request, base, changes));
    };
    const answer = await form.submit(missing, send, () => checkLimits(request, changes));
    if ((!answer && missing.length) || answer?.problem?.errors?.length) empty();
    if (callers.length) setLockedOut(callers);
    else if (answer?.data) {
      const { user, api_key = null, bound } = answer.data;
      const isRenamed = user.name !== base.name;
      const act = values.changesKey ? "user_key_changed" : isRenamed ? "user_renamed" : "user_edited";
      const mails = user.interfaces.includes("smtp");
      const isNew = !base.interfaces.includes("smtp") || values.changesKey || isRenamed;
      onSaved({ result: { act, keys: [user], bound }, drawn: api_key, mail: mails && isNew });
    }
    const changed = conflictOf(answer?.problem);
    if (changed) onChanged?.(changed.user);
  };
  /** @param {ApiUser} user @param {UserValues} next */
  const adopt = (user, next) => {
    form.setProblem(null);
    setBase(user);
    form.change(next);
  };
  const leave = () => form.leave(onCancel, onStale);

  return (
    <Dialog title={say("edit.title", { name: base.name })} onCancel={leave} dirty={form.dirty} class="form">
      <Form onSubmit={submit} busy={form.busy}>
        <div class="body">
          <ErrorSummary {...form.mistakes} />
          {conflict ? (
            <UserConflict conflict={conflict} base={valuesOf(base, format.zone)} mine={values} onAdopt={adopt} />
          ) : (
            <UserProblem problem={problem} />
          )}
          <UserFields
            values={values}
            change={form.change}
            errors={form.mistakes.errors}
            emptied={emptied}
            held={base}
          />
        </div>
        <FormActions submit={say(form.busy ? "edit.busy" : "edit.submit")} onCancel={leave} />
      </Form>
      {lockedOut.length > 0 && (
        <LockOutWarning
          callers={lockedOut}
          onAdd={(addresses) => {
            setLockedOut([]);
            form.change({ networks: [values.networks.trimEnd(), ...addresses].filter(Boolean).join("\n") });
          }}
          onSave={() => {
            setLockedOut([]);
            submit({ warned: true });
          }}
          onCancel={() => setLockedOut([])}
        />
      )}
    </Dialog>
  );
}
