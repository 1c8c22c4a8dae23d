// Draws the networks: one address or CIDR block per line, with the server's notes on each line.
import { useRef } from "preact/hooks";
import { useSession } from "../../client/session.jsx";
import { useLocale } from "../../i18n/locale.jsx";
import { Field } from "../../ui/fields.jsx";
import { lineText } from "../../ui/problem.jsx";
import { useCheck } from "./check.js";

/**
 * @param {object} props
 * @param {string} props.id
 * @param {string} props.label
 * @param {string} props.hint
 * @param {string} props.value
 * @param {(networks: string) => void} props.onChange
 * @param {string} [props.error]
 * @param {boolean} [props.caller] `true` if the member's own address matters here
 */
export function NetworksField({ id, label, hint, value, onChange, error, caller = true }) {
  const { say } = useLocale();
  const {
    session: { address },
  } = useSession();
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const notes = useCheck(value.trim() ? { networks: value } : null);
  const add = () => {
    onChange([value.trimEnd(), address].filter(Boolean).join("\n"));
    area.current?.focus();
  };
  const listed = address !== null && value.split(/[\s,]+/).includes(address);
  return (
    <Field
      id={id}
      label={label}
      hint={hint}
      error={error}
      after={
        <>
          {caller && address && (
            <p class="hint caller">
              {say("form.networks.caller", { address: <code>{address}</code> })}{" "}
              {!listed && (
                <button type="button" class="link" onClick={add}>
                  {say("form.networks.add")}
                </button>
              )}
            </p>
          )}
          <Notes id={id} area={area} caller={caller} {...notes} />
        </>
      }
    >
      {(control) => (
        <textarea
          {...control}
          aria-describedby={`${control["aria-describedby"]} ${id}-notes`}
          ref={area}
          rows={3}
          autocomplete="off"
          spellcheck={false}
          translate={false}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/**
 * @param {{id: string, area: import('preact').RefObject<HTMLTextAreaElement | null>, caller:
 *   boolean} & import('../model.js').Checked} props
 */
function Notes({ id, area, caller, networks, includes_caller }) {
  const locale = useLocale();
  const { say } = locale;
  /** @param {number} line @returns {(event: Event) => void} */
  const select = (line) => (event) => {
    event.preventDefault();
    if (area.current) selectLine(area.current, line);
  };
  return (
    <div class="note" id={`${id}-notes`}>
      {networks && networks.count > 0 && <p>{summary(say, networks)}</p>}
      {networks && networks.lines.length > 0 && (
        <ul>
          {networks.lines.map((note) => (
            <li key={note.line + note.entry}>
              {note.code ? (
                <a href={`#${id}`} onClick={select(note.line)}>
                  {lineText(locale, { ...note, code: note.code })}
                </a>
              ) : (
                hints(locale, note)
              )}
            </li>
          ))}
        </ul>
      )}
      {caller && includes_caller === false && networks && networks.count > 0 && networks.problems === 0 && (
        <p>{say("networks.excludes-caller")}</p>
      )}
    </div>
  );
}

/**
 * Returns what there is to know about a line that is right.
 * @param {import('../../i18n/locale.jsx').Locale} locale
 * @param {import('../model.js').Line} note
 */
function hints(locale, { line, entry, stored, unreachable }) {
  const sentences = [];
  if (stored) sentences.push(locale.say("line.stored", { line, stored }));
  if (unreachable) sentences.push(lineText(locale, { line, entry, code: `unreachable.${unreachable}` }));
  return sentences.join(" ");
}

/**
 * @param {import('../../i18n/locale.jsx').Say} say
 * @param {import('../model.js').CheckedNetworks} networks
 */
const summary = (say, { count, problems }) =>
  problems === 0
    ? say("networks.count", { count })
    : `${say("networks.count", { count })}${say("networks.problems", { count: problems })}`;

/**
 * Selects one line of a text.
 * @param {HTMLTextAreaElement} area
 * @param {number} line counted from 1
 */
function selectLine(area, line) {
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
}
