// Draws the members: a table where it has room, and cards on phones.
import { Fragment } from "preact";
import { membersAddress } from "../client/route.js";
import { isOwner, useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { TimeAgo } from "../key/times.jsx";
import { Detail } from "../ui/detail.jsx";
import { MenuHead, RowMenu } from "../ui/menu.jsx";
import { ResultNote, ResultRow } from "../ui/result.jsx";
import { SortedHead } from "../ui/sorted-head.jsx";
import { actionsOn } from "./dialogs.jsx";

/** Returns the ID of the button of a member's menu. @param {string} id */
export const memberButton = (id) => `actions-${id}`;

/**
 * @typedef {import('./requests.js').Member} Member
 *
 * @typedef {object} Rows
 * @property {Member[]} rows
 * @property {(import('../ui/result.jsx').Result & {id: string}) | null} result shown at its member
 * @property {(what: import('./dialogs.jsx').Action, member: Member) => void} onAct
 */

/** @param {Rows & {query: Record<string, string>}} props */
export function MembersTable({ rows, query, result, onAct }) {
  const { say } = useLocale();
  /** @param {import('./list.js').Column} by @param {string} label @param {string} [first] */
  const head = (by, label, first = by) => (
    <SortedHead
      by={by}
      first={first}
      label={say(label)}
      sorted={query.sort || "name"}
      address={(sort) => membersAddress({ q: query.q, sort })}
    />
  );
  return (
    <table class="keys listed members">
      <caption class="unseen">{say("members.caption")}</caption>
      <colgroup>
        <col />
        <col class="role-width" />
        <col class="seen-width" />
        <col class="menu-width" />
      </colgroup>
      <thead>
        <tr>
          {head("name", "column.name")}
          {head("role", "members.role")}
          {head("seen", "members.seen", "-seen")}
          <MenuHead />
        </tr>
      </thead>
      <tbody>
        {rows.map((member) => (
          <Fragment key={member.id}>
            <tr>
              <th scope="row">
                <Name member={member} />
                <span class="by">{member.email}</span>
              </th>
              <td>{say(`role.${member.role}`)}</td>
              <td>
                <LastSeen member={member} />
              </td>
              <td class="menu-cell">
                <MemberActions member={member} onAct={onAct} />
              </td>
            </tr>
            {result?.id === member.id && <ResultRow result={result} columns={4} />}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

/** @param {Rows} props */
export function MemberCards({ rows, result, onAct }) {
  const { say } = useLocale();
  return (
    <ul class="key-cards" aria-label={say("members.caption")}>
      {rows.map((member) => (
        <li key={member.id}>
          <div class="key-card-head">
            <h3>
              <Name member={member} />
              <span class="by">{member.email}</span>
            </h3>
            <MemberActions member={member} onAct={onAct} />
          </div>
          <dl>
            <Detail term={say("members.role")}>{say(`role.${member.role}`)}</Detail>
            <Detail term={say("members.seen")}>
              <LastSeen member={member} />
            </Detail>
          </dl>
          {result?.id === member.id && <ResultNote result={result} />}
        </li>
      ))}
    </ul>
  );
}

/** @param {{member: Member}} props */
function Name({ member: { name, you, mfa } }) {
  const { say } = useLocale();
  return (
    <>
      <strong>
        <bdi>{name}</bdi>
      </strong>
      {you && <span class="tag">{say("members.you")}</span>}
      {mfa && <span class="tag">{say("members.mfa")}</span>}
    </>
  );
}

/** @param {{member: Member}} props */
function LastSeen({ member: { seen_at, sessions } }) {
  const { say } = useLocale();
  return (
    <>
      {seen_at ? <TimeAgo at={seen_at} /> : say("members.never")}
      {sessions > 0 && <span class="by">{say("members.browsers", { count: sessions })}</span>}
    </>
  );
}

/** @param {{member: Member, onAct: Rows['onAct']}} props */
function MemberActions({ member, onAct }) {
  const { session } = useSession();
  const actions = actionsOn(member, isOwner(session));
  if (!actions.length) return null;
  return (
    <RowMenu
      buttonId={memberButton(member.id)}
      name={member.name}
      actions={actions}
      onAct={(what) => onAct(what, member)}
    />
  );
}
