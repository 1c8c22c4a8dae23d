// Generates the key pair: a short form without an expiry, which the policy sets, then the pair in
// clear text.
import { useRef, useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Advice } from "../key/advice.jsx";
import { NetworksField } from "../key/form/networks.jsx";
import { PermissionsField } from "../key/form/permissions.jsx";
import { checkFields, issueKey } from "../key/model.js";
import { PairSecrets } from "../key/reveal.jsx";
import { Status } from "../key/status.jsx";
import { Expiry } from "../key/times.jsx";
import { Detail } from "../ui/detail.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { ErrorSummary, Field, Form, FormActions, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { Notice } from "../ui/notice.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { Secret, SecretDialog } from "../ui/secret.jsx";

/** @typedef {import('../key/model.js').Secrets & {key: import('../key/model.js').Key}} Generated */

/**
 * @param {object} props
 * @param {string | null} props.expires expiry of a pair that is generated now
 * @param {(key: import('../key/model.js').Key) => void} props.onGenerated called with the server's
 *   response
 * @param {() => void} props.onStale called if a pair may exist that the page does not show
 * @param {() => void} props.onDone called once the secret is stored or the form was left
 */
export function Generate({ expires, onGenerated, onStale, onDone }) {
  // The only place that holds the secret; it goes with the dialog.
  const [generated, setGenerated] = useState(/** @type {Generated | null} */ (null));
  /** @param {Generated} answer */
  const show = (answer) => {
    setGenerated(answer);
    onGenerated(answer.key);
  };
  return generated ? (
    <PairReveal secrets={generated} onDone={onDone} />
  ) : (
    <GenerateForm expires={expires} onGenerated={show} onStale={onStale} onCancel={onDone} />
  );
}

/**
 * @param {object} props
 * @param {string | null} props.expires
 * @param {(answer: Generated) => void} props.onGenerated
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function GenerateForm({ expires, onGenerated, onStale, onCancel }) {
  const { say, format } = useLocale();
  const { request, session } = useSession();
  // The pair acts for its member, so it begins with every permission that the API asks for.
  const form = useForm(() => ({
    name: say("pair.name", { name: session.member.name }),
    networks: "",
    permissions: session.permissions,
  }));
  const { values, mistakes } = form;
  // One dialog generates one pair, even if a response is lost and the member submits again.
  const idempotencyKey = useRef(crypto.randomUUID());
  const leave = () => form.leave(onCancel, onStale);

  const submit = async () => {
    const fields = { ...values, name: values.name.trim(), ...(expires ? {} : { expires: "never" }) };
    const answer = await form.submit(
      missingFields({ name: fields.name }, ["name"]),
      () => issueKey(request, fields, idempotencyKey.current),
      () => checkFields(request, fields),
    );
    if (answer?.ok) onGenerated(answer.data);
  };

  return (
    <Dialog title={say("pair.generate")} onCancel={leave} dirty={form.dirty} class="form">
      <Form onSubmit={submit} busy={form.busy}>
        <div class="body">
          <ErrorSummary {...mistakes} />
          <GenerateProblem problem={form.problem} />
          {expires && <p>{say("pair.form.lead", { at: format.end(expires), zone: format.zone })}</p>}
          <Field
            id="name"
            label={say("form.name")}
            hint={say("pair.name.hint")}
            error={errorOf(mistakes.errors, "name")}
          >
            {(control) => <input {...control} {...form.field("name")} autocomplete="off" data-focus="" />}
          </Field>
          <NetworksField
            id="networks"
            label={say("form.networks")}
            hint={say("form.networks.hint")}
            value={values.networks}
            onChange={(networks) => form.change({ networks })}
            error={errorOf(mistakes.errors, "networks")}
          />
          <PermissionsField
            chosen={values.permissions}
            onChange={(permissions) => form.change({ permissions })}
            error={errorOf(mistakes.errors, "permissions")}
          />
        </div>
        <FormActions submit={say(form.busy ? "pair.form.busy" : "pair.form.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}

/** @param {{problem: import('../client/api.js').Problem | null}} props */
function GenerateProblem({ problem }) {
  const { say } = useLocale();
  const text =
    problem?.code === "no_answer"
      ? say("pair.form.no-answer")
      : problem?.code === "already_issued" && problem.key
        ? say("pair.form.already", { name: problem.key.name })
        : null;
  if (!text) return <ProblemNotice problem={problem} />;
  return (
    <Notice about={problem}>
      <p>{text}</p>
    </Notice>
  );
}

/**
 * Shows the pair in clear text, once.
 * @param {{secrets: Generated, onDone: () => void}} props
 */
function PairReveal({ secrets, onDone }) {
  const { say, format } = useLocale();
  const { key } = secrets;
  return (
    <SecretDialog
      title={say("pair.reveal.title")}
      lead={say("pair.reveal.once")}
      once
      closeBody="pair.close.body"
      onDone={onDone}
    >
      {({ copied, onCopied }) => (
        <>
          <PairSecrets secrets={secrets} main primary={!copied} onCopied={onCopied} />
          <dl class="facts-list">
            <Detail term={say("column.status")}>
              <Status subject={key} />
            </Detail>
            <Detail term={say("pair.expires")}>
              <Expiry at={key.expires_at} />
              {key.expires_at && <span class="by">{format.zone}</span>}
            </Detail>
          </dl>
          <details>
            <summary>{say("pair.reveal.whole")}</summary>
            <p class="hint">{say("pair.reveal.whole.hint")}</p>
            <Secret
              id="credential"
              label={say("reveal.key")}
              value={secrets.credential}
              copyLabel={say("copy.key")}
              onCopied={onCopied}
            />
          </details>
          <p class="hint">{say("reveal.where")}</p>
          <Advice />
        </>
      )}
    </SecretDialog>
  );
}
