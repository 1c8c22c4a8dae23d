// Keeps the selected rows of the page shown. Another page, search or order clears the selection.
import { useEffect, useMemo, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { CrossIcon } from "../ui/icons.jsx";
import { isSelectable } from "./parts.jsx";

/** @param {Pick<import('./list.js').List, 'keys' | 'asked'>} list */
export function useSelection({ keys, asked }) {
  const [ids, setIds] = useState(/** @type {string[]} */ ([]));
  const place = asked && JSON.stringify(asked);
  useEffect(() => setIds([]), [place]);
  // In the order of the rows, without keys that can no longer be deleted.
  const rows = useMemo(() => keys.filter((key) => ids.includes(key.id) && isSelectable(key)), [keys, ids]);
  return { rows, ids: new Set(rows.map(({ id }) => id)), set: setIds, clear: () => setIds([]) };
}

/**
 * Draws the bar above the rows: the number of keys or, once some are selected, the actions on them.
 * Both stand in the same place, so that a tick never moves the rows.
 * @param {object} props
 * @param {ReturnType<typeof useSelection>} props.selection
 * @param {import('preact').ComponentChildren} [props.tick] checkbox for all rows
 * @param {(keys: import('../key/model.js').Key[]) => void} props.onDisable
 * @param {(keys: import('../key/model.js').Key[]) => void} props.onDelete
 * @param {() => void} props.onClear
 * @param {import('preact').ComponentChildren} props.children shown while no row is selected
 */
export function SelectionBar({ selection, tick, onDisable, onDelete, onClear, children }) {
  const { say } = useLocale();
  const count = selection.rows.length;
  return (
    <div class="list-bar">
      {tick && <div class="check">{tick}</div>}
      <div class={count ? "list-bar-states picking" : "list-bar-states"}>
        <div class="unpicked">{children}</div>
        <div class="picked-actions">
          <p>{say("selection.count", { count })}</p>
          {(!count || selection.rows.some(({ enabled }) => enabled)) && (
            <button type="button" onClick={() => onDisable(selection.rows)}>
              {say("selection.disable")}
            </button>
          )}
          <button type="button" class="danger-quiet" onClick={() => onDelete(selection.rows)}>
            {say("selection.delete")}
          </button>
          <button type="button" class="quiet icon-only" aria-label={say("selection.clear")} onClick={onClear}>
            <CrossIcon />
          </button>
        </div>
      </div>
    </div>
  );
}
