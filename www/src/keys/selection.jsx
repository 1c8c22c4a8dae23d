// Keeps the selected rows of the page shown. Another page, search or order clears the selection.
import { useEffect, useMemo, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { FocusFallback } from "../ui/focus.jsx";
import { isSelectable } from "./table.jsx";

/** @param {Pick<import('./list.js').Page, 'keys' | 'asked'>} list */
export function useSelection({ keys, asked }) {
  const [ids, setIds] = useState(/** @type {string[]} */ ([]));
  const place = asked && [asked.q, asked.sort, asked.cursor].join(" ");
  useEffect(() => setIds([]), [place]);
  // In the order of the rows, without keys that can no longer be deleted.
  const rows = useMemo(() => keys.filter((key) => ids.includes(key.id) && isSelectable(key)), [keys, ids]);
  return { rows, ids: new Set(rows.map(({ id }) => id)), set: setIds, clear: () => setIds([]) };
}

/**
 * Draws the bar above the table: the number of selected keys, and the actions on them.
 * @param {{selection: ReturnType<typeof useSelection>,
 *   onDelete: (keys: import('../key/model.js').Key[]) => void}} props
 */
export function SelectionBar({ selection, onDelete }) {
  const { say } = useLocale();
  if (!selection.rows.length) return null;
  return (
    <FocusFallback class="selection-bar">
      <p>{say("selection.count", { count: selection.rows.length })}</p>
      <button type="button" class="danger-quiet" onClick={() => onDelete(selection.rows)}>
        {say("selection.delete")}
      </button>
      <button type="button" class="quiet" onClick={selection.clear}>
        {say("selection.clear")}
      </button>
    </FocusFallback>
  );
}
