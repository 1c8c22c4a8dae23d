// Shows the use of the service password: the last one, the number, and the networks.
import { useLocale } from "../i18n/locale.jsx";
import { TimeAgo } from "../key/times.jsx";

/** @param {{usage: import('./requests.js').ServiceUsage}} props */
export function ServiceUse({ usage: { last_used_at, uses_7d, networks } }) {
  const { say } = useLocale();
  return (
    <div class="across">
      <dt>{say("service.used")}</dt>
      <dd>
        {last_used_at ? <TimeAgo at={last_used_at} exact /> : <span>{say("service.used.never")}</span>}
        {last_used_at && <span class="by">{say("service.used.count", { count: uses_7d })}</span>}
        {networks.map(({ network, uses, last_used_at: at }) => (
          <span class="by" key={network}>
            {say("service.used.network", {
              network: <code translate={false}>{network}</code>,
              count: uses,
              ago: <TimeAgo at={at} />,
            })}
          </span>
        ))}
      </dd>
    </div>
  );
}
