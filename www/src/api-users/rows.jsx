// Draws the API users: a table where it has room, and cards on phones. The table drops columns that
// have no room; the user's page shows them.
import { Fragment } from "preact";
import { userAddress, usersAddress } from "../client/route.js";
import { canManageKeys, useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { FirstNetworks } from "../key/limits.jsx";
import { Expiry, LastUse } from "../key/times.jsx";
import { useMedia, useTick } from "../ui/browser.js";
import { Detail } from "../ui/detail.jsx";
import { MenuHead, RowMenu } from "../ui/menu.jsx";
import { ResultNote, ResultRow } from "../ui/result.jsx";
import { SortedHead } from "../ui/sorted-head.jsx";
import { FIRST_ORDER } from "./list.js";
import { actionsOn } from "./requests.js";
import { UserStatus, interfacesText } from "./status.jsx";

/** Returns the ID of the element that takes the focus for a row. @param {{id: string}} user */
export const nameId = (user) => `user-${user.id}`;

/**
 * @typedef {import('./requests.js').ApiUser} ApiUser
 * @typedef {(what: import('./requests.js').Action, user: ApiUser) => void} OnAct
 *
 * @typedef {object} Rows
 * @property {ApiUser[]} rows
 * @property {import('./requests.js').UserResult | null} result of the last action, at its user
 * @property {OnAct} onAct
 */

/** @param {Rows & {query: Record<string, string>}} props */
export function UsersTable({ rows, query, result, onAct }) {
  const { say } = useLocale();
  const { session } = useSession();
  const group = useMedia("(min-width: 56rem)");
  const networks = useMedia("(min-width: 66rem)");
  const interfaces = useMedia("(min-width: 74rem)");
  useTick();

  const changes = canManageKeys(session);
  const columns = { group, networks, interfaces, menu: changes };
  const width = 4 + Object.values(columns).filter(Boolean).length;
  const sorted = query.sort || FIRST_ORDER;
  /** @param {string} sort */
  const address = (sort) => usersAddress({ q: query.q, status: query.status, sort });
  /** @param {string} by @param {string} label @param {string} [first] */
  const head = (by, label, first) => (
    <SortedHead by={by} first={first} sorted={sorted} address={address} label={say(label)} />
  );
  return (
    <table class="keys listed users">
      <caption class="unseen">{say("api-user.caption")}</caption>
      <colgroup>
        <col />
        <col class="status-width" />
        {group && <col class={interfaces ? "group-width" : "interfaces-width"} />}
        {interfaces && <col class="interfaces-width" />}
        <col class="expires-width" />
        {networks && <col class="networks-width" />}
        <col class="used-width" />
        {changes && <col class="menu-width" />}
      </colgroup>
      <thead>
        {/* The second row holds every button, so that the focus moves from left to right. */}
        <tr>
          <td colSpan={2 + [group, interfaces].filter(Boolean).length} />
          <th scope="colgroup" colSpan={networks ? 2 : 1} class="group">
            <span>{say("column.restriction")}</span>
          </th>
          <td colSpan={changes ? 2 : 1} />
        </tr>
        <tr>
          {head("name", "api-user.name")}
          <th scope="col">{say("column.status")}</th>
          {group && <th scope="col">{say("api-user.group")}</th>}
          {interfaces && <th scope="col">{say("api-user.interfaces")}</th>}
          <th scope="col">{say("column.expires")}</th>
          {networks && <th scope="col">{say("column.networks")}</th>}
          {head("used", "column.used", "-used")}
          {changes && <MenuHead />}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const mine = result?.keys[0].id === row.id ? result : null;
          return (
            <Fragment key={row.id}>
              <Row row={row} columns={columns} fresh={mine?.act === "user_added"} onAct={onAct} />
              {mine && <ResultRow result={mine} columns={width} />}
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}

/**
 * @param {object} props
 * @param {ApiUser} props.row
 * @param {{group: boolean, networks: boolean, interfaces: boolean, menu: boolean}} props.columns
 * @param {boolean} props.fresh
 * @param {OnAct} props.onAct
 */
function Row({ row, columns, fresh, onAct }) {
  const locale = useLocale();
  const { say } = locale;
  const interfaces = interfacesText(locale, row.interfaces);
  return (
    <tr class={fresh ? "fresh" : undefined}>
      <th scope="row">
        <NameAndId row={row} fresh={fresh} onAct={onAct} />
      </th>
      <td>
        <UserStatus subject={row} />
      </td>
      {columns.group && (
        <td>
          {say(`api-user.group.${row.group}`)}
          {!columns.interfaces && <span class="by">{interfaces}</span>}
        </td>
      )}
      {columns.interfaces && <td>{interfaces}</td>}
      <td>
        <Expiry at={row.expires_at} short />
      </td>
      {columns.networks && (
        <td>
          <FirstNetworks networks={row.networks} />
        </td>
      )}
      <td>
        <LastUse subject={row} />
      </td>
      {columns.menu && (
        <td class="menu-cell">
          <UserMenu subject={row} onAct={onAct} />
        </td>
      )}
    </tr>
  );
}

/** @param {Rows} props */
export function UserCards({ rows, result, onAct }) {
  const locale = useLocale();
  const { say } = locale;
  const { session } = useSession();
  useTick();
  return (
    <ul class="key-cards" aria-label={say("api-user.caption")}>
      {rows.map((row) => {
        const mine = result?.keys[0].id === row.id ? result : null;
        const fresh = mine?.act === "user_added";
        return (
          <li key={row.id} class={fresh ? "fresh" : undefined}>
            <div class="key-card-head">
              <h3>
                <NameAndId row={row} fresh={fresh} onAct={onAct} />
              </h3>
              {canManageKeys(session) && <UserMenu subject={row} onAct={onAct} />}
            </div>
            <dl>
              <Detail term={say("column.status")}>
                <UserStatus subject={row} />
              </Detail>
              <Detail term={say("column.used")}>
                <LastUse subject={row} />
              </Detail>
              <Detail term={say("api-user.group")}>{say(`api-user.group.${row.group}`)}</Detail>
              <Detail term={say("api-user.interfaces")}>{interfacesText(locale, row.interfaces)}</Detail>
              <Detail term={say("column.expires")}>
                <Expiry at={row.expires_at} short />
              </Detail>
              <Detail term={say("column.networks")}>
                <FirstNetworks networks={row.networks} />
              </Detail>
            </dl>
            {mine && <ResultNote result={mine} />}
          </li>
        );
      })}
    </ul>
  );
}

/**
 * Draws the name with the ID below it. It opens the editor; where nothing can be edited, it leads
 * to the user's page.
 * @param {{row: ApiUser, fresh: boolean, onAct: OnAct}} props
 */
function NameAndId({ row, fresh, onAct }) {
  const { say } = useLocale();
  const { session } = useSession();
  const edits = canManageKeys(session) && row.status !== "deleted";
  return (
    <>
      {edits ? (
        <button
          type="button"
          class="link name"
          id={nameId(row)}
          aria-haspopup="dialog"
          onClick={() => onAct("edit", row)}
        >
          <bdi>{row.name}</bdi>
        </button>
      ) : (
        <a id={nameId(row)} href={userAddress(row.id)}>
          <bdi>{row.name}</bdi>
        </a>
      )}
      {fresh && <span class="tag">{say("keys.new")}</span>}
      <code class="id" translate={false}>
        {row.id}
      </code>
    </>
  );
}

/** @param {{subject: ApiUser, onAct: OnAct}} props */
const UserMenu = ({ subject, onAct }) => (
  <RowMenu
    name={subject.name}
    page={userAddress(subject.id)}
    actions={actionsOn(subject)}
    onAct={(what) => onAct(what, subject)}
  />
);
