// Exports the activity as a file: all pages of what the filter shows.
import { useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { saveFile } from "../ui/browser.js";
import { ProblemNotice } from "../ui/problem.jsx";
import { parametersOf } from "./list.js";

/** @param {{query: Record<string, string>}} props */
export function Export({ query }) {
  const { say } = useLocale();
  const { request } = useSession();
  const announce = useAnnounce();
  const [running, setRunning] = useState(/** @type {'jsonl' | 'csv' | null} */ (null));
  const [problem, setProblem] = useState(/** @type {import('../client/api.js').Problem | null} */ (null));

  /** @param {'jsonl' | 'csv'} format */
  const download = (format) => async () => {
    if (running) return;
    setRunning(format);
    setProblem(null);
    announce(say("export.busy"));
    const parameters = new URLSearchParams({ format, ...Object.fromEntries(parametersOf(query)) });
    /** @type {import('../client/api.js').Answer<Blob>} */
    const answer = await request("POST", `/v1/activity/export?${parameters}`, { as: "blob" });
    setRunning(null);
    if (!answer.ok) return setProblem(answer.problem);
    saveFile(answer.data, `activity.${format}`);
    return announce(say("export.done"));
  };
  return (
    <div>
      <p class="row">
        <button type="button" onClick={download("jsonl")}>
          {say(running === "jsonl" ? "export.busy" : "export.jsonl")}
        </button>
        <button type="button" onClick={download("csv")}>
          {say(running === "csv" ? "export.busy" : "export.csv")}
        </button>
      </p>
      <ProblemNotice problem={problem} as={problem?.code === "no_answer" ? "export_broken" : undefined} />
    </div>
  );
}
