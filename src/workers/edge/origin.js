// Sends a request on to its origin, and hands back what comes: streams, redirects and WebSockets as they are.
import * as edge from "../../../target/bindgen/edge/claviger_edge.js";
import { flatten, misconfigured, problem, reason } from "../shared/http.js";
import { call } from "../shared/trap.js";
import { edit } from "./step.js";

/** Names of client headers that must be screened, as the core says. */
let suspect;

/** Names of headers that only this deployment writes: some servers read `_` and other characters as `-`. */
const OURS = /^claviger(?![a-z0-9])/;

/** What the platform says of a connection that ended early. */
const CONNECTION_LOST = "Network connection lost.";

/** Sends a request on. `body` is there if the request was not decided by a few headers alone. */
export function forward([binding, url, screening, remove, cuts, ...set], request, env, body) {
  if (binding && !env[binding]) return lacking(binding);
  if (cuts) return send(withoutCuts(cuts, url, edit(new Headers(request.headers), remove, set), request, body), binding, url, env);
  // A copy of the request itself, with its body and its redirect mode; only its headers are its own.
  const sent = new Request(url, request);
  if (screening) screen(sent.headers, screening === "read");
  edit(sent.headers, remove, set);
  return send(sent, binding, url, env);
}

/** A request whose body was read, without the ranges that are cut out: `,<from>-<to>,…`. */
function withoutCuts(cuts, url, headers, request, body) {
  const ranges = cuts.slice(1) ? cuts.slice(1).split(",").map((range) => range.split("-").map(Number)) : [];
  const init = { method: request.method, headers, redirect: "manual", cf: request.cf };
  return new Request(url, { ...init, body: body.onward(ranges, headers) });
}

/** Removes of a client's headers what must not travel on. */
function screen(headers, onlyReads) {
  suspect ??= new RegExp(call(edge.suspect_names));
  for (const name of headers.keys()) {
    if (suspect.test(name)) return screenAll(headers, onlyReads);
  }
}

function screenAll(headers, onlyReads) {
  const [remove, cookie] = call(edge.screen, flatten(headers), onlyReads).split("\n");
  edit(headers, remove, cookie === undefined ? [] : ["cookie", cookie]);
}

async function send(sent, binding, url, env) {
  try {
    // The platform's cache knows nothing of accounts: what one caller may see must not be kept for the next.
    const answer = await (binding ? env[binding].fetch(sent) : fetch(sent, { cache: "no-store" }));
    return withoutOurs(answer);
  } catch (error) {
    const line = `origin ${binding || new URL(url).host}: ${reason(error)}`;
    // A client that breaks an upload off looks the same here as an origin that does.
    if (sent.body && error?.message === CONNECTION_LOST) console.warn(`${line} The client or the origin broke an upload off.`);
    else console.error(line);
    return problem(502, "Bad Gateway", "origin_unreachable");
  }
}

/** An answer without headers that could pass for the deployment's own, as the client's had none. */
function withoutOurs(answer) {
  let ours;
  for (const name of answer.headers.keys()) if (OURS.test(name)) (ours ??= []).push(name);
  if (!ours) return answer;
  const copy = new Response(answer.body, answer);
  for (const name of ours) copy.headers.delete(name);
  return copy;
}

function lacking(binding) {
  console.error(`the rules name the binding ${binding}, which this Worker lacks`);
  return misconfigured();
}
