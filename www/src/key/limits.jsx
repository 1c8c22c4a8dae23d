// Lists the limits of issued keys.
import { useLocale } from "../i18n/locale.jsx";
import { Detail } from "../ui/detail.jsx";
import { durationOf } from "./duration.js";

/** @param {{limits: import('./model.js').IssuanceLimits}} props */
export function IssuanceLimits({ limits: { permissions, networks, longest_ms } }) {
  const { say, format } = useLocale();
  return (
    <dl class="limits">
      <Detail term={say("limits.longest")}>
        {longest_ms === null ? say("expiry.unlimited") : format.duration(durationOf(longest_ms))}
      </Detail>
      <Detail term={say("column.networks")}>
        <Codes list={networks} none="networks.anywhere" />
      </Detail>
      <Detail term={say("form.permissions")}>
        <Codes list={permissions} none="permissions.none" />
      </Detail>
    </dl>
  );
}

/**
 * Lists codes, or says that there are none.
 * @param {{list: string[], none: string}} props `none` is the key of that message
 */
export function Codes({ list, none }) {
  const { say } = useLocale();
  if (!list.length) return say(none);
  return (
    <ul class="codes">
      {list.map((code) => (
        <li key={code}>
          <code>{code}</code>
        </li>
      ))}
    </ul>
  );
}
