// Shows one changed value, before and after.
import { lifeText } from "../client/policy.js";
import { keyAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { durationOf } from "../key/duration.js";

/** Members whose values are times. */
const TIMES = ["expires_at", "not_before"];

/** Members whose values are lengths of time, in ms. */
const SPANS_MS = ["longest_ms", "freshness_ms"];

/** Members that name the subject of an entry, and changed nothing. */
const SUBJECTS = [
  "account",
  "keys",
  "names",
  "sealed",
  "issuer",
  "member",
  "member_name",
  "email",
  "method",
  "passkey",
  "left",
  "attempts",
  "network",
];

/**
 * Messages for empty values; for these members an empty value means more than "None".
 * @type {Record<string, string>}
 */
const EMPTY = {
  expires_at: "expiry.unlimited",
  networks: "networks.anywhere",
  interfaces: "api-user.interface.none",
  network: "change.network.others",
  longest_ms: "expiry.unlimited",
};

/**
 * @param {{field: string, begins?: boolean} & import('./list.js').Change} props `begins` is `true`
 *   if nothing stood before
 */
export function Change({ field, from, to, begins = false }) {
  const { say, has } = useLocale();
  const name = has(`change.${field}`) ? say(`change.${field}`) : field;
  if (begins || SUBJECTS.includes(field))
    return <li>{say("change.of", { field: name, value: <Value field={field} value={to} /> })}</li>;
  return (
    <li>
      {say("change.line", {
        field: name,
        from: <Value field={field} value={from} />,
        to: <Value field={field} value={to} />,
      })}
    </li>
  );
}

/** @param {{field: string, value: unknown}} props `value` is JSON from the server */
function Value({ field, value }) {
  const { say, has, format, lang } = useLocale();
  /** @param {string[]} parts */
  const list = (parts) => new Intl.ListFormat(lang, { type: "unit" }).format(parts);
  const empty = value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);
  if (empty) return <span>{say(EMPTY[field] ?? "permissions.none")}</span>;
  if (field === "issuer" && value === "service") return <span>{say("service.password")}</span>;
  if (["issuer", "replaces", "replaced_by"].includes(field))
    return <a href={keyAddress(String(value))}>{String(value)}</a>;
  if (field === "sealed" || field === "member") return <code>{String(value)}</code>;
  if (field === "names" && Array.isArray(value))
    return <span>{list(value.map((name) => say("quoted", { name })))}</span>;
  if (field === "enabled") return <span>{say(value ? "status.active" : "status.disabled")}</span>;
  if (typeof value === "boolean") return <span>{say(value ? "yes" : "no")}</span>;
  if (SPANS_MS.includes(field) && typeof value === "number") return <span>{format.duration(durationOf(value))}</span>;
  if (Array.isArray(value)) return <code>{value.join(", ")}</code>;
  if (typeof value === "object") {
    const parts = Object.entries(value).map(([member, inner], index) => (
      <span key={member}>
        {index > 0 && say("change.between")}
        {say("change.part", {
          field: has(`change.${member}`) ? say(`change.${member}`) : member,
          value: <Value field={member} value={inner} />,
        })}
      </span>
    ));
    return <span>{parts}</span>;
  }
  if (TIMES.includes(field) && (typeof value === "string" || typeof value === "number"))
    return <time dateTime={new Date(value).toISOString()}>{format.end(value, { short: true })}</time>;
  if ((field === "default_life" || field === "longest_life") && typeof value === "string")
    return <span>{lifeText(say, field, value)}</span>;
  if (has(`policy.${field}.${value}`)) return <span>{say(`policy.${field}.${value}`)}</span>;
  if (field === "method" && has(`method.${value}`)) return <span>{say(`method.${value}`)}</span>;
  if (field === "group" && has(`api-user.group.${value}`)) return <span>{say(`api-user.group.${value}`)}</span>;
  if (field === "state" && has(`status.${value}`)) return <span>{say(`status.${value}`)}</span>;
  return <span>{String(value)}</span>;
}
