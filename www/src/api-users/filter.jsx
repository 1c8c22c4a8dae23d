// Draws the search, the filter by status and, on phones, the order. The server applies them.
import { useState } from "preact/hooks";
import { go, usersAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { Field } from "../ui/fields.jsx";
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
    <details class="filters">
      <summary>{status ? say("filters.set", { count: 1 }) : say("filters")}</summary>
      <div class="filter-fields">
        <Field id="users-status" label={say("filters.status")}>
          {(control) => (
            <select
              {...control}
              value={status}
              onChange={({ currentTarget: { value } }) => go(usersAddress({ q, sort, status: value }))}
            >
              {FILTER.map((value) => (
                <option key={value} value={value}>
                  {say(value ? `filters.status.${value}` : "api-user.filter.present")}
                </option>
              ))}
            </select>
          )}
        </Field>
        {withOrder && (
          <Field id="users-order" label={say("filters.order")}>
            {(control) => (
              <select
                {...control}
                value={sort || FIRST_ORDER}
                onChange={({ currentTarget: { value } }) => go(usersAddress({ q, status, sort: value }))}
              >
                {ORDERS.map((order) => (
                  <option key={order} value={order}>
                    {say(`order.${order}`)}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        {status && (
          <a class="button" href={usersAddress({ q, sort })}>
            {say("filters.clear")}
          </a>
        )}
      </div>
    </details>
  );
}
