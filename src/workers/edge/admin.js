// The edge's side of the admin Worker: requests that it hands on, and what comes back beside the
// answers.
import * as edge from "../../../target/bindgen/edge/claviger_edge.js";
import { problem, reason } from "../shared/http.js";
import { call } from "../shared/trap.js";
import { edit } from "./step.js";

/** The header by which the admin Worker's side tells the edge something. It never leaves the deployment, whoever set it. */
export const ADMIN_HEADER = "claviger-admin";

/** Hands a request to the admin Worker, and takes note of what comes beside its answer. */
export async function toAdmin([remove, ...set], request, env) {
  let answer;
  try {
    const headers = edit(new Headers(request.headers), remove, set);
    answer = await env.ADMIN.fetch(new Request(request, { headers, redirect: "manual" }));
  } catch (error) {
    console.error(`ADMIN did not answer: ${reason(error)}`);
    return problem(503, "No answer can be given at the moment", "unavailable", { "retry-after": "2" });
  }
  const word = answer.headers.get(ADMIN_HEADER);
  if (word === null) return answer;
  hear(word);
  return withoutWord(answer);
}

/** Asks the admin Worker whether both fit. `undefined`: it does not answer. */
export async function callAdmin(env) {
  const headers = { "claviger-edge": call(edge.link) };
  const answer = await env.ADMIN.fetch("https://admin/.claviger/link", { headers });
  const word = answer.headers.get(ADMIN_HEADER);
  if (word !== null) return hear(word);
  return answer.status === 204 ? true : undefined;
}

/** Takes a word: `changed <account> <revision>` or `misfit <why>`. Gives whether both fit. */
export function hear(word) {
  const space = word.indexOf(" ");
  const [kind, rest] = [word.slice(0, space), word.slice(space + 1)];
  if (kind === "changed") call(edge.take_change, rest, Date.now());
  if (kind !== "misfit") return true;
  console.error(`this edge refuses everything: ${rest}`);
  call(edge.take_fit, false, Date.now());
  return false;
}

/** An answer without the header that is the deployment's own. */
function withoutWord(answer) {
  const copy = new Response(answer.body, answer);
  copy.headers.delete(ADMIN_HEADER);
  return copy;
}
