// Ticked rows: those of the page that is shown. Another page, filter or order clears them.
import { useEffect, useMemo, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale.jsx";
import { Passing } from "../ui/focus.jsx";
import { isTickable } from "./table.jsx";

/** @param {{keys: import('../key/model.js').Key[], asked: object | null}} list */
export function useTicks({ keys, asked }) {
  const [ids, setIds] = useState(/** @type {string[]} */ ([]));
  const place = asked && [asked.q, asked.sort, asked.cursor].join(" ");
  useEffect(() => setIds([]), [place]);
  /** In the order of the rows, and only what can still be deleted: somebody else may have been quicker. */
  const rows = useMemo(() => keys.filter((key) => ids.includes(key.id) && isTickable(key)), [keys, ids]);
  return { rows, ids: new Set(rows.map(({ id }) => id)), set: setIds, clear: () => setIds([]) };
}

/** The bar above the table, in the flow: what is ticked, and what can be done with it. */
export function TickBar({ ticks, onDelete }) {
  const { say } = useLocale();
  if (!ticks.rows.length) return null;
  return (
    <Passing class="tick-bar">
      <p>{say("ticks.count", { count: ticks.rows.length })}</p>
      <button type="button" class="danger-quiet" onClick={() => onDelete(ticks.rows)}>
        {say("ticks.delete")}
      </button>
      <button type="button" class="quiet" onClick={ticks.clear}>
        {say("ticks.clear")}
      </button>
    </Passing>
  );
}
