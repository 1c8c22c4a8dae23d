// [Show]: a viewable key again, after its member has confirmed who they are.
import { useState } from "preact/hooks";
import { useAnnounce } from "../ui/announcer.jsx";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { revealKey } from "./model.js";
import { Reveal } from "./reveal.jsx";

/** @param {{subject: import('./model.js').Key}} props */
export function ShowButton({ subject }) {
  const { say } = useLocale();
  const { request } = useSession();
  const announce = useAnnounce();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  /** The only place that holds the secret; gone with the dialog. */
  const [secrets, setSecrets] = useState(null);

  const show = async () => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    announce(say("show.busy"));
    const answer = await revealKey(request, subject);
    setBusy(false);
    if (answer.ok) setSecrets(answer.data);
    else setProblem(answer.problem);
  };

  return (
    <>
      <button type="button" class="small" aria-label={say("show.label", { name: subject.name })} onClick={show}>
        {say(busy ? "show.busy" : "show")}
      </button>
      <ProblemNotice problem={problem} />
      {secrets && <Reveal subject={subject} secrets={secrets} again onDone={() => setSecrets(null)} />}
    </>
  );
}
