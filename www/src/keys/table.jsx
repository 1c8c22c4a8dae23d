// Draws the table of keys. It stays a table at every width; narrow screens drop columns, which the
// key's page shows.
import { Fragment } from "preact";
import { go, keyAddress, listAddress } from "../client/route.js";
import { canManageKeys, useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Issuer } from "../key/issuer.jsx";
import { actionsOn } from "../key/model.js";
import { ShowButton } from "../key/reveal.jsx";
import { Status } from "../key/status.jsx";
import { Expiry, LastUse, TimeAgo } from "../key/times.jsx";
import { RefusedLine } from "../key/use.jsx";
import { useMedia, useTick } from "../ui/browser.js";
import { AscendingIcon, DescendingIcon, LockIcon } from "../ui/icons.jsx";
import { ResultNote } from "../ui/result.jsx";
import { FIRST_ORDER } from "./list.js";
import { RowMenu } from "./menu.jsx";

const NETWORKS_SHOWN = 2;

/** Returns the ID of the element that takes the focus for a row. @param {{id: string}} key */
export const nameId = (key) => `key-${key.id}`;

/**
 * Returns `true` if the key can be deleted together with others.
 * @param {import('../key/model.js').Key} key
 */
export const isSelectable = (key) => actionsOn(key).includes("delete");

/**
 * @typedef {import('../key/model.js').Key} Key
 * @typedef {{selection: boolean, networks: boolean, issued: boolean, used: boolean, menu: boolean}}
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
  const used = useMedia("(min-width: 40rem)");
  const networks = useMedia("(min-width: 48rem)");
  const issued = useMedia("(min-width: 60rem)");
  useTick();

  const changes = canManageKeys(session);
  const columns = { selection: changes, networks, issued, used, menu: changes };
  const width = 3 + Object.values(columns).filter(Boolean).length;
  const sorted = query.sort || FIRST_ORDER;
  /** @param {string} by @param {string} first @param {{rowSpan?: number, label?: string}} [rest] */
  const head = (by, first, rest) => <SortedHead by={by} first={first} sorted={sorted} query={query} {...rest} />;
  return (
    <table class="keys">
      <caption class="unseen">{say("keys.caption")}</caption>
      <thead>
        <tr>
          {columns.selection && <SelectAll rows={rows} selected={selected} onSelect={onSelect} />}
          {head("name", "name", { rowSpan: 2 })}
          <th scope="col" rowSpan={2}>
            {say("column.status")}
          </th>
          <th scope="colgroup" colSpan={columns.networks ? 2 : 1} class="group">
            <span>{say("column.restriction")}</span>
          </th>
          {columns.issued && head("created", "-created", { rowSpan: 2, label: "column.issued" })}
          {columns.used && (
            <th scope="col" rowSpan={2}>
              {say("column.used")}
            </th>
          )}
          {columns.menu && (
            <th scope="col" rowSpan={2}>
              <span class="unseen">{say("column.menu")}</span>
            </th>
          )}
        </tr>
        <tr>
          {head("expires", "expires")}
          {columns.networks && <th scope="col">{say("column.networks")}</th>}
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
                fresh={mine?.act === "issued"}
                selected={selected.has(row.id)}
                onSelect={toggle}
                onAct={onAct}
              />
              {mine && (
                <tr class="result-row">
                  <td colSpan={width}>
                    <ResultNote result={mine} />
                  </td>
                </tr>
              )}
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}

/**
 * Draws the head of a column by which the server sorts.
 * @param {object} props
 * @param {string} props.by
 * @param {string} props.first order of the first click
 * @param {string} props.sorted present order
 * @param {Record<string, string>} props.query
 * @param {string} [props.label]
 * @param {number} [props.rowSpan]
 */
function SortedHead({ by, first, sorted, query, label = `column.${by}`, ...cell }) {
  const { say } = useLocale();
  const isSorted = sorted.replace("-", "") === by;
  const descending = sorted.startsWith("-");
  const flipped = descending ? by : `-${by}`;
  const sort = () => go(listAddress({ q: query.q, sort: isSorted ? flipped : first }));
  const Arrow = descending ? DescendingIcon : AscendingIcon;
  return (
    <th scope="col" aria-sort={isSorted ? (descending ? "descending" : "ascending") : undefined} {...cell}>
      <button type="button" class="sort" onClick={sort}>
        {say(label)}
        {isSorted && <Arrow />}
      </button>
    </th>
  );
}

/**
 * Draws the checkbox that selects all rows of the page, and nothing beyond it.
 * @param {{rows: Key[], selected: Set<string>, onSelect: (ids: string[]) => void}} props
 */
function SelectAll({ rows, selected, onSelect }) {
  const { say } = useLocale();
  const ids = rows.filter(isSelectable).map(({ id }) => id);
  const all = ids.length > 0 && ids.every((id) => selected.has(id));
  return (
    <th scope="col" rowSpan={2} class="check">
      <label>
        <input
          type="checkbox"
          aria-label={say("selection.all", { count: ids.length })}
          checked={all}
          ref={(box) => {
            if (box) box.indeterminate = !all && selected.size > 0;
          }}
          disabled={ids.length === 0}
          onChange={() => onSelect(all ? [] : ids)}
        />
      </label>
    </th>
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
  const isDeleted = row.status === "deleted";
  return (
    <tr class={fresh ? "fresh" : selected ? "selected" : undefined}>
      {columns.selection && (
        <td class="check">
          {isSelectable(row) && (
            <label>
              <input
                type="checkbox"
                aria-label={say("selection.one", { name: row.name })}
                checked={selected}
                onChange={(event) => onSelect(event.currentTarget.checked)}
              />
            </label>
          )}
        </td>
      )}
      <th scope="row">
        <a id={nameId(row)} href={keyAddress(row.id)}>
          {row.name}
        </a>
        {fresh && <span class="tag">{say("keys.new")}</span>}
        {row.protected && (
          <span class="tag plain">
            <LockIcon /> {say("key.protected")}
          </span>
        )}
        <code class="id" translate={false}>
          {row.access_key}
        </code>
        {row.viewable && !isDeleted && columns.menu && <ShowButton subject={row} />}
      </th>
      <td>
        <Status subject={row} />
      </td>
      <td>
        <Expiry at={row.expires_at} short />
      </td>
      {columns.networks && (
        <td class="networks">
          <Networks networks={row.networks} />
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
      {columns.used && (
        <td class="used">
          <LastUse subject={row} />
          <RefusedLine subject={row} />
        </td>
      )}
      {columns.menu && (
        <td class="menu-cell">
          <RowMenu subject={row} onAct={onAct} />
        </td>
      )}
    </tr>
  );
}

/**
 * Shows the first networks and the number of others; the key's page has all.
 * @param {{networks: string[]}} props
 */
function Networks({ networks }) {
  const { say } = useLocale();
  if (!networks.length) return say("networks.anywhere");
  return (
    <>
      {networks.slice(0, NETWORKS_SHOWN).map((network) => (
        <code key={network} class="line">
          {network}
        </code>
      ))}
      {networks.length > NETWORKS_SHOWN && (
        <span class="by">{say("networks.more", { count: networks.length - NETWORKS_SHOWN })}</span>
      )}
    </>
  );
}
