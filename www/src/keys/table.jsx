// The keys table. It stays a table at every width; narrow screens lose columns, which the key's page has.
import { Fragment } from "preact";
import { mayChange, useConsole } from "../console.jsx";
import { AscendingIcon, DescendingIcon } from "../icons.jsx";
import { useLocale } from "../locale.jsx";
import { go, keyAddress, listAddress } from "../route.js";
import { useMedia, useTick } from "../wait.jsx";
import { Expiry, Past } from "./moments.jsx";
import { OutcomeNote } from "./outcome.jsx";
import { RowMenu } from "./row-menu.jsx";
import { Status } from "./status.jsx";
import { FIRST_ORDER } from "./use-list.js";

const NETWORKS_SHOWN = 2;
const RELATIVE_TIMES_MS = 30_000;

/** Where the focus goes when a row is meant. @param {{id: string}} key */
export const nameId = (key) => `key-${key.id}`;

/**
 * @param {object} props
 * @param {import('./use-list.js').Row[]} props.rows
 * @param {Record<string, string>} props.query
 * @param {import('./key.js').Outcome | null} props.outcome of the last act, shown below its row
 * @param {(what: string, key: import('./key.js').Key) => void} props.onAct
 */
export function Table({ rows, query, outcome, onAct }) {
  const { say } = useLocale();
  const { session } = useConsole();
  const roomy = useMedia("(min-width: 48rem)");
  const wide = useMedia("(min-width: 64rem)");
  useTick(RELATIVE_TIMES_MS);

  const columns = { networks: roomy, times: wide, menu: mayChange(session) };
  const width = 3 + columns.networks + 2 * columns.times + columns.menu;
  const sorted = query.sort || FIRST_ORDER;
  const head = (by, first, rest) => <SortedHead by={by} first={first} sorted={sorted} query={query} {...rest} />;
  return (
    <table class="keys">
      <caption class="unseen">{say("keys.caption")}</caption>
      <thead>
        <tr>
          {head("name", "name", { rowSpan: 2 })}
          <th scope="col" rowSpan={2}>
            {say("column.status")}
          </th>
          <th scope="colgroup" colSpan={columns.networks ? 2 : 1} class="group">
            <span>{say("column.restriction")}</span>
          </th>
          {columns.times && head("created", "-created", { rowSpan: 2 })}
          {columns.times && head("changed", "-changed", { rowSpan: 2 })}
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
          const mine = outcome?.key.id === row.id ? outcome : null;
          return (
            <Fragment key={row.id}>
              {!row.deleted && <Row row={row} columns={columns} fresh={mine?.act === "issued"} onAct={onAct} />}
              {mine && (
                <tr class="outcome-row">
                  <td colSpan={width}>
                    <OutcomeNote outcome={mine} />
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

/** A column by which the server sorts. @param {{by: string, first: string, sorted: string, query: object}} props `first`: the order of the first click */
function SortedHead({ by, first, sorted, query, ...cell }) {
  const { say } = useLocale();
  const isSorted = sorted.replace("-", "") === by;
  const descending = sorted.startsWith("-");
  const flipped = descending ? by : `-${by}`;
  const sort = () => go(listAddress({ q: query.q, sort: isSorted ? flipped : first }));
  const Arrow = descending ? DescendingIcon : AscendingIcon;
  return (
    <th scope="col" aria-sort={isSorted ? (descending ? "descending" : "ascending") : undefined} {...cell}>
      <button type="button" class="sort" onClick={sort}>
        {say(`column.${by}`)}
        {isSorted && <Arrow />}
      </button>
    </th>
  );
}

function Row({ row, columns, fresh, onAct }) {
  const { say } = useLocale();
  return (
    <tr class={fresh ? "fresh" : undefined}>
      <th scope="row">
        <a id={nameId(row)} href={keyAddress(row.id)}>
          {row.name}
        </a>
        {fresh && <span class="tag">{say("keys.new")}</span>}
        <code class="id" translate={false}>
          {row.access_key}
        </code>
      </th>
      <td>
        <Status status={row.status} />
      </td>
      <td>
        <Expiry at={row.expires_at} short />
      </td>
      {columns.networks && (
        <td class="networks">
          <Networks networks={row.networks} />
        </td>
      )}
      {columns.times && (
        <td>
          <Past at={row.created_at} />
          <span class="by">{row.created_by}</span>
        </td>
      )}
      {columns.times && (
        <td>
          <Past at={row.changed_at} />
          <span class="by">{row.changed_by}</span>
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

/** The first networks, and how many more there are; the key's page has all. */
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
