// Lists the passkeys of the member, adds, renames and removes them.
import { useState } from "preact/hooks";
import { makePasskey } from "../client/passkey.js";
import { policyOf } from "../client/policy.js";
import { useSession } from "../client/session.jsx";
import { sayWithin } from "../i18n/bound.js";
import { useLocale } from "../i18n/locale.jsx";
import { TimeAgo } from "../key/times.jsx";
import { Confirmation } from "../ui/confirmation.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { Field, Form, FormActions, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm, useMistakeFocus } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { addPasskey, beginPasskey, removePasskey, renamePasskey } from "./requests.js";

/**
 * @typedef {import('./requests.js').OwnPasskey} OwnPasskey
 * @typedef {import('./requests.js').Factors} Factors
 */

/** Differs from the name of the member on the same page. */
const FIELD = "passkey-name";

/**
 * @param {object} props
 * @param {OwnPasskey[]} props.passkeys
 * @param {boolean} props.isOnly `true` if the member has no other factor than one of these
 * @param {(act: string, name: string, factors: Factors) => void} props.onDone
 * @param {() => void} props.onBegin called before a dialog opens
 * @param {() => void} props.onStale
 */
export function PasskeyList({ passkeys, isOnly, onDone, onBegin, onStale }) {
  const { say } = useLocale();
  const [asking, setAsking] = useState(/** @type {{act: 'rename' | 'remove', passkey: OwnPasskey} | null} */ (null));
  /** @param {'rename' | 'remove'} act @param {OwnPasskey} passkey */
  const ask = (act, passkey) => {
    onBegin();
    setAsking({ act, passkey });
  };
  /** @param {string} act @param {string} name @param {Factors} factors */
  const settle = (act, name, factors) => {
    setAsking(null);
    onDone(act, name, factors);
  };
  const cancel = () => setAsking(null);
  return (
    <>
      <ul class="rows" aria-label={say("passkeys.list")}>
        {passkeys.map((passkey) => (
          <li key={passkey.id}>
            <div class="row-text">
              <strong>
                <bdi>{passkey.name}</bdi>
              </strong>
              {passkey.backed_up && <span class="tag plain">{say("passkeys.synced")}</span>}
              <span class="by">
                {passkey.last_used_at
                  ? say("passkeys.used", { ago: <TimeAgo at={passkey.last_used_at} /> })
                  : say("passkeys.unused")}
              </span>
              <span class="by">{say("passkeys.added", { at: <TimeAgo at={passkey.created_at} exact /> })}</span>
            </div>
            <div class="row">
              <button
                type="button"
                class="small"
                onClick={() => ask("rename", passkey)}
                aria-label={say("passkeys.rename.label", { name: passkey.name })}
              >
                {say("passkeys.rename")}
              </button>
              <button
                type="button"
                class="small"
                onClick={() => ask("remove", passkey)}
                aria-label={say("passkeys.remove.label", { name: passkey.name })}
              >
                {say("passkeys.remove")}
              </button>
            </div>
          </li>
        ))}
      </ul>
      {asking?.act === "rename" && (
        <RenameDialog
          passkey={asking.passkey}
          onDone={(name, factors) => settle("passkey_renamed", name, factors)}
          onStale={onStale}
          onCancel={cancel}
        />
      )}
      {asking?.act === "remove" && (
        <Removal
          passkey={asking.passkey}
          isLast={isOnly && passkeys.length === 1}
          onDone={(act, factors) => settle(act, asking.passkey.name, factors)}
          onStale={onStale}
          onCancel={cancel}
        />
      )}
    </>
  );
}

/**
 * Asks for a name.
 * @param {object} props
 * @param {ReturnType<typeof useForm<{name: string}>>} props.form
 */
function NameField({ form }) {
  const { say } = useLocale();
  return (
    <Field id={FIELD} label={say("passkeys.name")} error={errorOf(form.mistakes.errors, FIELD)}>
      {(control) => <input {...control} {...form.field("name")} autocomplete="off" data-focus="" />}
    </Field>
  );
}

