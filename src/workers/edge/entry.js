// What the runtime loads for the edge. It carries out what `lib.rs` asks for, and holds no rule.
//
// Whatever a Worker's main module exports becomes an entry point: only the default may.
import * as edge from "../../../target/bindgen/edge/claviger_edge.js";
import { failed, flatten, misconfigured, respond } from "../shared/http.js";
import { attach, call, unlessTrapped } from "../shared/trap.js";
import { toAdmin } from "./admin.js";
import { Body } from "./body.js";
import { carryOut } from "./operations.js";
import { forward, toOrigin } from "./origin.js";

/** What `decide` returns beside the numbers of prepared answers. */
const [SLOW, TEXT] = [0, 1];

/** Answers that many requests get, by their numbers: a body, and a response without one. */
let prepared = [];

/** The present wasm instance has the settings. */
let isConfigured = false;

attach({
  instantiate: edge.__wbg_reset_state,
  watch: edge.watch,
  renewed() {
    isConfigured = false;
    prepared = [];
  },
});

/** Numbers of exchanges. None is given twice, so that after a trap none finds another's. */
let exchanges = 0;

export default {
  fetch(request, env, ctx) {
    try {
      const now = Date.now();
      // Most requests are decided here, in one synchronous call and by a few headers.
      const decided = call(edge.decide, head(request), now);
      if (decided > TEXT) return answerAs(prepared[decided]);
      if (decided === SLOW) return carryThrough(request, env, ctx, now).catch(failed);
      const text = call(edge.take_outcome);
      switch (text[0]) {
        case ">":
          return forward(text, request, env, (account) => ctx.waitUntil(renewLease(account, env, ctx)));
        case "{":
          return conclude(JSON.parse(text), request, env, ctx);
        default:
          return answerAs(prepare(text));
      }
    } catch (error) {
      return failed(error);
    }
  },
};

/** What a decision looks at: the method, the URL, and the headers of `NAMED` in `core/base/http/request.rs`. */
function head(request) {
  const { headers } = request;
  const authorization = headers.get("authorization");
  const key = headers.get("x-api-key");
  const address = headers.get("cf-connecting-ip");
  const address6 = headers.get("cf-connecting-ipv6");
  let head = `${request.method}\n${request.url}`;
  if (authorization !== null) head += `\nauthorization\n${authorization}`;
  if (key !== null) head += `\nx-api-key\n${key}`;
  if (address !== null) head += `\ncf-connecting-ip\n${address}`;
  if (address6 !== null) head += `\ncf-connecting-ipv6\n${address6}`;
  return head;
}

/** Keeps an answer under its number: `<number>\n<JSON>`. */
function prepare(text) {
  const end = text.indexOf("\n");
  const { status, headers, body } = JSON.parse(text.slice(end + 1)).answer;
  return (prepared[Number(text.slice(0, end))] = { body, like: new Response(null, { status, headers }) });
}

const answerAs = ({ body, like }) => new Response(body, like);

/** Carries a request through that needs I/O or all of its headers, and answers it. */
async function carryThrough(request, env, ctx, now) {
  if (!isConfigured) {
    const wrong = call(edge.configure, JSON.stringify(settings(env)));
    if (wrong) {
      console.error(`this edge does not serve: ${wrong}`);
      return misconfigured();
    }
    isConfigured = true;
  }
  const number = ++exchanges;
  const io = { env, ctx, body: new Body(request) };
  const begin = () => call(edge.begin, number, request.method, request.url, flatten(request.headers), now);
  return conclude(await exchange(number, begin, io), request, env, ctx, io.body);
}

/** Runs an exchange to its outcome. `begin` gives its first step. */
async function exchange(number, begin, io) {
  let step = JSON.parse(begin());
  while (step.ask) {
    const [resume, ...got] = await unlessTrapped(carryOut(step.ask, io));
    step = JSON.parse(call(resume, number, ...got, Date.now()));
  }
  return step;
}

/** Does what an outcome says. */
function conclude({ answer, forward, admin, renew }, request, env, ctx, body) {
  // No request waits for it, and it outlives one that is cancelled.
  if (renew) ctx.waitUntil(renewLease(renew, env, ctx));
  if (answer) return respond(answer);
  return admin ? toAdmin(admin, request, env) : toOrigin(forward, request, env, body);
}

async function renewLease(account, env, ctx) {
  const number = ++exchanges;
  try {
    await exchange(number, () => call(edge.renew, number, account, Date.now()), { env, ctx });
  } catch {
    // The request that needs the lease next finds out by itself.
  }
}

/** The Worker's secret and variables as text: tables and arrays of the configuration file arrive as objects. */
function settings(env) {
  const names = ["EDGE_KEYS", "PREFIX", "CONSOLE_ORIGIN", "RULES", "FRESHNESS", "OUTAGE"];
  const text = (value) => (value === undefined || typeof value === "string" ? value : JSON.stringify(value));
  return Object.fromEntries(names.map((name) => [name, text(env[name])]));
}
