// Draws the keys of a phone: one card each, with everything that a row of the table shows.
import { canManageKeys, useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { Issuer } from "../key/issuer.jsx";
import { FirstNetworks } from "../key/limits.jsx";
import { Status } from "../key/status.jsx";
import { Expiry, LastUse, TimeAgo } from "../key/times.jsx";
import { RefusedLine } from "../key/use.jsx";
import { useTick } from "../ui/browser.js";
import { Detail } from "../ui/detail.jsx";
import { ResultNote } from "../ui/result.jsx";
import { KeyMenu } from "./menu.jsx";
import { NameAndId, Tick } from "./parts.jsx";

/** @param {Omit<Parameters<typeof import('./table.jsx').Table>[0], 'query'>} props */
export function Cards({ rows, result, selected, onSelect, onAct }) {
  const { say } = useLocale();
  const { session } = useSession();
  const changes = canManageKeys(session);
  useTick();
  return (
    <ul class="key-cards" aria-label={say("keys.caption")}>
      {rows.map((row) => {
        const mine = result?.keys[0].id === row.id ? result : null;
        const fresh = mine?.act === "issued" || mine?.act === "regenerated";
        /** @param {boolean} on */
        const toggle = (on) => onSelect(on ? [...selected, row.id] : [...selected].filter((id) => id !== row.id));
        return (
          <li key={row.id} class={fresh ? "fresh" : selected.has(row.id) ? "selected" : undefined}>
            <div class="key-card-head">
              {changes && (
                <div class="check">
                  <Tick row={row} selected={selected.has(row.id)} onSelect={toggle} />
                </div>
              )}
              <h3>
                <NameAndId row={row} fresh={fresh} changes={changes} />
              </h3>
              {changes && <KeyMenu subject={row} onAct={onAct} />}
            </div>
            <Facts row={row} />
            {mine && <ResultNote result={mine} />}
          </li>
        );
      })}
    </ul>
  );
}

/** @param {{row: import('../key/model.js').Key}} props */
function Facts({ row }) {
  const { say } = useLocale();
  return (
    <dl>
      <Detail term={say("column.status")}>
        <Status subject={row} />
      </Detail>
      <Detail term={say("column.used")}>
        <LastUse subject={row} />
        <RefusedLine subject={row} />
      </Detail>
      <Detail term={say("column.expires")}>
        <Expiry at={row.expires_at} short />
      </Detail>
      <Detail term={say("column.networks")}>
        <FirstNetworks networks={row.networks} />
      </Detail>
      <div class="across">
        <dt>{say("column.issued")}</dt>
        <dd>
          <TimeAgo at={row.created_at} /> <Issuer subject={row} />
          {row.issuable && <span class="tag plain">{say("key.issuable")}</span>}
        </dd>
      </div>
    </dl>
  );
}
