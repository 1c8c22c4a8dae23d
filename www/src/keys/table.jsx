// Draws the keys: a table where it has room, and cards on phones. The table drops columns that have
// no room; the key's page shows them.
import { Fragment } from "preact";
import { listAddress } from "../client/route.js";
import { canManageKeys, useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Issuer } from "../key/issuer.jsx";
import { FirstNetworks } from "../key/limits.jsx";
import { Status } from "../key/status.jsx";
import { Expiry, LastUse, TimeAgo } from "../key/times.jsx";
import { RefusedLine } from "../key/use.jsx";
import { useMedia, useTick } from "../ui/browser.js";
import { MenuHead } from "../ui/menu.jsx";
import { ResultRow } from "../ui/result.jsx";
import { SortedHead } from "../ui/sorted-head.jsx";
import { FIRST_ORDER, filtersOf } from "./list.js";
import { KeyMenu } from "./menu.jsx";
import { NameAndId, Tick, TickAll } from "./parts.jsx";

/**
 * @typedef {import('../key/model.js').Key} Key
 * @typedef {{selection: boolean, networks: boolean, issued: boolean, menu: boolean}}
 *   Columns
 */

/**
 * @param {object} props
 * @param {Key[]} props.rows
 * @param {Record<string, string>} props.query
 * @param {import('../key/model.js').KeyResult | null} props.result of the last action on one key,
 *   shown below its row
 * @param {Set<string>} props.selected IDs
 * @param {(ids: string[]) => void} props.onSelect
 * @param {import('./menu.jsx').OnAct} props.onAct
 */
export function Table({ rows, query, result, selected, onSelect, onAct }) {
  const { say } = useLocale();
  const { session } = useSession();
  const networks = useMedia("(min-width: 62rem)");
  const issued = useMedia("(min-width: 74rem)");
  useTick();

  const changes = canManageKeys(session);
  const columns = { selection: changes, networks, issued, menu: changes };
  const width = 4 + Object.values(columns).filter(Boolean).length;
  const behind = 1 + [issued, changes].filter(Boolean).length;
  const sorted = query.sort || FIRST_ORDER;
  /** @param {string} sort */
  const address = (sort) => listAddress({ q: query.q, ...filtersOf(query), sort });
  /** @param {string} by @param {string} first */
  const head = (by, first, label = `column.${by}`) => (
    <SortedHead by={by} first={first} sorted={sorted} address={address} label={say(label)} />
  );
  return (
    <table class="keys listed">
      <caption class="unseen">{say("keys.caption")}</caption>
      <colgroup>
        {columns.selection && <col class="check-width" />}
        <col />
        <col class="status-width" />
        <col class="expires-width" />
        {columns.networks && <col class="networks-width" />}
        {columns.issued && <col class="issued-width" />}
        <col class="used-width" />
        {columns.menu && <col class="menu-width" />}
      </colgroup>
      <thead>
        {/* The second row holds every button, so that the focus moves from left to right. */}
        <tr>
          {columns.selection && <td />}
          <td colSpan={2} />
          <th scope="colgroup" colSpan={columns.networks ? 2 : 1} class="group">
            <span>{say("column.restriction")}</span>
          </th>
          <td colSpan={behind} />
        </tr>
        <tr>
          {columns.selection && (
            <th scope="col" class="check">
              <TickAll rows={rows} selected={selected} onSelect={onSelect} />
            </th>
          )}
          {head("name", "name")}
          <th scope="col">{say("column.status")}</th>
          {head("expires", "expires")}
          {columns.networks && <th scope="col">{say("column.networks")}</th>}
          {columns.issued && head("created", "-created", "column.issued")}
          {head("used", "-used")}
          {columns.menu && <MenuHead />}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const mine = result?.keys[0].id === row.id ? result : null;
          /** @param {boolean} on */
          const toggle = (on) => onSelect(on ? [...selected, row.id] : [...selected].filter((id) => id !== row.id));
          return (
            <Fragment key={row.id}>
              <Row
                row={row}
                columns={columns}
                fresh={mine?.act === "issued" || mine?.act === "regenerated"}
                selected={selected.has(row.id)}
                onSelect={toggle}
                onAct={onAct}
              />
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
 * @param {Key} props.row
 * @param {Columns} props.columns
 * @param {boolean} props.fresh
 * @param {boolean} props.selected
 * @param {(selected: boolean) => void} props.onSelect
 * @param {import('./menu.jsx').OnAct} props.onAct
 */
function Row({ row, columns, fresh, selected, onSelect, onAct }) {
  const { say } = useLocale();
  return (
    <tr class={fresh ? "fresh" : selected ? "selected" : undefined}>
      {columns.selection && (
        <td class="check">
          <Tick row={row} selected={selected} onSelect={onSelect} />
        </td>
      )}
      <th scope="row">
        <NameAndId row={row} fresh={fresh} changes={columns.menu} />
      </th>
      <td>
        <Status subject={row} />
      </td>
      <td>
        <Expiry at={row.expires_at} short />
      </td>
      {columns.networks && (
        <td>
          <FirstNetworks networks={row.networks} />
        </td>
      )}
      {columns.issued && (
        <td class="issued">
          <TimeAgo at={row.created_at} />
          <span class="by">
            <Issuer subject={row} />
          </span>
          {row.issuable && <span class="tag plain">{say("key.issuable")}</span>}
        </td>
      )}
      <td>
        <LastUse subject={row} />
        <RefusedLine subject={row} />
      </td>
      {columns.menu && (
        <td class="menu-cell">
          <KeyMenu subject={row} onAct={onAct} />
        </td>
      )}
    </tr>
  );
}
