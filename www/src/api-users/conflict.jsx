// Shows that somebody changed the API user meanwhile, and says other problems of API users.
import { userAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { Versions, beginOf, endOf } from "../key/actions/versions.jsx";
import { Notice } from "../ui/notice.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { conflictOf } from "./requests.js";
import { interfacesText } from "./status.jsx";
import { interfacesOf, merged, valuesOf } from "./values.js";

/**
 * @typedef {import('./values.js').UserValues} UserValues
 * @typedef {import('../i18n/locale.jsx').Locale} Locale
 */

/**
 * @param {object} props
 * @param {import('./requests.js').Conflict} props.conflict
 * @param {UserValues} props.base the version that both started from
 * @param {UserValues} props.mine
 * @param {(user: import('./requests.js').ApiUser, values: UserValues) => void} props.onAdopt
 */
export function UserConflict({ conflict, base, mine, onAdopt }) {
  const locale = useLocale();
  const { say, format } = locale;
  const theirs = valuesOf(conflict.user, format.zone);
  return (
    <Versions
      conflict={conflict}
      text={say("api-user.changed", { by: conflict.by, time: format.clock(conflict.at) })}
      rows={rowsIn(locale)}
      theirs={theirs}
      mine={mine}
      onMine={() => onAdopt(conflict.user, merged(base, mine, theirs, format.zone))}
      onTheirs={() => onAdopt(conflict.user, theirs)}
    />
  );
}

/** @param {Locale} locale @returns {[string, (values: UserValues) => string][]} */
function rowsIn(locale) {
  const { say } = locale;
  /** @param {boolean} value */
  const yes = (value) => say(value ? "yes" : "no");
  return [
    [say("api-user.name"), (values) => values.user_name],
    [say("api-user.group"), (values) => say(`api-user.group.${values.group}`)],
    [say("api-user.views"), (values) => yes(values.views)],
    [say("api-user.downloads"), (values) => yes(values.downloads)],
    [say("api-user.interfaces"), (values) => interfacesText(locale, interfacesOf(values))],
    [say("api-user.own-data"), (values) => yes(values.ownDataOnly)],
    [say("setup.time_zone"), (values) => values.zone],
    [say("column.expires"), (values) => endOf(values, locale)],
    [say("key.not-before"), (values) => beginOf(values, locale)],
    [say("form.networks"), (values) => values.networks || say("networks.anywhere")],
  ];
}

/** Codes whose message about keys is another one about API users. */
const OF_USERS = ["not_found", "not_deleted"];

/**
 * Draws a problem of an action on an API user, but not that of {@link UserConflict}.
 * @param {{problem: import('../client/api.js').Problem | null}} props
 */
export function UserProblem({ problem }) {
  const { say, format } = useLocale();
  const conflict = conflictOf(problem);
  if (conflict)
    return (
      <Notice about={conflict} bad={false}>
        <p>{say("api-user.changed.look", { by: conflict.by, time: format.clock(conflict.at) })}</p>
      </Notice>
    );
  return <ProblemNotice problem={problem} as={codeOf(problem)} />;
}

/** @param {import('../client/api.js').Problem | null} problem */
const codeOf = (problem) => (problem && OF_USERS.includes(problem.code) ? `api_user_${problem.code}` : undefined);

/**
 * Draws a problem of adding a user. A lost response and a user that was added already have texts of
 * their own.
 * @param {object} props
 * @param {import('../client/api.js').Problem | null} props.problem
 * @param {string} props.name
 * @param {boolean} props.generates
 */
export function AddProblem({ problem, name, generates }) {
  const { say, gap } = useLocale();
  if (problem?.code === "no_answer")
    return (
      <Notice about={problem}>
        <p>{say("api-user.no-answer", { name })}</p>
      </Notice>
    );
  if (problem?.code !== "already_created") return <UserProblem problem={problem} />;
  const { user } = /** @type {{user?: import('./requests.js').ApiUser | null}} */ (problem);
  return (
    <Notice about={problem}>
      <p>
        {say("api-user.already", { name: user?.name ?? name })}
        {user && generates && gap + say("api-user.already.generated")}{" "}
        {user && <a href={userAddress(user.id)}>{say("api-user.already.open")}</a>}
      </p>
    </Notice>
  );
}
