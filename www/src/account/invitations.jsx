// Draws the open invitations: where their mails are, and the buttons that repeat and withdraw them.
import { useState } from "preact/hooks";
import { serverNow } from "../client/clock.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { TimeAgo } from "../key/times.jsx";
import { Confirmation } from "../ui/confirmation.jsx";
import { useForm } from "../ui/form.js";
import { WarningIcon } from "../ui/icons.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { ResultNote } from "../ui/result.jsx";
import { repeatInvitation, withdrawInvitation } from "./requests.js";

/** Invitations shown at first: the members below them must stay in sight. */
const FEW = 5;
const HEADING = "invitations";

/** Returns the ID of the first button of an invitation. @param {{id: string}} invitation */
export const invitationButton = ({ id }) => `repeat-${id}`;

/**
 * @typedef {import('./requests.js').Invitation} Invitation
 * @typedef {import('../ui/result.jsx').Result} Result
 */

/**
 * @param {object} props
 * @param {Invitation[]} props.invitations
 * @param {Result | null} props.result of the last action on an invitation
 * @param {(act: string, invitation: Invitation) => void} props.onDone
 * @param {() => void} props.onStale called if the page may show what is no longer so
 */
export function Invitations({ invitations, result, onDone, onStale }) {
  const { say } = useLocale();
  const [all, setAll] = useState(false);
  const [withdrawing, setWithdrawing] = useState(/** @type {Invitation | null} */ (null));
  const shown = all || invitations.length <= FEW + 1 ? invitations : invitations.slice(0, FEW);
  if (!invitations.length && !result) return null;
  return (
    <section aria-labelledby={HEADING} class="part">
      <div class="section-head">
        <h2 id={HEADING} tabIndex={-1}>
          {say("invitations.heading")}
        </h2>
        {invitations.length > 0 && <p class="count">{say("invitations.count", { count: invitations.length })}</p>}
      </div>
      {result && <ResultNote result={result} />}
      <ul class="rows">
        {shown.map((invitation) => (
          <Row
            key={invitation.id}
            invitation={invitation}
            onDone={onDone}
            onStale={onStale}
            onWithdraw={() => setWithdrawing(invitation)}
          />
        ))}
      </ul>
      {shown.length < invitations.length && (
        <button type="button" class="small" onClick={() => setAll(true)}>
          {say("invitations.all", { count: invitations.length })}
        </button>
      )}
      {withdrawing && (
        <Withdrawal
          invitation={withdrawing}
          onDone={() => {
            setWithdrawing(null);
            onDone("withdrawn", withdrawing);
          }}
          onStale={onStale}
          onCancel={() => setWithdrawing(null)}
        />
      )}
    </section>
  );
}

/**
 * @param {object} props
 * @param {Invitation} props.invitation
 * @param {(act: string, invitation: Invitation) => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onWithdraw
 */
function Row({ invitation, onDone, onStale, onWithdraw }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({});
  const { email, role } = invitation;

  const repeat = async () => {
    const answer = await form.submit([], () => repeatInvitation(request, invitation));
    if (answer?.ok) onDone("invited_again", answer.data.invitation);
    else if (answer?.problem.code === "not_found") onStale();
  };
  return (
    <li>
      <div class="row-text">
        <strong>{email}</strong>
        <span class="by">
          {say(`role.${role}`)} ·{" "}
          {say("invitations.by", { name: invitation.invited_by, ago: <TimeAgo at={invitation.created_at} /> })}
        </span>
        <span class="by">
          <MailStatus invitation={invitation} />
        </span>
      </div>
      <div class="row">
        <button
          type="button"
          class="small"
          id={invitationButton(invitation)}
          onClick={repeat}
          aria-label={say("invitations.repeat.label", { email })}
        >
          {say(form.busy ? "invitations.repeating" : "invitations.repeat")}
        </button>
        <button
          type="button"
          class="small"
          onClick={onWithdraw}
          aria-label={say("invitations.withdraw.label", { email })}
        >
          {say("invitations.withdraw")}
        </button>
      </div>
      <InvitationProblem problem={form.problem} />
    </li>
  );
}

/**
 * Draws why an invitation was not mailed, or not withdrawn.
 * @param {{problem: import('../client/api.js').Problem | null}} props
 */
export function InvitationProblem({ problem }) {
  const { say } = useLocale();
  if (problem?.code === "mail_off") return <ProblemNotice problem={problem} text={say("invitation.mail-off")} />;
  /** @type {Record<string, string>} */
  const texts = { not_found: "invitation_not_found", not_permitted: "owners_only" };
  return <ProblemNotice problem={problem} as={problem ? texts[problem.code] : undefined} />;
}

/** Says until when the link works, and if its mail is stuck. @param {{invitation: Invitation}} props */
function MailStatus({ invitation: { mail, expires_at } }) {
  const { say, format } = useLocale();
  if (Date.parse(expires_at) <= serverNow())
    return (
      <>
        <WarningIcon /> {say("invitations.expired", { at: format.dateTime(expires_at) })}
      </>
    );
  const until = say("invitations.until", { at: format.dateTime(expires_at) });
  if (mail === "sent" || mail === null) return until;
  if (mail === "queued") return say("invitations.mail.queued");
  return (
    <>
      <WarningIcon /> {say(`invitations.mail.${mail}`)}
    </>
  );
}

/**
 * @param {object} props
 * @param {Invitation} props.invitation
 * @param {() => void} props.onDone
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function Withdrawal({ invitation, onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({});
  const confirm = async () => {
    const answer = await form.submit([], () => withdrawInvitation(request, invitation));
    if (answer?.ok) onDone();
  };
  return (
    <Confirmation
      title={say("withdraw.title", { email: invitation.email })}
      body={say("withdraw.body")}
      confirm={say(form.busy ? "withdraw.busy" : "withdraw.confirm")}
      danger
      onConfirm={confirm}
      onCancel={() => form.leave(onCancel, onStale)}
    >
      <InvitationProblem problem={form.problem} />
    </Confirmation>
  );
}
