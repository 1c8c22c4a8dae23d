// Edits a key. The editor shows both versions after a conflict.
import { ProblemNotice } from "../../ui/problem.jsx";
import { EditAtStake } from "../at-stake.jsx";
import { KeyFields } from "../form/fields.jsx";
import { changesOf, missingIn, valuesOf } from "../form/values.js";
import { checkFields, conflictOf, editKey } from "../model.js";
import { Conflict } from "./conflict.jsx";
import { EditorDialog, useEditing } from "./editing.jsx";

/** @typedef {import('../model.js').Key} Key */

/**
 * @type {import('./editing.jsx').Editable<Key, import('../form/values.js').KeyValues,
 *   {key: Key, bound: import('../model.js').Bound | null}>}
 */
const KEY = {
  valuesOf,
  changesOf,
  missingIn: (values, zone, { permissions }) => missingIn(values, zone, permissions),
  check: checkFields,
  save: editKey,
  changedIn: (problem) => conflictOf(problem)?.key,
};

/**
 * @param {object} props
 * @param {Key} props.subject
 * @param {(result: import('../model.js').KeyResult) => void} props.onDone
 * @param {(key: Key) => void} props.onChanged
 * @param {() => void} props.onStale called if the result of the changes is unknown
 * @param {() => void} props.onCancel
 */
export function Editor({ onDone, ...props }) {
  const editing = useEditing(KEY, {
    ...props,
    onSaved: ({ key, bound }) => onDone({ act: "edited", keys: [key], bound }),
  });
  const { form, base, before, changes, adopt } = editing;
  const { values, problem } = form;
  const conflict = conflictOf(problem);
  return (
    <EditorDialog editing={editing}>
      {conflict ? (
        <Conflict conflict={conflict} base={before} mine={values} onAdopt={adopt} />
      ) : (
        <ProblemNotice problem={problem} />
      )}
      <KeyFields values={values} change={form.change} errors={form.mistakes.errors} held={base} />
      <EditAtStake subject={base} changes={changes} />
    </EditorDialog>
  );
}
