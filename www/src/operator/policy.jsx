// Changes the policy of an account in two steps: the fields, then what the change concerns.
import { useState } from "preact/hooks";
import { CLASSES, FLAGS, PRESETS, PROOFS, lifeText, proofsOf } from "../client/policy.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Confirmation } from "../ui/confirmation.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { ErrorSummary, Field, FieldError, Form, FormActions, attributesOf, errorOf } from "../ui/fields.jsx";
import { useForm } from "../ui/form.js";
import { Notice } from "../ui/notice.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { previewPolicy, setPolicy } from "./requests.js";

/**
 * @typedef {import('../client/policy.js').Policy} Policy
 * @typedef {import('./requests.js').PolicyPreview} PolicyPreview
 */

/** Lives that the form offers beside the present one. */
const LIVES = ["never", "30d", "90d", "180d", "1y", "2y", "5y"];

/**
 * @param {object} props
 * @param {{id: string}} props.account
 * @param {string} props.name
 * @param {Policy} props.policy the present one
 * @param {() => void} props.onDone
 * @param {() => void} props.onStale called if the page may show what is no longer so
 * @param {() => void} props.onCancel
 */
export function PolicyDialog({ account, name, policy, onDone, onStale, onCancel }) {
  const [preview, setPreview] = useState(/** @type {PolicyPreview | null} */ (null));
  const props = { account, name, onStale, onCancel };
  return preview ? (
    <Preview {...props} preview={preview} onPreview={setPreview} onDone={onDone} />
  ) : (
    <PolicyForm {...props} policy={policy} onPreview={setPreview} />
  );
}

/**
 * @param {object} props
 * @param {{id: string}} props.account
 * @param {Policy} props.policy
 * @param {(preview: PolicyPreview) => void} props.onPreview
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function PolicyForm({ account, policy, onPreview, onStale, onCancel }) {
  const { say } = useLocale();
  const { request, session } = useSession();
  const form = useForm(policy);
  const { values, mistakes } = form;
  const proofs = proofsOf(values);
  const leave = () => form.leave(onCancel, onStale);

  const submit = async () => {
    const answer = await form.submit([], () => previewPolicy(request, account, values));
    if (answer?.ok) onPreview(answer.data);
  };
  return (
    <Dialog title={say("policy.title")} onCancel={leave} dirty={form.dirty} class="form">
      <Form onSubmit={submit} busy={form.busy}>
        <div class="body">
          <ErrorSummary {...mistakes} />
          <ProblemNotice problem={form.problem} />
          <fieldset class="field" id="preset">
            <legend>{say("policy.preset")}</legend>
            {Object.values(PRESETS).map((preset) => (
              <div key={preset.preset}>
                <label class="box">
                  <input
                    type="radio"
                    name="preset"
                    data-focus={values.preset === preset.preset ? "" : undefined}
                    checked={values.preset === preset.preset}
                    aria-describedby={`preset-${preset.preset}`}
                    onChange={() => form.change(preset)}
                  />
                  {say(`policy.preset.${preset.preset}`)}
                </label>
                <p class="hint" id={`preset-${preset.preset}`}>
                  {say(`policy.preset.${preset.preset}.hint`)}
                </p>
              </div>
            ))}
          </fieldset>
          <Field id="keys_per_member" label={say("policy.keys_per_member")}>
            {(control) => (
              <select
                {...control}
                value={values.keys_per_member}
                onChange={(event) =>
                  form.change({ keys_per_member: event.currentTarget.value === "one" ? "one" : "many" })
                }
              >
                {["many", "one"].map((number) => (
                  <option key={number} value={number}>
                    {say(`policy.keys_per_member.${number}`)}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <LifeField field="longest_life" values={values} change={form.change} errors={mistakes.errors} />
          <LifeField field="default_life" values={values} change={form.change} errors={mistakes.errors} />
          {FLAGS.map((flag) => {
            const error = errorOf(mistakes.errors, flag);
            return (
              <div key={flag} class={error ? "field wrong" : "field"}>
                <label class="box">
                  <input
                    id={flag}
                    type="checkbox"
                    checked={values[flag]}
                    {...attributesOf(flag, error)}
                    onChange={(event) => form.change({ [flag]: event.currentTarget.checked })}
                  />
                  <span>{say(`policy.${flag}`)}</span>
                </label>
                <FieldError id={flag} error={error} />
              </div>
            );
          })}
          <fieldset class="field" id="proofs">
            <legend>{say("policy.proofs.legend")}</legend>
            <p class="hint">{say("policy.proofs.hint")}</p>
            <div class="pairs-of-fields">
              {CLASSES.filter((name) => name !== "operate" || account.id === session.account.id).map((name) => (
                <Field
                  key={name}
                  id={`proofs-${name}`}
                  label={say(`policy.proofs.${name}`)}
                  error={errorOf(mistakes.errors, `proofs-${name}`)}
                >
                  {(control) => (
                    <select
                      {...control}
                      value={proofs[name]}
                      onChange={(event) => form.change({ proofs: { ...proofs, [name]: event.currentTarget.value } })}
                    >
                      {PROOFS.filter((proof) => name !== "operate" || proof !== "none").map((proof) => (
                        <option key={proof} value={proof}>
                          {say(`policy.proof.${proof}`)}
                        </option>
                      ))}
                    </select>
                  )}
                </Field>
              ))}
            </div>
          </fieldset>
        </div>
        <FormActions submit={say(form.busy ? "policy.previewing" : "policy.next")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}

/**
 * @param {object} props
 * @param {'default_life' | 'longest_life'} props.field
 * @param {Policy} props.values
 * @param {(members: Partial<Policy>) => void} props.change
 * @param {import('../ui/fields.jsx').FieldMistake[]} props.errors
 */
