// Draws the search, the filter by status and, on phones, the order. The server applies them.
import { useState } from "preact/hooks";
import { go, usersAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { ChoiceField, FilterPanel, OrderField } from "../ui/filters.jsx";
import { SearchField } from "../ui/search.jsx";
import { FILTER, FIRST_ORDER } from "./list.js";

const ORDERS = ["name", "-name", "-used", "used", "-created", "created"];

/** @param {{query: Record<string, string>}} props */
export function UserSearch({ query: { q = "", sort, status } }) {
  const { say } = useLocale();
  const [cut, setCut] = useState(false);
  return (
    <SearchField
      q={q}
      label={say("api-user.search")}
      onSearch={(words) => go(usersAddress({ q: words, sort, status }), { replace: true })}
      onType={(_, isCut) => setCut(isCut)}
      onOtherWords={() => setCut(false)}
      note={cut && say("api-user.search.cut")}
    />
  );
}

/** @param {{query: Record<string, string>, withOrder: boolean}} props */
export function UserFilters({ query: { q, sort, status = "" }, withOrder }) {
  const { say } = useLocale();
  return (
    <FilterPanel count={status ? 1 : 0} cleared={usersAddress({ q, sort })}>
      <ChoiceField
        id="users-status"
        label={say("filters.status")}
        value={status}
        values={FILTER}
        textOf={(value) => say(value ? `filters.status.${value}` : "api-user.filter.present")}
        onChoose={(value) => go(usersAddress({ q, sort, status: value }))}
      />
      {withOrder && (
        <OrderField
          id="users-order"
          value={sort || FIRST_ORDER}
          values={ORDERS}
          onChoose={(order) => go(usersAddress({ q, status, sort: order }))}
        />
      )}
    </FilterPanel>
  );
}
