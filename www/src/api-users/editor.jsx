// Adds and edits API users in one dialog. It then shows a generated API key, and the settings of
// mail programs.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { EditorDialog, useEditing } from "../key/actions/editing.jsx";
import { checkFields } from "../key/model.js";
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
  /** @param {SavedUser} news */
  const settle = (news) => {
    onSaved(news.result);
    if (hasNews(news)) setSaved(news);
    else onDone();
  };
  if (saved) return <Saved saved={saved} onDone={onDone} />;
  const props = { onSaved: settle, onStale, onCancel: onDone };
  return subject ? <Edit subject={subject} onChanged={onChanged} {...props} /> : <Add {...props} />;
}

/**
 * Returns the properties of the fields. Once a submit has found mistakes, the API key is emptied,
 * as a refusal does with passwords.
 * @param {ReturnType<typeof useForm<UserValues>>} form
 */
function useFields({ values, change, mistakes: { errors, turn } }) {
  const [emptied, setEmptied] = useState(false);
  useLayoutEffect(() => {
    if (!errors.length) return;
    if (values.api_key || values.api_key_confirmation) setEmptied(true);
    change(NO_KEY);
  }, [turn]);
  return { values, change, errors, emptied };
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
  const fields = useFields(form);
  // One dialog adds one user, even if a response is lost and the member submits again.
  const idempotencyKey = useRef(crypto.randomUUID());

  const submit = async () => {
    const added = newFieldsOf(values, format.zone);
    const answer = await form.submit(
      missingIn(values, format.zone),
      async () => named(await createUser(request, added, idempotencyKey.current)),
      () => checkLimits(request, added),
    );
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
          <UserFields {...fields} held={null} />
        </div>
        <FormActions submit={say(form.busy ? "api-user.add.busy" : "api-user.add.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}

/** @type {import('../key/actions/editing.jsx').Editable<ApiUser, UserValues, Changed>} */
const USER = {
  valuesOf,
  changesOf,
  missingIn,
  check: checkLimits,
  save: async (request, base, changes) => named(await editUser(request, base, changes)),
  changedIn: (problem) => conflictOf(problem)?.user,
};

/**
 * @param {object} props
 * @param {ApiUser} props.subject
 * @param {(saved: SavedUser) => void} props.onSaved
 * @param {(user: ApiUser) => void} [props.onChanged]
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function Edit({ onSaved, ...props }) {
  const editing = useEditing(USER, {
    ...props,
    onSaved: ({ user, api_key = null, bound }, { base, values: { changesKey } }) => {
      const isRenamed = user.name !== base.name;
      const act = changesKey ? "user_key_changed" : isRenamed ? "user_renamed" : "user_edited";
      const mails = user.interfaces.includes("smtp");
      const isNew = !base.interfaces.includes("smtp") || changesKey || isRenamed;
      onSaved({ result: { act, keys: [user], bound }, drawn: api_key, mail: mails && isNew });
    },
  });
  const { form, base, before, adopt } = editing;
  const fields = useFields(form);
  const conflict = conflictOf(form.problem);
  return (
    <EditorDialog editing={editing}>
      {conflict ? (
        <UserConflict conflict={conflict} base={before} mine={form.values} onAdopt={adopt} />
      ) : (
        <UserProblem problem={form.problem} />
      )}
      <UserFields {...fields} held={base} />
    </EditorDialog>
  );
}
