// Entries as a table: when, who from where, what, which key, and what it changed. Narrow screens tell who and which below what.
import { activityAddress, keyAddress } from "../client/route.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { useMedia } from "../ui/browser.js";
import { Change } from "./change.jsx";

/** Before these there was nothing; what there is now is on the page of the key. */
const BEGINNINGS = ["key_issued", "account_opened"];

/** @param {{entries: import('./list.js').Entry[], ofKey?: boolean}} props `ofKey`: they are all of one key */
export function Entries({ entries, ofKey = false }) {
  const { say, format } = useLocale();
  const actionName = useActionName();
  const roomy = useMedia("(min-width: 48rem)");
  return (
    <table class="keys activity">
      <caption class="unseen">{say("activity.caption")}</caption>
      <thead>
        <tr>
          <th scope="col">{say("activity.at", { zone: format.zone })}</th>
          <th scope="col">{say("activity.what")}</th>
          {!ofKey && roomy && <th scope="col">{say("activity.key")}</th>}
          {roomy && <th scope="col">{say("activity.by")}</th>}
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id}>
            <td class="at">
              <time dateTime={entry.at}>{format.moment(entry.at)}</time>
            </td>
            <td>
              <strong>{actionName(entry.action)}</strong>
              {!roomy && !ofKey && <Subject entry={entry} />}
              {!roomy && <Author entry={entry} />}
              {!BEGINNINGS.includes(entry.action) && <Changes changes={entry.changes} />}
            </td>
            {!ofKey && roomy && (
              <td class="of">
                <Subject entry={entry} />
              </td>
            )}
            {roomy && (
              <td>
                <Author entry={entry} />
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What an action is called; one that a newer server writes is told by its own word. @returns {(action: string) => string} */
export function useActionName() {
  const { say, has } = useLocale();
  return (action) => (has(`action.${action}`) ? say(`action.${action}`) : action);
}

/** Which key it was about. */
const Subject = ({ entry: { key } }) =>
  key && (
    <span class="who">
      <a href={keyAddress(key.id)}>{key.name ?? key.id}</a>
    </span>
  );

/** Who did it and from where. What is gone has no name any more, but still its ID. */
function Author({ entry: { by, address } }) {
  const { say } = useLocale();
  const { session } = useSession();
  const name = by.name ?? by.id ?? by.kind;
  const told = {
    member: () => (
      <a href={activityAddress({ member: by.id })} aria-label={say("activity.of-member", { name })}>
        {by.id === session.member.id ? say("activity.you", { name }) : name}
      </a>
    ),
    key: () => say("activity.by-key", { name: by.id ? <a href={keyAddress(by.id)}>{name}</a> : name }),
    service: () => say("service.password"),
    operator: () => say("activity.operator"),
  }[by.kind];
  return (
    <>
      <span class="who">{told ? told() : name}</span>
      {address && <code class="line">{address}</code>}
    </>
  );
}

/** That a password is another one, its entry says already. */
const OMITTED = ["password_generation"];

function Changes({ changes }) {
  const told = Object.entries(changes ?? {}).filter(([field]) => !OMITTED.includes(field));
  if (!told.length) return null;
  return (
    <ul class="changes">
      {told.map(([field, { from, to }]) => (
        <Change key={field} field={field} from={from} to={to} />
      ))}
    </ul>
  );
}
