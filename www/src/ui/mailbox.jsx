// Asks for the code that was mailed to an address, which proves that its mailbox is the person's.
import { useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "./announcer.jsx";
import { CodeField, Form, errorOf } from "./fields.jsx";
import { useForm, useMistakeFocus } from "./form.js";
import { WarningIcon } from "./icons.jsx";
import { Notice } from "./notice.jsx";
import { ProblemNotice } from "./problem.jsx";

/**
 * A code that was mailed.
 * @typedef {{expires_at: string, mail: 'queued' | 'sent' | 'failing' | 'refused'}} MailboxCode
 *
 * @typedef {import('../client/api.js').Problem} Problem
 */

const FIELD = "code";

/**
 * @template Data
 * @param {object} props
 * @param {string} props.address
 * @param {MailboxCode} props.code
 * @param {() => Promise<import('../client/api.js').Answer<MailboxCode>>} props.mail mails another one
 * @param {(code: string) => Promise<import('../client/api.js').Answer<Data>>} props.confirm
 * @param {(data: Data, code: string) => void} props.onDone
 * @param {(problem: Problem, code: string) => boolean} [props.onRefused] returns `true` if the owner
 *   shows the problem
 * @param {() => void} props.onBack called to type another address
 * @param {() => void} [props.onCancel]
 * @param {string} props.submit label of the button
 * @param {string} props.busy its label while the request is under way
 */
export function MailboxStep({ address, code: first, mail, confirm, onDone, onRefused, onBack, onCancel, ...labels }) {
  const { say, format } = useLocale();
  const announce = useAnnounce();
  const [code, setCode] = useState(first);
  const [again, setAgain] = useState(false);
  const form = useForm({ code: "" });
  const mailing = useForm({});
  useMistakeFocus(form.mistakes);
  const busy = form.busy || mailing.busy;

  /** @param {string} mistake @param {Record<string, number>} [parameters] */
  const refuse = (mistake, parameters) => {
    form.setProblem(null);
    form.show([{ pointer: `#/${FIELD}`, code: mistake, ...parameters }]);
  };
  const submit = async () => {
    const typed = form.values.code.trim();
    const missing = typed ? [] : [{ pointer: `#/${FIELD}`, code: "required" }];
    const answer = await form.submit(missing, () => confirm(typed));
    if (!answer) return undefined;
    if (answer.ok) return onDone(answer.data, typed);
    const { problem } = answer;
    if (problem.code === "code_wrong" && problem.tries_left) return refuse("wrong", { count: problem.tries_left });
    if (["code_wrong", "code_over"].includes(problem.code)) return refuse("over");
    if (onRefused?.(problem, typed)) {
      form.setProblem(null);
      form.show([]);
    }
    return undefined;
  };
  const mailAgain = async () => {
    const answer = await mailing.submit([], mail);
    if (!answer?.ok) return;
    form.setProblem(null);
    form.show([]);
    form.change({ code: "" });
    setCode(answer.data);
    setAgain(true);
    announce(say("mailbox.mailed-again", { ...slots(answer.data), address }));
    document.getElementById(FIELD)?.focus();
  };
  /** @param {MailboxCode} of */
  const slots = (of) => ({ until: format.clock(of.expires_at), zone: format.zone });
  const isStuck = code.mail === "failing" || code.mail === "refused";
  const error = errorOf(form.mistakes.errors, FIELD);
  return (
    <Form onSubmit={submit} busy={busy}>
      {code.mail !== "refused" && (
        <p>
          {say(again ? "mailbox.mailed-again" : "mailbox.mailed", {
            ...slots(code),
            address: <strong>{address}</strong>,
          })}
        </p>
      )}
      {isStuck && (
        <Notice about={code} still>
          <p>
            <WarningIcon /> {say(code.mail === "refused" ? "mailbox.refused" : "mailbox.failing", { address })}
          </p>
        </Notice>
      )}
      <ProblemNotice problem={form.problem ?? mailing.problem} />
      <CodeField
        id={FIELD}
        label={say("reset.code")}
        hint={say("reset.code.hint")}
        error={error}
        first
        {...form.field("code")}
      />
      <div class="actions">
        <button class="primary">{form.busy ? labels.busy : labels.submit}</button>
        <button type="button" onClick={mailAgain}>
          {say(mailing.busy ? "delete.mailing" : "delete.mail-again")}
        </button>
        {onCancel && (
          <button type="button" onClick={() => busy || onCancel()}>
            {say("cancel")}
          </button>
        )}
      </div>
      <p class="aside-line">
        <button type="button" class="link" onClick={() => busy || onBack()}>
          {say("reset.other-address")}
        </button>
      </p>
    </Form>
  );
}
