// Shows that somebody changed the key meanwhile: both versions side by side, and the choice between
// them.
import { useLocale } from "../../i18n/locale.jsx";
import { limitsFields, merged, valuesOf } from "../form/values.js";
import { Versions, beginOf, endOf } from "./versions.jsx";

/**
 * @typedef {import('../form/values.js').KeyValues} KeyValues
 * @typedef {import('../../i18n/locale.jsx').Locale} Locale
 */

/**
 * @param {object} props
 * @param {import('../model.js').Conflict} props.conflict
 * @param {KeyValues} props.base the version that both started from
 * @param {KeyValues} props.mine
 * @param {(key: import('../model.js').Key, values: KeyValues) => void} props.onAdopt
 */
export function Conflict({ conflict, base, mine, onAdopt }) {
  const locale = useLocale();
  const { say, format } = locale;
  const theirs = valuesOf(conflict.key, format.zone);
  return (
    <Versions
      conflict={conflict}
      text={say("changed", { by: conflict.by, time: format.clock(conflict.at) })}
      rows={rowsIn(locale)}
      theirs={theirs}
      mine={mine}
      onMine={() => onAdopt(conflict.key, merged(base, mine, theirs, format.zone))}
      onTheirs={() => onAdopt(conflict.key, theirs)}
    />
  );
}

/** @param {Locale} locale @returns {[string, (values: KeyValues) => string][]} */
function rowsIn(locale) {
  const { say } = locale;
  return [
    [say("form.name"), ({ name }) => name],
    [say("column.expires"), (values) => endOf(values, locale)],
    [say("key.not-before"), (values) => beginOf(values, locale)],
    [say("form.networks"), ({ networks }) => networks || say("networks.anywhere")],
    [say("form.permissions"), ({ permissions }) => permissions.join("\n") || say("permissions.none")],
    [say("key.issuable"), ({ issuable }) => (issuable ? limitsText(issuable, locale) : say("no"))],
    [say("key.protected"), ({ isProtected }) => say(isProtected ? "yes" : "no")],
  ];
}

/** @param {import('../form/values.js').LimitsValues} limits @param {Locale} locale */
function limitsText(limits, { say }) {
  const { permissions, networks, longest } = limitsFields(limits);
  const longestText = longest === "never" ? say("expiry.unlimited") : `${limits.amount} ${say(`unit.${limits.unit}`)}`;
  return [longestText, networks || say("networks.anywhere"), ...permissions].join("\n");
}
