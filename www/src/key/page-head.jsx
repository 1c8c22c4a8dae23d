// Draws the head of the page of a key or an API user, and holds which action is open there.
import { useEffect, useState } from "preact/hooks";
import { PageTitle } from "../frame/shell.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ResultNote } from "../ui/result.jsx";

/**
 * @template Action
 * @template Result
 * @typedef {object} PageActions
 * @property {Action | null} what the open action
 * @property {(act: Action) => void} open
 * @property {() => void} close
 * @property {Result | null} result of the last action
 * @property {(result: Result) => void} setResult
 */

/**
 * Holds the action that is open on a page, and the result of the last one.
 * @template {string} Action
 * @template {import('../ui/result.jsx').Result} Result
 * @param {string} deletion act of a result that takes the button of the deletion away
 * @returns {PageActions<Action, Result>}
 */
export function usePageActions(deletion) {
  const [what, setWhat] = useState(/** @type {Action | null} */ (null));
  const [result, setResult] = useState(/** @type {Result | null} */ (null));
  // The button that led to a deletion is gone with it.
  useEffect(() => {
    if (!what && result?.act === deletion) document.querySelector("h1")?.focus();
  }, [result, what]);
  /** @param {Action} act */
  const open = (act) => {
    setResult(null);
    setWhat(act);
  };
  const close = () => setWhat(null);
  return { what, open, close, result, setResult };
}

/**
 * Draws the name, the actions as buttons, and the last result or else the deletion. The deletion's
 * own button stands at the end of the page.
 * @template {string} Action
 * @param {object} props
 * @param {{name: string, deleted_at: string | null, restorable_until: string | null}} props.subject
 * @param {Action[]} props.acts
 * @param {import('../ui/result.jsx').Result | null} props.result
 * @param {(act: Action) => void} props.onAct
 */
export function PageHead({ subject, acts, result, onAct }) {
  const { say, format } = useLocale();
  return (
    <>
      <div class="page-head">
        <PageTitle title={subject.name} />
        <p class="row">
          {acts
            .filter((act) => act !== "delete")
            .map((act, place) => (
              // Keyed by place: "Activate" takes the place of "Disable", and keeps its focus.
              <button key={place} type="button" onClick={() => onAct(act)}>
                {say(`act.${act}`)}
              </button>
            ))}
        </p>
      </div>
      {result && <ResultNote result={result} />}
      {subject.deleted_at && subject.restorable_until && !result && (
        <p class="notice">
          {say("key.deleted", {
            at: format.dateTime(subject.deleted_at),
            until: format.day(new Date(subject.restorable_until)),
          })}
        </p>
      )}
    </>
  );
}
