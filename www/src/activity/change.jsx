// One changed value: what it was, and what it became.
import { useLocale } from "../i18n/locale.jsx";
import { durationOf } from "../key/duration.js";

/** Members whose values are moments. */
const MOMENTS = ["expires_at", "not_before"];

/** Members whose values are lengths of time. */
const SPANS_MS = ["longest_ms", "freshness_ms"];

/** Members that tell what it was about, and changed nothing. */
const SUBJECTS = ["account", "keys"];

/** What an empty value of a field means, which is not "nothing" everywhere. */
const EMPTY = { expires_at: "expiry.unlimited", networks: "networks.anywhere", longest_ms: "expiry.unlimited" };

/** @param {{field: string, from: any, to: any}} props */
export function Change({ field, from, to }) {
  const { say, has } = useLocale();
  const name = has(`change.${field}`) ? say(`change.${field}`) : field;
  if (SUBJECTS.includes(field))
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

function Value({ field, value }) {
  const { say, has, format } = useLocale();
  const empty = value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);
  if (empty) return <span>{say(EMPTY[field] ?? "permissions.none")}</span>;
  if (field === "enabled") return <span>{say(value ? "status.active" : "status.disabled")}</span>;
  if (typeof value === "boolean") return <span>{say(value ? "yes" : "no")}</span>;
  if (SPANS_MS.includes(field)) return <span>{format.duration(durationOf(value))}</span>;
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
  if (MOMENTS.includes(field))
    return <time dateTime={new Date(value).toISOString()}>{format.end(value, { short: true })}</time>;
  if (field === "state" && has(`status.${value}`)) return <span>{say(`status.${value}`)}</span>;
  return <span>{String(value)}</span>;
}
