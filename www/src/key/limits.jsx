// Lists the limits of a key or an API user, and those of issued keys.
import { useLocale } from "../i18n/locale.jsx";
import { Detail } from "../ui/detail.jsx";
import { durationOf } from "./duration.js";
import { Expiry } from "./times.jsx";

/**
 * Lists when a key or an API user begins and ends, and the networks that it works from.
 * @param {object} props
 * @param {Pick<import('./model.js').Key, 'not_before' | 'expires_at' | 'networks'>} props.subject
 */
export function UseLimits({ subject: { not_before, expires_at, networks } }) {
  const { say, format } = useLocale();
  const zone = <span class="by">{format.zone}</span>;
  return (
    <>
      {not_before && (
        <Detail term={say("key.not-before")}>
          <time dateTime={not_before}>{format.dateTime(not_before)}</time>
          {zone}
        </Detail>
      )}
      <Detail term={say("column.expires")}>
        <Expiry at={expires_at} />
        {expires_at && zone}
      </Detail>
      <Detail term={say("column.networks")}>
        <Codes list={networks} none="networks.anywhere" />
      </Detail>
    </>
  );
}

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

/** Networks that a row of a list has room for. */
const NETWORKS_SHOWN = 2;

/**
 * Shows the first networks and the number of others; the page of the key or API user has all.
 * @param {{networks: string[]}} props
 */
export function FirstNetworks({ networks }) {
  const { say } = useLocale();
  if (!networks.length) return say("networks.anywhere");
  return (
    <>
      {networks.slice(0, NETWORKS_SHOWN).map((network) => (
        <code key={network} class="line">
          {network}
        </code>
      ))}
      {networks.length > NETWORKS_SHOWN && (
        <span class="by">{say("networks.more", { count: networks.length - NETWORKS_SHOWN })}</span>
      )}
    </>
  );
}