function LifeField({ field, values, change, errors }) {
  const { say } = useLocale();
  // The present life stays a choice, whatever it is.
  const [lives] = useState([...new Set([...LIVES, values[field]])]);
  return (
    <Field id={field} label={say(`policy.${field}`)} error={errorOf(errors, field)}>
      {(control) => (
        <select {...control} value={values[field]} onChange={(event) => change({ [field]: event.currentTarget.value })}>
          {lives.map((life) => (
            <option key={life} value={life}>
              {lifeText(say, field, life)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/**
 * Names what the change concerns, and makes it.
 * @param {object} props
 * @param {{id: string}} props.account
 * @param {string} props.name
 * @param {PolicyPreview} props.preview
 * @param {(preview: PolicyPreview) => void} props.onPreview called with another preview if the
 *   policy has changed meanwhile
 * @param {() => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function Preview({ account, name, preview, onPreview, onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({});
  const { before, after, revision, effects } = preview;
  const same = JSON.stringify(before) === JSON.stringify(after);
  const meanwhile = form.problem?.code === "changed_meanwhile";
  const leave = () => form.leave(onCancel, onStale);

  const confirm = async () => {
    if (same) return onCancel();
    const answer = await form.submit([], () => setPolicy(request, account, after, revision));
    if (answer?.ok) return onDone();
    if (answer?.problem?.code !== "changed_meanwhile") return undefined;
    onStale();
    const again = await previewPolicy(request, account, after);
    return again.ok && onPreview(again.data);
  };
  return (
    <Confirmation
      title={say("policy.preview.title", { name })}
      body={say(same ? "policy.preview.same" : "policy.preview.lead")}
      confirm={say(form.busy ? "policy.busy" : "policy.confirm")}
      onConfirm={confirm}
      onCancel={leave}
    >
      {!same && !effects.length && <p>{say("policy.preview.none")}</p>}
      {effects.length > 0 && (
        <ul class="effects">
          {effects.map((effect) => (
            <Effect key={effect.kind} {...effect} />
          ))}
        </ul>
      )}
      {meanwhile ? (
        <Notice about={form.problem} bad={false}>
          <p>{say("policy.meanwhile")}</p>
        </Notice>
      ) : (
        <ProblemNotice problem={form.problem} />
      )}
    </Confirmation>
  );
}

/** @param {PolicyPreview['effects'][number]} props */
function Effect({ kind, count, names }) {
  const { say, has, lang } = useLocale();
  const key = `policy.effect.${kind}`;
  if (!has(key)) return null;
  const quoted = new Intl.ListFormat(lang, { type: "unit" }).format(names.map((name) => say("quoted", { name })));
  const listed = say(count > names.length ? "policy.preview.names" : "policy.preview.all", { names: quoted });
  return <li>{say("policy.preview.line", { what: say(key, { count }), names: listed })}</li>;
}
