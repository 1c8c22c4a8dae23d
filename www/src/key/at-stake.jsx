// Says how many issued keys an action on their issuer ends or limits, before the action.
import { useLoader } from "../client/loader.js";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";

/**
 * Counts of the stored keys that an issuer has issued and that are accepted now.
 * @typedef {object} IssuedCounts
 * @property {number} stored
 * @property {number} unlimited
 * @property {number} used_24h
 * @property {boolean} is_exact `false` if there are more
 */

/** Path of the counts of keys that the service password has issued. */
export const BY_SERVICE = "/v1/account/service/issued";

/** Returns the path of the counts of keys that a key has issued. @param {{id: string}} key */
export const issuedBy = ({ id }) => `/v1/keys/${encodeURIComponent(id)}/issued`;

/**
 * Draws the counts. The action stays possible while they load, and if they do not: a member who
 * notices a leak must be able to stop it.
 * @param {object} props
 * @param {string} props.path
 * @param {boolean} [props.limits] `true` if the action does not end the keys, but limits them
 * @param {string} [props.name] the issuer, if there are several
 */
export function AtStake({ path, limits = false, name }) {
  const { say, gap } = useLocale();
  const { request } = useSession();
  /** @param {AbortSignal} signal @returns {import('./model.js').Answering<IssuedCounts>} */
  const load = (signal) => request("GET", path, { signal });
  const { data: counts, problem } = useLoader(load, [request, path]);
  return (
    <p class="at-stake" role="status">
      {name && <b>{say("at-stake.issuer", { name })}</b>}
      {name && gap}
      {counts ? sentences(say, counts, limits).join(gap) : say(problem ? "at-stake.unknown" : "at-stake.busy")}
    </p>
  );
}

/** Fields whose change may refuse calls that are let through now. */
const LIMITS = ["expires", "not_before", "networks", "permissions", "issuable"];

/** Fields whose change holds for issued keys, too. */
const LIMITS_OF_ISSUED = ["expires", "not_before", "issuable"];

/**
 * Says, while a key's limits are edited, how much it is used and what its issued keys are.
 * @param {{subject: import('./model.js').Key, changes: Record<string, unknown>}} props
 */
export function EditAtStake({ subject, changes }) {
  const { say } = useLocale();
  if (!LIMITS.some((field) => field in changes)) return null;
  const { uses_24h } = subject;
  return (
    <>
      <p class="at-stake">{say(uses_24h > 0 ? "at-stake.calls" : "at-stake.no-calls", { count: uses_24h })}</p>
      {subject.issuable && LIMITS_OF_ISSUED.some((field) => field in changes) && (
        <AtStake path={issuedBy(subject)} limits={changes.issuable !== null} />
      )}
    </>
  );
}

/**
 * @param {import('../i18n/locale.jsx').Locale["say"]} say
 * @param {IssuedCounts} counts
 * @param {boolean} limits
 */
function sentences(say, { stored, unlimited, used_24h, is_exact }, limits) {
  const kind = limits ? "limit" : "end";
  if (stored === 0) return [say("at-stake.none"), say(`at-stake.${kind}.sealed`)];
  const said = [
    say(is_exact ? `at-stake.${kind}` : `at-stake.${kind}.more`, { count: stored }),
    ...(unlimited > 0 ? [say("at-stake.unlimited", { count: unlimited })] : []),
    used_24h > 0 ? say("at-stake.used", { count: used_24h }) : say("at-stake.unused"),
  ];
  return [...said, say(`at-stake.${kind}.sealed`)];
}
