// What issued keys may be at most, told.
import { Fact } from "../ui/detail.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { lifeOf } from "./duration.js";

/** @param {{ceiling: import('./model.js').Ceiling}} props */
export function Ceiling({ ceiling: { permissions, networks, longest_ms } }) {
  const { say, format } = useLocale();
  return (
    <dl class="ceiling">
      <Fact term={say("ceiling.longest")}>
        {longest_ms === null ? say("expiry.unlimited") : format.life(lifeOf(longest_ms))}
      </Fact>
      <Fact term={say("column.networks")}>
        <Codes list={networks} none="networks.anywhere" />
      </Fact>
      <Fact term={say("form.permissions")}>
        <Codes list={permissions} none="permissions.none" />
      </Fact>
    </dl>
  );
}

/** @param {{list: string[], none: string}} props `none`: the message for an empty list */
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
