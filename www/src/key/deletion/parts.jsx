// What both steps of a deletion show.
import { useLocale } from "../../i18n/locale.jsx";
import { ProblemNotice } from "../../ui/problem.jsx";

/** The keys by name and ID. A long name wraps. @param {{keys: {id: string, name: string, access_key: string}[]}} props */
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

/** Refusals of a deletion, which name the keys that they are about. */
export function DeletionProblem({ problem, keys }) {
  const { say, format } = useLocale();
  const named = problem?.keys ?? [];
  const names = keys.filter(({ id }) => named.some((key) => (key.id ?? key) === id)).map(({ name }) => name);
  const list = new Intl.ListFormat(document.documentElement.lang).format(names.map((name) => say("quoted", { name })));
  if (problem?.code === "too_many_codes" && problem.until)
    return (
      <ProblemNotice
        problem={problem}
        text={say("delete.too-many-codes", { at: format.dateTime(problem.until), zone: format.zone })}
      />
    );
  if (names.length && ["protected", "not_found"].includes(problem.code))
    return <ProblemNotice problem={problem} text={say(`delete.refused.${problem.code}`, { names: list })} />;
  return <ProblemNotice problem={problem} />;
}

/** [Disable instead], where a key should stop but no mail gets through. */
export function DisableInstead({ disabling }) {
  const { say } = useLocale();
  if (!disabling.left) return null;
  return (
    <button type="button" onClick={disabling.run}>
      {say(disabling.busy ? "disable.busy" : "delete.disable", { count: disabling.left })}
    </button>
  );
}
