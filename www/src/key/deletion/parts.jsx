// Draws what both steps of a deletion show.
import { useLocale } from "../../i18n/locale.jsx";
import { ProblemNotice } from "../../ui/problem.jsx";

/**
 * Lists keys by name and ID. A long name wraps.
 * @param {{keys: {id: string, name: string, access_key: string}[]}} props
 */
export function KeyList({ keys }) {
  const { say } = useLocale();
  return (
    <ul class="named" tabIndex={keys.length > 5 ? 0 : undefined}>
      {keys.map(({ id, name, access_key }) => (
        <li key={id}>{say("delete.key", { name, id: <code>{access_key}</code> })}</li>
      ))}
    </ul>
  );
}

/**
 * Draws a refusal of a deletion, which names its keys.
 * @param {object} props
 * @param {import('../../client/api.js').Problem | null} props.problem
 * @param {{id: string, name: string}[]} props.keys
 */
export function DeletionProblem({ problem, keys }) {
  const { say, format } = useLocale();
  const named = problem?.keys ?? [];
  const names = keys
    .filter(({ id }) => named.some((key) => (typeof key === "string" ? key : key.id) === id))
    .map(({ name }) => name);
  const list = new Intl.ListFormat(document.documentElement.lang).format(names.map((name) => say("quoted", { name })));
  if (problem?.code === "too_many_codes" && problem.until)
    return (
      <ProblemNotice
        problem={problem}
        text={say("delete.too-many-codes", { at: format.dateTime(problem.until), zone: format.zone })}
      />
    );
  if (problem && names.length && ["protected", "not_found"].includes(problem.code))
    return <ProblemNotice problem={problem} text={say(`delete.refused.${problem.code}`, { names: list })} />;
  return <ProblemNotice problem={problem} />;
}

/**
 * @typedef {object} Disabling
 * @property {() => void} run
 * @property {number} left keys that are still enabled
 * @property {boolean} some `true` once a key is disabled
 * @property {boolean} busy
 * @property {import('../../client/api.js').Problem | null} problem
 */

/**
 * Draws [Disable instead], for keys that must stop while no mail arrives.
 * @param {{disabling: Disabling}} props
 */
export function DisableInstead({ disabling }) {
  const { say } = useLocale();
  if (!disabling.left) return null;
  return (
    <button type="button" onClick={disabling.run}>
      {say(disabling.busy ? "disable.busy" : "delete.disable", { count: disabling.left })}
    </button>
  );
}
