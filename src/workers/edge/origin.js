// Sends a request on to its origin, and hands back what comes: streams, redirects and WebSockets as they are.
import * as edge from "../../../target/bindgen/edge/claviger_edge.js";
import { flatten, misconfigured, problem } from "../shared/http.js";
import { call } from "../shared/trap.js";
import { ADMIN_HEADER, onward, withoutWord } from "./admin.js";

/** Names of client headers that must be screened, as the core says. */
let suspect;

/** Sends a request on whose forward is a text (`Forward::to_text` in `core/base/http/response.rs`). */
export function forward(text, request, env, renew) {
  const [, account, binding, url, reads, remove, ...set] = text.split("\n");
  if (account) renew(account);
  if (binding && !env[binding]) return lacking(binding);
  // A copy of the request itself, with its body and its redirect mode; only its headers are its own.
  const sent = new Request(url, request);
  const { headers } = sent;
  screen(headers, reads === "r");
  if (remove) for (const name of remove.split(",")) headers.delete(name);
  for (let index = 0; index < set.length; index += 2) headers.set(set[index], set[index + 1]);
  return send(sent, binding, url, env);
}

/** Sends a request on whose body was read, or whose headers were all looked at. */
export function toOrigin({ binding, url, remove, set, cuts }, request, env, body) {
  if (binding && !env[binding]) return lacking(binding);
  if (!cuts) {
    const sent = new Request(url, request);
    for (const name of remove) sent.headers.delete(name);
    for (const [name, value] of set) sent.headers.set(name, value);
    return send(sent, binding, url, env);
  }
  const headers = onward(request, remove, set);
  const init = { method: request.method, headers, redirect: "manual", cf: request.cf };
  return send(new Request(url, { ...init, body: body.onward(cuts, headers) }), binding, url, env);
}

/** Removes of a client's headers what must not travel on. */
function screen(headers, onlyReads) {
  suspect ??= new RegExp(call(edge.suspect_names));
  for (const name of headers.keys()) {
    if (suspect.test(name)) return screenAll(headers, onlyReads);
  }
}

function screenAll(headers, onlyReads) {
  const { remove, cookie } = JSON.parse(call(edge.screen, flatten(headers), onlyReads));
  for (const name of remove) headers.delete(name);
  if (cookie !== null) headers.set("cookie", cookie);
}

async function send(sent, binding, url, env) {
  try {
    // The platform's cache knows nothing of accounts: what one caller may see must not be kept for the next.
    const answer = await (binding ? env[binding].fetch(sent) : fetch(sent, { cache: "no-store" }));
    return answer.headers.has(ADMIN_HEADER) ? withoutWord(answer) : answer;
  } catch (error) {
    console.error(`origin ${binding || new URL(url).host}: ${error?.message ?? error}`);
    return problem(502, "Bad Gateway", "origin_unreachable");
  }
}

function lacking(binding) {
  console.error(`the rules name the binding ${binding}, which this Worker lacks`);
  return misconfigured();
}
