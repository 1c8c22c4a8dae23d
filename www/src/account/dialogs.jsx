// Changes and removes members. Each dialog says the effect, from when it holds, and the way back.
import { loadSession, useSession } from "../client/session.jsx";
import { sayWithin } from "../i18n/bound.js";
import { useLocale } from "../i18n/locale.jsx";
import { Confirmation } from "../ui/confirmation.jsx";
import { Dialog } from "../ui/dialog.jsx";
import { Form, FormActions } from "../ui/fields.jsx";
import { useForm } from "../ui/form.js";
import { Notice } from "../ui/notice.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { changeRole, endSessionsOf, removeMember, resetFactors } from "./requests.js";
import { RoleChoice } from "./roles.jsx";

/**
 * @typedef {import('./requests.js').Member} Member
 * @typedef {import('../ui/result.jsx').Bound} Bound
 * @typedef {'role' | 'end-sessions' | 'reset-factors' | 'remove' | 'leave'} Action
 *
 * @typedef {object} ActionProps
 * @property {Member} subject
 * @property {boolean} isLastOwner `true` if no other owner would remain
 * @property {(act: string, member: Member | null, bound?: Bound | null) => void} onDone gets the
 *   member as it is now, `null` if it is gone, and the bound if keys ended
 * @property {() => void} onStale called if the page may show what is no longer so
 * @property {() => void} onCancel
 */

/**
 * Returns what one may do to a member. Owners alone manage the others; everybody may leave.
 * @param {Member} member
 * @param {boolean} owner `true` if the one who acts is an owner
 * @returns {Action[]}
 */
export function actionsOn(member, owner) {
  if (member.you) return owner ? ["role", "leave"] : ["leave"];
  if (!owner) return [];
  /** @type {(Action | null)[]} */
  const all = ["role", member.sessions > 0 ? "end-sessions" : null, member.mfa ? "reset-factors" : null, "remove"];
  return all.filter((action) => action !== null);
}

/** @param {ActionProps & {what: Action}} props */
export function ActionDialog({ what, ...props }) {
  const { say } = useLocale();
  const { session, leave } = useSession();
  const { name, email, sessions, keys_ending } = props.subject;
  /** @param {'remove' | 'leave'} act */
  const bodyOf = (act) => {
    if (keys_ending === null || keys_ending === undefined) return say(`${act}.body`, { email });
    if (keys_ending === 0) return say(`${act}.no-keys`, { email });
    return sayWithin(say, `${act}.keys`, session.account, { count: keys_ending, email });
  };
  if (what === "role") return <RoleDialog {...props} />;
  if (what === "leave" && props.isLastOwner) return <LastOwner onCancel={props.onCancel} />;
  if (what === "leave")
    return (
      <Removal
        {...props}
        what={what}
        title={say("leave.title", { account: session.account.name })}
        body={bodyOf("leave")}
        onDone={leave}
      />
    );
  if (what === "remove")
    return (
      <Removal
        {...props}
        what={what}
        title={say("remove.title", { name })}
        body={bodyOf("remove")}
        onDone={(bound) => props.onDone("removed", null, bound)}
      />
    );
  if (what === "reset-factors")
    return (
      <Removal
        {...props}
        what={what}
        title={say("reset-factors.title", { name })}
        body={say("reset-factors.body", { email })}
        onDone={() => props.onDone("factors_reset", { ...props.subject, mfa: false, sessions: 0 })}
      />
    );
  return (
    <Removal
      {...props}
      what={what}
      title={say("end-sessions.title", { name })}
      body={say("end-sessions.body", { count: sessions })}
      onDone={() => props.onDone("signed_out", { ...props.subject, sessions: 0 })}
    />
  );
}

/** Requests by action. */
const SENDING = {
  "end-sessions": endSessionsOf,
  "reset-factors": resetFactors,
  remove: removeMember,
  leave: removeMember,
};

/**
 * Confirms what ends a membership, its sessions or its second factors.
 * @param {object} props
 * @param {'end-sessions' | 'reset-factors' | 'remove' | 'leave'} props.what
 * @param {string} props.title
 * @param {string} props.body
 * @param {Member} props.subject
 * @param {(bound: Bound | null) => void} props.onDone gets the time from which the member's keys
 *   are refused, if some ended
 * @param {() => void} props.onStale
 * @param {() => void} props.onCancel
 */
function Removal({ what, title, body, subject, onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { request } = useSession();
  const form = useForm({});
  const confirm = async () => {
    const answer = await form.submit([], () => SENDING[what](request, subject));
    if (answer?.ok) onDone(answer.data?.bound ?? null);
  };
  return (
    <Confirmation
      title={title}
      body={body}
      confirm={say(form.busy ? `${what}.busy` : `${what}.confirm`)}
      danger={what !== "end-sessions"}
      onConfirm={confirm}
      onCancel={() => form.leave(onCancel, onStale)}
    >
      <MemberProblem problem={form.problem} />
    </Confirmation>
  );
}

/** Says why the last owner stays, and what to do first. @param {{onCancel: () => void}} props */
function LastOwner({ onCancel }) {
  const { say } = useLocale();
  return (
    <Dialog role="alertdialog" title={say("leave.last.title")} describedBy="last-owner" onCancel={onCancel}>
      <p id="last-owner">{say("leave.last.body")}</p>
      <div class="actions">
        <button type="button" onClick={onCancel} data-focus="">
          {say("close")}
        </button>
      </div>
    </Dialog>
  );
}

/** @param {ActionProps} props */
function RoleDialog({ subject, isLastOwner, onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { request, enter } = useSession();
  const form = useForm({ role: subject.role });
  const { role } = form.values;
  const meanwhile = form.problem?.code === "changed_meanwhile";
  const leave = () => form.leave(onCancel, onStale);

  const submit = async () => {
    if (role === subject.role && !meanwhile) return onCancel();
    const answer = await form.submit([], () => changeRole(request, subject, role));
    if (answer?.problem?.code === "changed_meanwhile") return onStale();
    if (!answer?.ok) return undefined;
    onDone(`now_${role}`, answer.data.member);
    // What the page offers depends on the member's own role.
    const own = subject.you ? await loadSession() : null;
    return own?.ok && enter(own.data);
  };
  return (
    <Dialog title={say("role-change.title", { name: subject.name })} onCancel={leave} dirty={form.dirty}>
      <Form onSubmit={submit} busy={form.busy}>
        {meanwhile ? (
          <Notice about={form.problem} bad={false}>
            <p>{say("role-change.meanwhile", { role: say(`role.${subject.role}`) })}</p>
          </Notice>
        ) : (
          <MemberProblem problem={form.problem} />
        )}
        <RoleChoice value={role} onChange={(chosen) => form.change({ role: chosen })} first />
        <p class="hint">{say("role-change.at-once")}</p>
        {subject.role === "owner" && role !== "owner" && (subject.you || isLastOwner) && (
          <p class="notice">{say(isLastOwner ? "problem.last_owner" : "role-change.self")}</p>
        )}
        <FormActions submit={say(form.busy ? "role-change.busy" : "role-change.submit")} onCancel={leave} />
      </Form>
    </Dialog>
  );
}

/** @param {{problem: import('../client/api.js').Problem | null}} props */
const MemberProblem = ({ problem }) => (
  <ProblemNotice
    problem={problem}
    as={
      problem?.code === "not_found" ? "member_not_found" : problem?.code === "not_permitted" ? "owners_only" : undefined
    }
  />
);
