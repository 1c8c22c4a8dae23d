// Revoking one short-lived key. Only its ID is known here, and that is enough.
import { useState } from "preact/hooks";
import { useAnnounce } from "../announce.jsx";
import { useConsole } from "../console.jsx";
import { Dialog } from "../dialog.jsx";
import { InfoIcon } from "../icons.jsx";
import { useLocale } from "../locale.jsx";
import { ProblemNotice } from "../problem.jsx";
import { keyAddress } from "../route.js";
import { useForm } from "../use-form.js";
import { OutcomeNote, outcomeText } from "./outcome.jsx";

/** @param {{sealed: {id: string, issuer: string}}} props */
export function SealedFound({ sealed }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const [asking, setAsking] = useState(false);
  const [outcome, setOutcome] = useState(null);
  const { id, issuer } = sealed;

  const revoked = ({ bound, all_of_issuer }) => {
    const done = { act: all_of_issuer ? "revoked_all" : "revoked", bound };
    setAsking(false);
    setOutcome(done);
    announce(outcomeText(locale, done));
  };
  return (
    <div class="notice sealed">
      <p>
        <InfoIcon /> {say("sealed.found", { id: <code>{id}</code> })}{" "}
        {issuer === "service" ? (
          <a href="#/connection">{say("issuer.service")}</a>
        ) : (
          <a href={keyAddress(issuer)}>{say("sealed.issuer")}</a>
        )}
      </p>
      {outcome ? (
        <OutcomeNote outcome={outcome} />
      ) : (
        <button type="button" onClick={() => setAsking(true)}>
          {say("sealed.revoke")}
        </button>
      )}
      {asking && <RevokeQuestion sealed={sealed} onDone={revoked} onCancel={() => setAsking(false)} />}
    </div>
  );
}

function RevokeQuestion({ sealed, onDone, onCancel }) {
  const { say } = useLocale();
  const { request, session } = useConsole();
  const form = useForm({});
  const within = session.account.freshness_s;
  const revoke = async () => {
    const answer = await form.submit([], () => request("POST", "/v1/sealed-keys/revoke", { body: sealed }));
    if (answer?.ok) onDone(answer.data);
  };
  const leave = () => !form.busy && onCancel();
  return (
    <Dialog role="alertdialog" title={say("sealed.title")} describedBy="sealed-body" onCancel={leave}>
      <p id="sealed-body">{say(within === 0 ? "sealed.body.now" : "sealed.body", { seconds: within })}</p>
      <ProblemNotice problem={form.problem} />
      <div class="actions">
        <button type="button" class="danger" onClick={revoke}>
          {say(form.busy ? "sealed.busy" : "sealed.confirm")}
        </button>
        <button type="button" onClick={leave} data-focus="">
          {say("cancel")}
        </button>
      </div>
    </Dialog>
  );
}
