// What the runtime loads for the edge. It carries out what `lib.rs` asks for, and holds no rule.
//
// Whatever a Worker's main module exports becomes an entry point: only the default may.
import * as edge from "../../../target/bindgen/edge/claviger_edge.js";
import { failed, flatten, misconfigured, respond } from "../shared/http.js";
import { attach, call, unlessTrapped } from "../shared/trap.js";
import { toAdmin } from "./admin.js";
import { Body } from "./body.js";
import { carryOut } from "./operations.js";
import { toOrigin } from "./origin.js";

/** The present wasm instance has the settings. */
let isConfigured = false;
attach({ instantiate: edge.__wbg_reset_state, watch: edge.watch, renewed: () => (isConfigured = false) });

/** Numbers of exchanges. None is given twice, so that after a trap none finds another's. */
let exchanges = 0;

export default {
  fetch(request, env, ctx) {
    try {
      const headers = flatten(request.headers);
      const now = Date.now();
      // Most requests are decided here, in one synchronous call.
      const decided = call(edge.decide, request.method, request.url, headers, now);
      if (decided === "") return carryThrough(request, env, ctx, headers, now).catch(failed);
      return conclude(JSON.parse(decided), request, env, ctx);
    } catch (error) {
      return failed(error);
    }
  },
};

/** Carries a request through that needs I/O, and answers it. */
async function carryThrough(request, env, ctx, headers, now) {
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
  const begin = () => call(edge.begin, number, request.method, request.url, headers, now);
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
