// Draws the filters of the list, which the server applies: status, issuer, expiry and last use. On
// phones, which have no table head, it also holds the order.
import { policyOf } from "../client/policy.js";
import { go, listAddress } from "../client/route.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ChoiceField, FilterPanel, OrderField } from "../ui/filters.jsx";
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
  /** @param {Record<string, string>} change */
  const apply = (change) => go(listAddress({ q: query.q, sort: query.sort, ...set, ...change }));
  return (
    <FilterPanel count={Object.keys(set).length} cleared={listAddress({ q: query.q, sort: query.sort })}>
      {Object.entries(VALUES).map(([name, values]) => {
        const chosen = set[name] === session.member.id ? "me" : (set[name] ?? "");
        // A link may ask for more than the choices, such as the keys of one issuer.
        const usual = values.filter((value) => value !== "mfa_off" || policyOf(session).demands_mfa);
        return (
          <ChoiceField
            key={name}
            id={`keys-${name}`}
            label={say(`filters.${name}`)}
            value={chosen}
            values={usual.includes(chosen) ? usual : [...usual, chosen]}
            textOf={(value) => (values.includes(value) ? say(`filters.${name}.${value || "any"}`) : value)}
            onChoose={(value) => apply({ [name]: value === "me" ? session.member.id : value })}
          />
        );
      })}
      {withOrder && (
        <OrderField
          id="keys-order"
          value={query.sort || FIRST_ORDER}
          values={ORDERS}
          onChoose={(sort) => apply({ sort })}
        />
      )}
    </FilterPanel>
  );
}
