// Shows and edits the member's own name and language.
import { useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { LANGUAGES, useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { Detail } from "../ui/detail.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { ErrorSummary, Field, Form, FormActions, errorOf } from "../ui/fields.jsx";
import { missingFields, useForm } from "../ui/form.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { LanguageSelect } from "../ui/selects.jsx";
import { AddressDialog } from "./address.jsx";
import { changeProfile } from "./requests.js";

/** @typedef {import('../client/session.jsx').Session} Session */

export function Details() {
  const locale = useLocale();
  const { say, setLang } = locale;
  const announce = useAnnounce();
  const { session, enter } = useSession();
  const [open, setOpen] = useState(/** @type {'profile' | 'address' | null} */ (null));
  const [saved, setSaved] = useState(/** @type {'profile_edited' | 'address_changed' | null} */ (null));
  const { member } = session;
  const result = saved && { act: saved, keys: [{ name: member.name }], bound: null };

  /** @param {Session} document */
  const settle = async (document) => {
    // The language of this browser follows the member's, if that was what changed.
    if (document.member.language !== member.language) setLang(document.member.language);
    await finish(document, "profile_edited");
  };
  /** @param {Session} document @param {'profile_edited' | 'address_changed'} act */
  const finish = async (document, act) => {
    await enter(document);
    setOpen(null);
    setSaved(act);
    announce(resultText(locale, { act, keys: [{ name: document.member.name }], bound: null }));
  };
  /** @param {'profile' | 'address'} dialog */
  const show = (dialog) => () => {
    setSaved(null);
    setOpen(dialog);
  };
  return (
    <section class="apart" aria-labelledby="details">
      <h2 id="details">{say("profile.details")}</h2>
      {result && <ResultNote result={result} />}
      <dl class="facts-list">
        <Detail term={say("setup.name")}>
          <bdi>{member.name}</bdi>
        </Detail>
        <Detail term={say("email")}>
          {member.email}
          <span class="by">{say("profile.email.hint")}</span>
        </Detail>
        <Detail term={say("language")}>{LANGUAGES[member.language]}</Detail>
        <Detail term={say("members.role")}>
          {say(`role.${member.role}`)}
          <span class="by">{say(`role.${member.role}.may`)}</span>
        </Detail>
      </dl>
      <div class="actions">
        <button type="button" onClick={show("profile")}>
          {say("profile.edit")}
        </button>
        <button type="button" onClick={show("address")}>
          {say("address.change")}
        </button>
      </div>
      {open === "profile" && <Edit member={member} onDone={settle} onCancel={() => setOpen(null)} />}
      {open === "address" && (
        <AddressDialog onDone={(document) => finish(document, "address_changed")} onCancel={() => setOpen(null)} />
      )}
    </section>
  );
}

/**
 * @param {object} props
 * @param {Session['member']} props.member
 * @param {(session: Session) => void} props.onDone
 * @param {() => void} props.onCancel
 */
function Edit({ member, onDone, onCancel }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({ name: member.name, language: member.language });
  const { values, mistakes } = form;
  const leave = () => form.leave(onCancel);

  const submit = async () => {
    if (!form.dirty) return onCancel();
    const body = {
      name: values.name === member.name ? undefined : values.name,
      language: values.language === member.language ? undefined : values.language,
    };
    const answer = await form.submit(missingFields(values, ["name"]), () => changeProfile(request, body));
    return answer?.ok && onDone(answer.data);
  };
  return (
    <Dialog title={say("profile.edit.title")} onCancel={leave} dirty={form.dirty}>
      <Form onSubmit={submit} busy={form.busy}>
        <ErrorSummary {...mistakes} />
        <ProblemNotice problem={form.problem} />
        <Field
          id="name"
          label={say("setup.name")}
          hint={say("profile.name.hint")}
          error={errorOf(mistakes.errors, "name")}
        >
          {(control) => <input {...control} {...form.field("name")} autocomplete="name" />}
        </Field>
        <Field
          id="language"
          label={say("language")}
          hint={say("profile.language.hint")}
          error={errorOf(mistakes.errors, "language")}
        >
          {(control) => (
            <LanguageSelect {...control} value={values.language} onChange={(language) => form.change({ language })} />
          )}
        </Field>
        <FormActions submit={say(form.busy ? "edit.busy" : "edit.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}
