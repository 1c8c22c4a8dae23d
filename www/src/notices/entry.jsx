// Draws one notice: what happened, to which keys, by whom, from where. Names that people chose are
// text; the ID of a key is its link.
import { keyAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { TimeAgo } from "../key/times.jsx";

/**
 * @typedef {import('./requests.js').Notice} Notice
 * @typedef {import('./requests.js').Item} Item
 * @typedef {import('../i18n/locale.jsx').Locale} Locale
 */

/** Kinds whose sentence depends on the details, with the member of the details that it names. */
const VARIANTS = { factors_changed: "change" };

/**
 * Says what happened. A kind of a newer server keeps the server's name.
 * @param {Locale} locale
 * @param {Notice} notice
 */
function titleOf({ say, has }, { kind, items, more, details }) {
  const variant = kind === "password_changed" ? (details?.reset ? ".reset" : "") : "";
  const named = kind in VARIANTS ? `.${details?.[VARIANTS[/** @type {'factors_changed'} */ (kind)]]}` : variant;
  const key = `notice.kind.${kind}${named}`;
  return has(key) ? say(key, { count: items.length + more }) : kind;
}

/** @param {{notice: Notice}} props */
export function Entry({ notice }) {
  const locale = useLocale();
  const { say } = locale;
  const { at, unread, by, address, items, more } = notice;
  return (
    <li class={unread ? "unread" : undefined}>
      <div class="row-text">
        <strong>{titleOf(locale, notice)}</strong>
        {unread && <span class="tag">{say("notice.new")}</span>}
        <Details notice={notice} />
        {items.length > 0 && (
          <ul class="notice-items">
            {items.map((item, place) => (
              <Line key={place} item={item} />
            ))}
            {more > 0 && <li>{say("notice.further", { count: more })}</li>}
          </ul>
        )}
        <span class="by">
          <TimeAgo at={at} exact />
          {by && (
            <>
              {" · "}
              {say("issuer.member", { name: <bdi>{by}</bdi> })}
            </>
          )}
          {address && (
            <>
              {" · "}
              <code>{address}</code>
            </>
          )}
        </span>
      </div>
    </li>
  );
}

/** @param {{item: Item}} props */
function Line({ item: { key, act, by, address, network, ends_at } }) {
  const { say, has, format } = useLocale();
  const from = network ?? address;
  return (
    <li>
      {key && (
        <>
          <bdi>{key.name}</bdi>{" "}
          <a href={keyAddress(key.id)} translate={false}>
            <code>{key.access_key}</code>
          </a>
        </>
      )}
      {act && (has(`notice.act.${act}`) ? say(`notice.act.${act}`) : act)}
      {ends_at && (
        <span class="by">
          {say("notice.ends", { at: <time dateTime={ends_at}>{format.end(ends_at)}</time>, zone: format.zone })}
        </span>
      )}
      {(by || from) && (
        <span class="by">
          {by && say("issuer.member", { name: <bdi>{by}</bdi> })}
          {by && from && " · "}
          {from && <code>{from}</code>}
        </span>
      )}
    </li>
  );
}

/** Says what a kind tells beside its title. @param {{notice: Notice}} props */
function Details({ notice: { kind, details } }) {
  const { say, format } = useLocale();
  if (kind === "member_joined" && details)
    return (
      <p>
        {say("notice.joined", {
          name: <bdi>{details.name}</bdi>,
          email: <bdi>{details.email}</bdi>,
          role: say(`role.${details.role}`),
        })}
      </p>
    );
  if (kind === "role_changed" && details)
    return <p>{say("notice.role", { from: say(`role.${details.from}`), to: say(`role.${details.to}`) })}</p>;
  if (kind === "factors_changed" && details?.passkey)
    return <p>{say("notice.passkey", { name: <bdi>{details.passkey}</bdi> })}</p>;
  if (kind === "keys_deleted" && details)
    return <p>{say("status.until", { day: format.day(new Date(details.restorable_until)) })}</p>;
  return null;
}
