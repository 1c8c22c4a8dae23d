// Forwards a request to its origin, and returns the response. Streams and WebSockets pass
// unchanged; `returned.js` changes headers.
import * as edge from "../../../target/bindgen/edge/claviger_edge.js";
import { flatten, misconfigured, problem, reason } from "../shared/http.js";
import { call } from "../shared/trap.js";
import { returned } from "./returned.js";
import { edit } from "./step.js";

/** Matches the names of client headers that the core must screen. */
let suspect;

/** Message of the platform's error for a connection that ended early. */
const CONNECTION_LOST = "Network connection lost.";

/** Forwards a request. `body` is set if the decision took an exchange. */
export function forward(step, request, env, body) {
  const [binding, url, screening, remove, cuts, base, cors, subprotocol, ...set] = step;
  const change = (answer) => returned(answer, url, { base, cors, subprotocol });
  if (binding && !env[binding]) return change(lacking(binding));
  let sent;
  if (cuts) {
    sent = withoutCuts(cuts, url, edit(new Headers(request.headers), remove, set), request, body);
  } else {
    // The copy shares body and redirect mode with the request, but has separate headers.
    sent = new Request(url, request);
    if (screening) screen(sent.headers, screening === "read");
    edit(sent.headers, remove, set);
  }
  return send(sent, binding, url, env).then(change);
}

/** Returns the request without the ranges of its body to cut out: `,<from>-<to>,…`. */
function withoutCuts(cuts, url, headers, request, body) {
  const ranges = cuts.slice(1)
    ? cuts
        .slice(1)
        .split(",")
        .map((range) => range.split("-").map(Number))
    : [];
  const init = { method: request.method, headers, redirect: "manual", cf: request.cf };
  return new Request(url, { ...init, body: body.stream(ranges, headers) });
}

/** Removes client headers that the origin must not receive. */
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
    // The platform's cache does not know accounts: one caller's response must not serve the next.
    return await (binding ? env[binding].fetch(sent) : fetch(sent, { cache: "no-store" }));
  } catch (error) {
    const line = `origin ${binding || new URL(url).host}: ${reason(error)}`;
    // A client that breaks an upload off looks the same here as an origin that does.
    if (sent.body && error?.message === CONNECTION_LOST)
      console.warn(`${line} The client or the origin broke an upload off.`);
    else console.error(line);
    return problem(502, "Bad Gateway", "origin_unreachable");
  }
}

function lacking(binding) {
  console.error(`the rules name the binding ${binding}, which this Worker lacks`);
  return misconfigured();
}
