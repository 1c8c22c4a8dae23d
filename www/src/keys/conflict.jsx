// "Ken changed this key at 12:01; yours is not saved." Both versions side by side, and which one to go on with.
import { useState } from "preact/hooks";
import { useLocale } from "../locale.jsx";
import { Notice } from "../notice.jsx";
import { changesOf, draftOf, expiresText } from "./draft.js";

/**
 * @param {object} props
 * @param {import('../api.js').Problem} props.problem
 * @param {import('./draft.js').Draft} props.base what both started from
 * @param {import('./draft.js').Draft} props.mine
 * @param {(key: import('./key.js').Key, draft: import('./draft.js').Draft) => void} props.onAdopt
 */
export function Conflict({ problem, base, mine, onAdopt }) {
  const { say, format } = useLocale();
  const [both, setBoth] = useState(false);

  const theirs = draftOf(problem.key, format.zone);
  /** My changes on top of theirs: what I did not touch stays as they have it. */
  const merged = () => {
    const touched = changesOf(base, mine, format.zone);
    const expiry = ({ expiry, amount, unit, date, time }) => ({ expiry, amount, unit, date, time });
    const { name, networks, permissions } = mine;
    const kept = Object.fromEntries(
      Object.entries({ name, networks, permissions }).filter(([field]) => field in touched),
    );
    return { ...theirs, ...kept, ...("expires" in touched ? expiry(mine) : {}) };
  };

  return (
    <Notice about={problem} bad={false}>
      <p>{say("changed", { by: problem.by, time: format.clock(problem.at) })}</p>
      {both ? (
        <>
          <Both theirs={theirs} mine={mine} by={problem.by} />
          <p class="row">
            <button type="button" onClick={() => onAdopt(problem.key, merged())}>
              {say("changed.mine")}
            </button>
            <button type="button" onClick={() => onAdopt(problem.key, theirs)}>
              {say("changed.theirs")}
            </button>
          </p>
        </>
      ) : (
        <button type="button" onClick={() => setBoth(true)}>
          {say("changed.both")}
        </button>
      )}
    </Notice>
  );
}

function Both({ theirs, mine, by }) {
  const { say, format } = useLocale();
  const rows = [
    ["form.name", ({ name }) => name],
    ["form.expires", (draft) => expiryText(draft, say, format)],
    ["form.networks", ({ networks }) => networks || say("networks.anywhere")],
    ["form.permissions", ({ permissions }) => permissions.join("\n") || say("permissions.none")],
  ];
  return (
    <table class="both">
      <thead>
        <tr>
          <td />
          <th scope="col">{say("changed.by", { by })}</th>
          <th scope="col">{say("changed.yours")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([key, text]) => (
          <tr key={key} class={text(theirs) === text(mine) ? undefined : "differs"}>
            <th scope="row">{say(key)}</th>
            <td>{text(theirs)}</td>
            <td>{text(mine)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function expiryText(draft, say, format) {
  if (draft.expiry === "never") return say("expiry.unlimited");
  if (draft.expiry === "duration")
    return `${draft.amount} ${say(draft.unit === "h" ? "form.expires.hours" : "form.expires.days")}`;
  const text = expiresText(draft, format.zone);
  return draft.time ? format.end(text) : `${draft.date} 24:00`;
}
