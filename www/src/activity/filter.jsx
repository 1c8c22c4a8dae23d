// Draws the filter. Words, action and days are typed here; a link elsewhere picks a key or a
// member.
import { useEffect, useState } from "preact/hooks";
import { withoutSecrets } from "../client/redaction.js";
import { activityAddress, go } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { Field, Form } from "../ui/fields.jsx";
import { useFocusFallback } from "../ui/focus.jsx";
import { CrossIcon } from "../ui/icons.jsx";
import { ACTIONS, isOfUser } from "./actions.js";
import { useActionName } from "./entries.jsx";

const TYPED = ["q", "action", "from", "to"];

/** @param {{query: Record<string, string>, entries: import('./list.js').Entry[]}} props */
export function Filter({ query, entries }) {
  const { say } = useLocale();
  const actionName = useActionName();
  const shown = Object.fromEntries(TYPED.map((name) => [name, query[name] ?? ""]));
  const [values, setValues] = useState(shown);
  useEffect(() => setValues(shown), [JSON.stringify(shown)]);

  /** @param {string} name */
  const input = (name) => ({
    value: values[name],
    /** @param {import('preact').TargetedEvent<HTMLInputElement | HTMLSelectElement>} event */
    onInput: (event) => setValues({ ...values, [name]: event.currentTarget.value }),
  });
  const apply = () => {
    const q = withoutSecrets(values.q).text.trim();
    go(activityAddress({ ...query, ...values, q, cursor: "" }));
  };

  return (
    <>
      <Form onSubmit={apply} busy={false} role="search" class="filter">
        <Field id="filter-q" label={say("filter.q")}>
          {(control) => <input {...control} {...input("q")} type="search" autocomplete="off" spellcheck={false} />}
        </Field>
        <Field id="filter-action" label={say("filter.action")}>
          {(control) => (
            <select {...control} {...input("action")}>
              <option value="">{say("filter.action.all")}</option>
              {ACTIONS.map((action) => (
                <option key={action} value={action}>
                  {actionName(action)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field id="filter-from" label={say("filter.from")}>
          {(control) => <input {...control} {...input("from")} type="date" />}
        </Field>
        <Field id="filter-to" label={say("filter.to")}>
          {(control) => <input {...control} {...input("to")} type="date" />}
        </Field>
        <button>{say("filter.apply")}</button>
      </Form>
      <ActiveFilters query={query} entries={entries} />
    </>
  );
}

/**
 * Draws the filters that a link picked, each with a button that removes it. Their names come from
 * the entries, all of which match.
 * @param {{query: Record<string, string>, entries: import('./list.js').Entry[]}} props
 */
function ActiveFilters({ query, entries }) {
  const { say } = useLocale();
  /** @type {Record<string, (id: string) => string | undefined>} */
  const nameBy = {
    key: (id) => entries.find(({ key }) => key?.id === id)?.key?.name,
    member: (id) => entries.find(({ by }) => by.id === id)?.by.name,
  };
  const picked = ["key", "member"].filter((name) => query[name]);
  if (!picked.length) return null;
  return (
    <ul class="picked">
      {picked.map((name) => {
        const kind = name === "key" && entries.some(({ key, action }) => key && isOfUser(action)) ? "api-user" : name;
        const words = say(`filter.${kind}`, { name: nameBy[name](query[name]) ?? query[name] });
        return (
          <ActiveFilter key={name} words={words} without={activityAddress({ ...query, [name]: "", cursor: "" })} />
        );
      })}
    </ul>
  );
}

/** @param {{words: string, without: string}} props `without` is the address without this filter */
function ActiveFilter({ words, without }) {
  const { say } = useLocale();
  const reference = /** @type {import('preact').RefObject<HTMLLIElement | null>} */ (useFocusFallback());
  return (
    <li ref={reference}>
      {words}{" "}
      <a class="button quiet icon-only" href={without} aria-label={say("filter.remove", { filter: words })}>
        <CrossIcon />
      </a>
    </li>
  );
}
