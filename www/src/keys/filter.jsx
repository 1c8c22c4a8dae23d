// Draws the filters of the list, which the server applies: status, issuer, expiry and last use. On
// phones, which have no table head, it also holds the order.
import { policyOf } from "../client/policy.js";
import { go, listAddress } from "../client/route.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Field } from "../ui/fields.jsx";
import { FIRST_ORDER, filtersOf } from "./list.js";

/** Values of each filter; the empty one is the default. */
const VALUES = {
  status: ["", "active", "disabled", "mfa_off", "not_yet_valid", "expired", "ended", "deleted", "all"],
  issuer: ["", "me", "members", "keys", "service"],
  expires: ["", "never", "7d", "30d", "90d"],
  used: ["", "1d", "7d", "30d", "never", "not-30d", "not-90d"],
};
const ORDERS = ["-created", "created", "name", "-name", "expires", "-expires", "-used", "used"];

/** @param {{query: Record<string, string>, withOrder: boolean}} props */
export function Filters({ query, withOrder }) {
  const { say } = useLocale();
  const { session } = useSession();
  const set = filtersOf(query);
  const count = Object.keys(set).length;
  /** @param {Record<string, string>} change */
  const apply = (change) => go(listAddress({ q: query.q, sort: query.sort, ...set, ...change }));
  return (
    <details class="filters">
      <summary>{count ? say("filters.set", { count }) : say("filters")}</summary>
      <div class="filter-fields">
        {Object.entries(VALUES).map(([name, values]) => {
          const chosen = set[name] === session.member.id ? "me" : (set[name] ?? "");
          // A link may ask for more than the choices, such as the keys of one issuer.
          const usual = values.filter((value) => value !== "mfa_off" || policyOf(session).demands_mfa);
          const offered = usual.includes(chosen) ? usual : [...usual, chosen];
          return (
            <Field key={name} id={`keys-${name}`} label={say(`filters.${name}`)}>
              {(control) => (
                <select
                  {...control}
                  value={chosen}
                  onChange={({ currentTarget: { value } }) =>
                    apply({ [name]: value === "me" ? session.member.id : value })
                  }
                >
                  {offered.map((value) => (
                    <option key={value} value={value}>
                      {values.includes(value) ? say(`filters.${name}.${value || "any"}`) : value}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          );
        })}
        {withOrder && (
          <Field id="keys-order" label={say("filters.order")}>
            {(control) => (
              <select
                {...control}
                value={query.sort || FIRST_ORDER}
                onChange={({ currentTarget: { value } }) => apply({ sort: value })}
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
        {count > 0 && (
          <a class="button" href={listAddress({ q: query.q, sort: query.sort })}>
            {say("filters.clear")}
          </a>
        )}
      </div>
    </details>
  );
}
