// Draws what a row of the table and a card have in common.
import { keyAddress } from "../client/route.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { actionsOn } from "../key/model.js";
import { ShowButton, isShowable } from "../key/reveal.jsx";
import { LockIcon } from "../ui/icons.jsx";

/** @typedef {import('../key/model.js').Key} Key */

/** Returns the ID of the element that takes the focus for a row. @param {{id: string}} key */
export const nameId = (key) => `key-${key.id}`;

/**
 * Returns `true` if the key can be deleted together with others.
 * @param {Key} key
 */
export const isSelectable = (key) => actionsOn(key).includes("delete");

/**
 * Draws the checkbox of one row. Its label fills the space around it.
 * @param {{row: Key, selected: boolean, onSelect: (selected: boolean) => void}} props
 */
export function Tick({ row, selected, onSelect }) {
  const { say } = useLocale();
  if (!isSelectable(row)) return null;
  return (
    <label>
      <input
        type="checkbox"
        aria-label={say("selection.one", { name: row.name })}
        checked={selected}
        onChange={(event) => onSelect(event.currentTarget.checked)}
      />
    </label>
  );
}

/**
 * Draws the checkbox that selects all rows of the page, and nothing beyond it.
 * @param {{rows: Key[], selected: Set<string>, onSelect: (ids: string[]) => void}} props
 */
export function TickAll({ rows, selected, onSelect }) {
  const { say } = useLocale();
  const ids = rows.filter(isSelectable).map(({ id }) => id);
  const all = ids.length > 0 && ids.every((id) => selected.has(id));
  return (
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
  );
}

/**
 * Draws the name, which links to the key's page, with the marks, the ID and the button that shows
 * the key.
 * @param {{row: Key, fresh: boolean, changes: boolean}} props `changes` is `true` if the member may
 *   change keys
 */
export function NameAndId({ row, fresh, changes }) {
  const { say } = useLocale();
  const { session } = useSession();
  return (
    <>
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
      {changes && isShowable(row, session) && <ShowButton subject={row} />}
    </>
  );
}
