// Reads the steps and outcomes of the wasm side, which `step_text.rs` writes: fields between line
// feeds.

/** Splits off the first fields of a text. The last element is the rest, line feeds included. */
export function fields(text, count) {
  const found = [];
  let from = 0;
  while (found.length < count) {
    const end = text.indexOf("\n", from);
    found.push(text.slice(from, end));
    from = end + 1;
  }
  found.push(text.slice(from));
  return found;
}

/** Returns the kind of a step, and the text of its other fields. */
export const kindOf = (step) => fields(step, 1);

/** Reads an answer: its status, headers and body. */
export function readAnswer(text) {
  const [status, count, rest] = fields(text, 2);
  const lines = fields(rest, 2 * count);
  const body = lines.pop();
  const headers = [];
  for (let index = 0; index < lines.length; index += 2) headers.push([lines[index], lines[index + 1]]);
  return { status: Number(status), headers, body };
}

/** Removes headers, named with commas between them, then sets others, each a name and a value. */
export function edit(headers, remove, set) {
  if (remove) for (const name of remove.split(",")) headers.delete(name);
  for (let index = 0; index + 1 < set.length; index += 2) headers.set(set[index], set[index + 1]);
  return headers;
}