/**
 * Returns an answer whose errors of the name belong to the field of this page.
 * @template Data
 * @param {import('../client/api.js').Answer<Data>} answer
 * @returns {import('../client/api.js').Answer<Data>}
 */
function atName(answer) {
  if (!answer.problem?.errors) return answer;
  const errors = answer.problem.errors.map((error) => ({ ...error, pointer: `#/${FIELD}` }));
  return { ...answer, problem: { ...answer.problem, errors } };
}

/** @param {string} name */
const missingName = (name) => missingFields({ name }, ["name"]).map((error) => ({ ...error, pointer: `#/${FIELD}` }));

/**
 * Adds a passkey: asks for its name, and the browser for an authenticator.
 * @param {object} props
 * @param {number} props.count passkeys that the member has
 * @param {(name: string, added: import('./requests.js').AddedPasskey) => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
export function AddPasskey({ count, onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({ name: say("passkeys.default-name", { number: count + 1 }) });
  useMistakeFocus(form.mistakes);
  const leave = () => form.leave(onCancel, onStale);
  const submit = async () => {
    const name = form.values.name.trim();
    const answer = await form.submit(missingName(name), async () => {
      const begun = await beginPasskey(request);
      if (!begun.ok) return begun;
      const made = await makePasskey(begun.data.options);
      return made.ok ? atName(await addPasskey(request, name, made.data)) : made;
    });
    if (answer?.ok) onDone(name, answer.data);
  };
  return (
    <Dialog title={say("passkeys.add.title")} onCancel={leave}>
      <Form onSubmit={submit} busy={form.busy}>
        <ProblemNotice problem={form.problem} />
        <p>{say("passkeys.add.lead")}</p>
        <NameField form={form} />
        <FormActions submit={say(form.busy ? "passkey.waiting" : "passkeys.add.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}

/**
 * @param {object} props
 * @param {OwnPasskey} props.passkey
 * @param {(name: string, factors: Factors) => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function RenameDialog({ passkey, onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({ name: passkey.name });
  useMistakeFocus(form.mistakes);
  const leave = () => form.leave(onCancel, onStale);
  const submit = async () => {
    const name = form.values.name.trim();
    const answer = await form.submit(missingName(name), async () =>
      atName(await renamePasskey(request, passkey, name)),
    );
    if (answer?.ok) onDone(name, answer.data);
  };
  return (
    <Dialog title={say("passkeys.rename.title", { name: passkey.name })} onCancel={leave}>
      <Form onSubmit={submit} busy={form.busy}>
        <ProblemNotice problem={form.problem} as={gone(form.problem)} />
        <NameField form={form} />
        <FormActions submit={say(form.busy ? "edit.busy" : "edit.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}

/**
 * @param {object} props
 * @param {OwnPasskey} props.passkey
 * @param {boolean} props.isLast `true` if two-step sign-in then is off
 * @param {(act: string, factors: Factors) => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function Removal({ passkey, isLast, onDone, onStale, onCancel }) {
  const { say, gap } = useLocale();
  const { request, session } = useSession();
  const form = useForm({});
  const keys = policyOf(session).demands_mfa ? sayWithin(say, "mfa.turn-off.keys", session.account) : "";
  const last = [say("passkeys.remove.last"), keys].filter(Boolean).join(gap);
  const confirm = async () => {
    const answer = await form.submit([], () => removePasskey(request, passkey));
    if (answer?.ok) onDone(isLast ? "mfa_off" : "passkey_removed", answer.data);
  };
  return (
    <Confirmation
      title={say("passkeys.remove.title", { name: passkey.name })}
      body={isLast ? last : say("passkeys.remove.body")}
      confirm={say(form.busy ? "passkeys.removing" : "passkeys.remove")}
      danger
      onConfirm={confirm}
      onCancel={() => form.leave(onCancel, onStale)}
    >
      <ProblemNotice problem={form.problem} as={gone(form.problem)} />
    </Confirmation>
  );
}

/** @param {import('../client/api.js').Problem | null} problem */
const gone = (problem) => (problem?.code === "not_found" ? "passkey_gone" : undefined);
