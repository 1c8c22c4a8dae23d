// Draws the head of a column by which a table is sorted. Its order stands in the address bar.
import { go } from "../client/route.js";
import { AscendingIcon, DescendingIcon } from "./icons.jsx";

/**
 * @param {object} props
 * @param {string} props.by name of the order, to which `-` adds the other direction
 * @param {string} props.label
 * @param {string} [props.first] order of the first click
 * @param {string} props.sorted present order
 * @param {(sort: string) => string} props.address of the table in another order
 */
export function SortedHead({ by, label, first = by, sorted, address }) {
  const isSorted = sorted.replace("-", "") === by;
  const descending = sorted.startsWith("-");
  const sort = isSorted ? (descending ? by : `-${by}`) : first;
  const Arrow = descending ? DescendingIcon : AscendingIcon;
  return (
    <th scope="col" aria-sort={isSorted ? (descending ? "descending" : "ascending") : undefined}>
      <button type="button" class="sort" onClick={() => go(address(sort))}>
        {label}
        {isSorted && <Arrow />}
      </button>
    </th>
  );
}
