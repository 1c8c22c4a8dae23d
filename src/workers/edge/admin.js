// Calls the admin Worker, and takes the notices that its responses carry.
import * as edge from "../../../target/bindgen/edge/claviger_edge.js";
import { problem, reason } from "../shared/http.js";
import { call } from "../shared/trap.js";
import { edit } from "./step.js";

/**
 * Header in which the admin Worker and its objects send the edge a notice. The edge removes it from
 * every request and response.
 */
export const ADMIN_HEADER = "claviger-admin";

/** Hands a request to the admin Worker, and takes the notice of its response. */
export async function toAdmin([remove, ...set], request, env) {
  let answer;
  try {
    const headers = edit(new Headers(request.headers), remove, set);
    answer = await env.ADMIN.fetch(new Request(request, { headers, redirect: "manual" }));
  } catch (error) {
    console.error(`ADMIN did not answer: ${reason(error)}`);
    return problem(503, "No answer can be given at the moment", "unavailable", { "retry-after": "2" });
  }
  const notice = answer.headers.get(ADMIN_HEADER);
  if (notice === null) return answer;
  takeNotice(notice);
  return withoutNotice(answer);
}

/** Asks the admin Worker whether both fit. Resolves to `undefined` if it does not answer. */
export async function callAdmin(env) {
  const { status, fits } = await ask(env, "/.claviger/link");
  return fits ?? (status === 204 ? true : undefined);
}

/**
 * Has a secret of an API user checked. Resolves to the text of the answer.
 * The path and the header are those of `replication/secret_check.rs`.
 */
export async function checkSecret(env, body) {
  const headers = { "claviger-ask": "api-user", "content-type": "application/json" };
  const { status, text } = await ask(env, "/.claviger/api-user", { method: "POST", headers, body });
  if (status !== 200) throw new Error(`ADMIN answered ${status}`);
  return text;
}

/**
 * Asks the admin Worker something for this edge itself. Resolves to status and text of its answer,
 * and to what its notice says of both Workers, if it has one.
 */
async function ask(env, path, { headers, ...init } = {}) {
  const answer = await env.ADMIN.fetch(`https://admin${path}`, {
    ...init,
    headers: { ...headers, "claviger-edge": call(edge.link) },
  });
  const notice = answer.headers.get(ADMIN_HEADER);
  const fits = notice === null ? undefined : takeNotice(notice);
  return { status: answer.status, text: await answer.text(), fits };
}

/**
 * Takes a notice: `changed <account> <revision>` or `misfit <reason>`. Returns `true` if both
 * Workers fit.
 */
export function takeNotice(notice) {
  const space = notice.indexOf(" ");
  const [kind, rest] = [notice.slice(0, space), notice.slice(space + 1)];
  if (kind === "changed") call(edge.take_change, rest, Date.now());
  if (kind !== "misfit") return true;
  console.error(`this edge refuses everything: ${rest}`);
  call(edge.take_fit, false, Date.now());
  return false;
}

/** Returns a response without its notice. */
function withoutNotice(answer) {
  const copy = new Response(answer.body, answer);
  copy.headers.delete(ADMIN_HEADER);
  return copy;
}
