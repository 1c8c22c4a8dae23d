// Networks: one address or block per line, with the server's notes on each line.
import { useRef } from "preact/hooks";
import { useConsole } from "../console.jsx";
import { Field } from "../fields.jsx";
import { useLocale } from "../locale.jsx";
import { lineText } from "../problem.jsx";

const ID = "networks";

/**
 * @param {object} props
 * @param {string} props.value
 * @param {(networks: string) => void} props.onChange
 * @param {string} [props.error]
 * @param {{networks?: object, includesCaller?: boolean}} props.notes
 */
export function NetworksField({ value, onChange, error, notes }) {
  const { say } = useLocale();
  const {
    session: { address },
  } = useConsole();
  const area = useRef(null);
  const add = () => {
    onChange(value.trim() ? `${value.trimEnd()}\n${address}` : address);
    area.current.focus();
  };
  const listed = value.split(/[\s,]+/).includes(address);
  return (
    <Field
      id={ID}
      label={say("form.networks")}
      hint={say("form.networks.hint")}
      error={error}
      after={
        <>
          {address && (
            <p class="hint caller">
              {say("form.networks.caller", { address: <code>{address}</code> })}{" "}
              {!listed && (
                <button type="button" class="link" onClick={add}>
                  {say("form.networks.add")}
                </button>
              )}
            </p>
          )}
          <Notes id={`${ID}-notes`} area={area} {...notes} />
        </>
      }
    >
      {(control) => (
        <textarea
          {...control}
          aria-describedby={`${control["aria-describedby"]} ${ID}-notes`}
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

function Notes({ id, area, networks, includesCaller }) {
  const locale = useLocale();
  const { say } = locale;
  const select = (line) => (event) => {
    event.preventDefault();
    selectLine(area.current, line);
  };
  return (
    <div class="note" id={id}>
      {networks?.count > 0 && <p>{summary(say, networks)}</p>}
      {networks?.lines.length > 0 && (
        <ul>
          {networks.lines.map((note) => (
            <li key={note.line + note.entry}>
              {note.code ? (
                <a href={`#${ID}`} onClick={select(note.line)}>
                  {lineText(locale, note)}
                </a>
              ) : (
                say("line.stored", { line: note.line, stored: note.stored })
              )}
            </li>
          ))}
        </ul>
      )}
      {includesCaller === false && networks?.count > 0 && networks.problems === 0 && (
        <p>{say("networks.excludes-caller")}</p>
      )}
    </div>
  );
}

const summary = (say, { count, problems }) =>
  problems === 0
    ? say("networks.count", { count })
    : `${say("networks.count", { count })}${say("networks.problems", { count: problems })}`;

/** @param {HTMLTextAreaElement} area @param {number} line counted from 1 */
function selectLine(area, line) {
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
}
