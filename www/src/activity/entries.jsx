// Draws entries as a table: time, action with its changes, key, author and address. Narrow screens
// show key and author below the action.
import { activityAddress, keyAddress, userAddress } from "../client/route.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { useRoomForTable } from "../ui/browser.js";
import { isOfUser } from "./actions.js";
import { Change } from "./change.jsx";

/**
 * Members of what is new that the entry shows, by action: the limits that a key was issued with,
 * and the settings of an API user.
 * @type {Record<string, string[]>}
 */
const LIMITS = {
  key_issued: ["expires_at", "not_before", "networks", "permissions", "issuable", "viewable", "protected"],
  api_user_created: [
    "group",
    "interfaces",
    "permissions",
    "own_data_only",
    "zone",
    "expires_at",
    "not_before",
    "networks",
  ],
};

/** Of these, the members whose absence says nothing. */
const OPTIONAL = ["not_before", "issuable", "viewable", "protected", "own_data_only"];

/**
 * @typedef {import('./list.js').Entry} Entry
 */

/** @param {{entries: Entry[], ofKey?: boolean}} props `ofKey` is `true` if all are of one key */
export function Entries({ entries, ofKey = false }) {
  const { say, format } = useLocale();
  const actionName = useActionName();
  const roomy = useRoomForTable();
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
              <Changes action={entry.action} changes={entry.changes} />
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

/**
 * Returns a function that names actions. An action of a newer server keeps the server's name.
 * @returns {(action: string) => string}
 */
export function useActionName() {
  const { say, has } = useLocale();
  return (action) => (has(`action.${action}`) ? say(`action.${action}`) : action);
}

/** Links the key or the API user of an entry. @param {{entry: Entry}} props */
const Subject = ({ entry: { action, key } }) =>
  key ? (
    <span class="who">
      <a href={isOfUser(action) ? userAddress(key.id) : keyAddress(key.id)}>{key.name ?? key.id}</a>
    </span>
  ) : null;

/**
 * Names who did it, and the address. What was deleted for good has only its ID left.
 * @param {{entry: Entry}} props
 */
function Author({ entry: { by, address } }) {
  const { say } = useLocale();
  const { session } = useSession();
  const name = by.name ?? by.id ?? by.kind;
  /** @type {Record<string, () => import('preact').ComponentChildren>} */
  const authors = {
    member: () => (
      <a href={activityAddress({ member: by.id })} aria-label={say("activity.of-member", { name })}>
        {by.id === session.member.id ? say("activity.you", { name }) : name}
      </a>
    ),
    key: () => say("activity.by-key", { name: by.id ? <a href={keyAddress(by.id)}>{name}</a> : name }),
    service: () => say("service.password"),
    operator: () => (by.name ? say("activity.operator.named", { name: by.name }) : say("activity.operator")),
    unproven: () => say("activity.unproven"),
  };
  return (
    <>
      <span class="who">{by.kind in authors ? authors[by.kind]() : name}</span>
      {address && <code class="line">{address}</code>}
    </>
  );
}

/** Changes that the action itself says already. */
const OMITTED = ["password_generation"];

/**
 * Returns the limits of what is new. The server leaves out those that limit nothing.
 * @param {string} action
 * @param {NonNullable<Entry['changes']>} changes
 * @returns {[string, import('./list.js').Change][]}
 */
const limitsIn = (action, changes) =>
  LIMITS[action].flatMap((field) => {
    const to = changes[field]?.to ?? null;
    return to || !OPTIONAL.includes(field) ? [[field, { from: null, to }]] : [];
  });

/** @param {{action: string, changes: Entry['changes']}} props */
function Changes({ action, changes }) {
  const begins = action in LIMITS;
  // The account shows what it was opened with. Names say more than IDs; entries of earlier releases
  // have IDs alone.
  if (!changes || action === "account_opened") return null;
  const shown = begins
    ? limitsIn(action, changes)
    : Object.entries(changes).filter(([field]) => !OMITTED.includes(field) && !(field === "keys" && changes.names));
  if (!shown.length) return null;
  return (
    <ul class="changes">
      {shown.map(([field, { from, to }]) => (
        <Change key={field} field={field} from={from} to={to} begins={begins} />
      ))}
    </ul>
  );
}
