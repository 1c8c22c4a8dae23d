// Shows which notices the member gets by mail, and switches them on and off.
import { useState } from "preact/hooks";
import { useLoader } from "../client/loader.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { Form } from "../ui/fields.jsx";
import { useForm } from "../ui/form.js";
import { Loading } from "../ui/loading.jsx";
import { ProblemNotice, RetryNotice } from "../ui/problem.jsx";
import { ResultNote, resultText } from "../ui/result.jsx";
import { useReached } from "./reached.js";
import { changeNotices, loadNotices } from "./requests.js";

const HEADING = "notices";

const RESULT = { act: "notices_saved", bound: null };

/** Kinds of notices that have a switch, in the order of the page. */
const KINDS = /** @type {const} */ (["key_issued", "key_network", "key_end"]);

/** @typedef {import('./requests.js').NoticeSettings} NoticeSettings */

/** @param {{reached: boolean}} props */
export function Notices({ reached }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { request } = useSession();
  const [saved, setSaved] = useState(false);
  const { data, setData, problem, reload } = useLoader((signal) => loadNotices(request, signal), [request]);
  useReached(HEADING, reached);

  /** @param {{notices: NoticeSettings}} document */
  const settle = (document) => {
    setData(document);
    setSaved(true);
    announce(resultText(locale, RESULT));
  };
  return (
    <section class="apart" aria-labelledby={HEADING}>
      <h2 id={HEADING} tabIndex={-1}>
        {say("notices.heading")}
      </h2>
      <p>{say("notices.lead")}</p>
      <p>
        <a href="#/notices">{say("notices.all")}</a>
      </p>
      {!data && !problem && <Loading message="loading.notices" />}
      <RetryNotice problem={problem} as="notices_not_loaded" still onRetry={reload} />
      {saved && <ResultNote result={RESULT} />}
      {data && <Switches notices={data.notices} onEdit={() => setSaved(false)} onSaved={settle} />}
      <p class="by">{say("notices.always")}</p>
    </section>
  );
}

/**
 * @param {object} props
 * @param {NoticeSettings} props.notices
 * @param {() => void} props.onEdit called whenever a switch is moved
 * @param {(data: {notices: NoticeSettings}) => void} props.onSaved
 */
function Switches({ notices, onEdit, onSaved }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm(notices);

  const submit = async () => {
    const answer = await form.submit([], () => changeNotices(request, form.values));
    if (answer?.ok) onSaved(answer.data);
  };
  return (
    <Form onSubmit={submit} busy={form.busy}>
      <ProblemNotice problem={form.problem} />
      <fieldset>
        <legend class="unseen">{say("notices.heading")}</legend>
        {KINDS.map((kind) => (
          <div class="field box-field" key={kind}>
            <label class="box">
              <input
                id={kind}
                type="checkbox"
                checked={form.values[kind]}
                aria-describedby={`${kind}-hint`}
                onChange={(event) => {
                  onEdit();
                  form.change({ [kind]: event.currentTarget.checked });
                }}
              />
              <span>{say(`notices.${kind}`)}</span>
            </label>
            <p class="hint" id={`${kind}-hint`}>
              {say(`notices.${kind}.hint`)}
            </p>
          </div>
        ))}
      </fieldset>
      <button>{say(form.busy ? "edit.busy" : "notices.save")}</button>
    </Form>
  );
}
