// Ticked rows: those of the page that is shown. Another page, filter or order clears them.
import { useEffect, useMemo, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { FocusFallback } from "../ui/focus.jsx";
import { isSelectable } from "./table.jsx";

/** @param {{keys: import('../key/model.js').Key[], asked: object | null}} list */
export function useSelection({ keys, asked }) {
  const [ids, setIds] = useState(/** @type {string[]} */ ([]));
  const place = asked && [asked.q, asked.sort, asked.cursor].join(" ");
  useEffect(() => setIds([]), [place]);
  /** In the order of the rows, and only what can still be deleted: somebody else may have been quicker. */
  const rows = useMemo(() => keys.filter((key) => ids.includes(key.id) && isSelectable(key)), [keys, ids]);
  return { rows, ids: new Set(rows.map(({ id }) => id)), set: setIds, clear: () => setIds([]) };
}

/** The bar above the table, in the flow: what is ticked, and what can be done with it. */
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
