// Shows the secret of an authenticator app once, and asks for its first code.
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { atField, tooManyText } from "../sign-in/factor.jsx";
import { Copyable } from "../ui/copy.jsx";
import { deferred } from "../ui/deferred.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { CodeField, Form, FormActions, errorOf } from "../ui/fields.jsx";
import { useForm, useMistakeFocus } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { confirmApp } from "./requests.js";

const QrCode = deferred(async () => (await import("./qr.jsx")).QrCode, "loading.console");

const FIELD = "first-code";

/**
 * @param {object} props
 * @param {import('./requests.js').PendingApp} props.app
 * @param {(codes: import('./requests.js').AddedPasskey) => void} props.onDone
 * @param {() => void} props.onCancel
 */
export function AppDialog({ app, onDone, onCancel }) {
  const locale = useLocale();
  const { say, format } = locale;
  const { request } = useSession();
  const form = useForm({ code: "" });
  useMistakeFocus(form.mistakes);
  const leave = () => form.leave(onCancel);

  const submit = async () => {
    const { code } = form.values;
    const missing = code.trim() ? [] : [{ pointer: `#/${FIELD}`, code: "required" }];
    const answer = await form.submit(missing, async () => atField(await confirmApp(request, code), FIELD));
    if (answer?.ok) onDone(answer.data);
    else if (answer?.problem.code === "factor_refused") {
      form.setProblem(null);
      form.show([{ pointer: `#/${FIELD}`, code: "refused", count: answer.problem.tries_left ?? 0 }]);
    }
  };
  const { problem } = form;
  return (
    <Dialog title={say("mfa.app.title")} onCancel={leave} focus="title">
      <Form onSubmit={submit} busy={form.busy}>
        <ProblemNotice
          problem={problem}
          as={problem?.code === "no_factor" ? "app_over" : undefined}
          text={tooManyText(locale, problem)}
        />
        <p>{say("mfa.app.scan", { until: format.clock(app.expires_at), zone: format.zone })}</p>
        <QrCode text={app.uri} label={say("mfa.app.qr")} />
        <p>
          {say("mfa.app.type")}
          <br />
          <Copyable text={(app.secret.match(/.{4}/g) ?? []).join(" ")} label={say("mfa.app.copy")} />
        </p>
        <p>
          <a href={app.uri}>{say("mfa.app.open")}</a>
        </p>
        <CodeField
          id={FIELD}
          label={say("factor.code")}
          hint={say("mfa.app.code.hint")}
          error={errorOf(form.mistakes.errors, FIELD)}
          {...form.field("code")}
        />
        <FormActions submit={say(form.busy ? "mfa.app.busy" : "mfa.app.confirm")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}
