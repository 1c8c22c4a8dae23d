// Forwards a request to its origin, and returns the response. Streams and WebSockets pass
// unchanged; `returned.js` changes headers.
import * as edge from "../../../target/bindgen/edge/claviger_edge.js";
import { flatten, misconfigured, problem, reason } from "../shared/http.js";
import { call } from "../shared/trap.js";
import { returned } from "./returned.js";
import { edit } from "./step.js";

/**
 * Regular expressions of `suspect_patterns`: names to remove, twins of credential headers, values
 * to look at.
 */
let patterns;

/** Message of the platform's error for a connection that ended early. */
const CONNECTION_LOST = "Network connection lost.";

/**
 * Forwards a request. `body` is set if the decision took an exchange. Returns `undefined` if the
 * decision must be made again with all headers.
 */
export function forward(step, request, env, body) {
  const [binding, url, screening, remove, cuts, base, cors, subprotocol, ...set] = step;
  const change = (answer) => returned(answer, url, { base, cors, subprotocol });
  if (binding && !env[binding]) return change(lacking(binding));
  if (cuts) {
    const headers = edit(new Headers(request.headers), remove, set);
    return send(withoutCuts(cuts, url, headers, request, body), binding, url, env).then(change);
  }
  const secret = screening.slice(1);
  const found = screening ? look(request.headers, secret, remove) : { names: [] };
  if (!found) return undefined;
  // The copy shares body and redirect mode with the request, but has separate headers.
  const sent = new Request(url, request);
  edit(sent.headers, remove, []);
  for (const name of found.names) sent.headers.delete(name);
  if (found.isSuspect) {
    const [names, ...changed] = call(edge.screen, flatten(sent.headers), secret).split("\n");
    edit(sent.headers, names, changed);
  }
  edit(sent.headers, "", set);
  return send(sent, binding, url, env).then(change);
}

/**
 * Looks over client headers. Returns the names that the origin must not receive, and `isSuspect` if
 * the core must screen the values; `undefined` if a header may hold a credential that the decision
 * has not seen. `remove` names the headers that go anyway.
 */
function look(headers, secret, remove) {
  patterns ??= call(edge.suspect_patterns)
    .split("\n")
    .map((source) => new RegExp(source));
  const [removed, twin, maybe] = patterns;
  const found = { names: [], isSuspect: false };
  for (const [name, value] of headers) {
    if (removed.test(name)) found.names.push(name);
    else if (twin.test(name)) return undefined;
    else if (name === "cookie") found.isSuspect = true;
    else if (secret && value.length >= secret.length && maybe.test(value) && !remove.split(",").includes(name))
      found.isSuspect = true;
  }
  return found;
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
