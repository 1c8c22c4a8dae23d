// The edge's entry script. It calls the wasm module and carries out the result; it contains no
// rule.
//
// Every export of a Worker's main module becomes an entry point, so only the default is exported.
import * as edge from "../../../target/bindgen/edge/claviger_edge.js";
import { failed, flatten, misconfigured, respond } from "../shared/http.js";
import { attach, call, unlessTrapped } from "../shared/trap.js";
import { toAdmin } from "./admin.js";
import { Body } from "./body.js";
import { carryOut, isOperation } from "./operations.js";
import { forward } from "./origin.js";
import { fields, kindOf, readAnswer } from "./step.js";
import { countUnencrypted, secured } from "./transport.js";

/** Results of `decide` that are not numbers of prepared responses. */
const [SLOW, TEXT] = [0, 1];

/** Prepared responses by number: the answer, and a response without a body to copy. */
let prepared = [];

/** `true` if the present wasm instance has the settings. */
let isConfigured = false;

attach({
  instantiate: edge.__wbg_reset_state,
  watch: edge.watch,
  renewed() {
    isConfigured = false;
    prepared = [];
  },
});

/** Last exchange number. Numbers are never reused: after a trap, none finds another's exchange. */
let exchanges = 0;

export default {
  fetch: (request, env, ctx) => secured(request.url, answer(request, env, ctx)),
};

/** Returns the response to a request, or a promise of it. */
function answer(request, env, ctx) {
  try {
    const now = Date.now();
    // Most requests are decided here, in one synchronous call and by a few headers.
    const decided = call(edge.decide, head(request), now);
    if (decided > TEXT) return copyOf(prepared[decided], request);
    if (decided === SLOW) return carryThrough(request, env, ctx, now).catch(failed);
    const [kind, text] = kindOf(call(edge.take_outcome));
    return kind === "prepared" ? copyOf(prepare(text), request) : conclude(kind, text, request, env, ctx);
  } catch (error) {
    return failed(error);
  }
}

/**
 * Returns the input of a decision: method, URL, and the headers of `NAMED` in
 * `core/base/http/request.rs`.
 */
function head(request) {
  const { headers } = request;
  const authorization = headers.get("authorization");
  const key = headers.get("x-api-key");
  const address = headers.get("cf-connecting-ip");
  const address6 = headers.get("cf-connecting-ipv6");
  const origin = headers.get("origin");
  let head = `${request.method}\n${request.url}`;
  if (authorization !== null) head += `\nauthorization\n${authorization}`;
  if (key !== null) head += `\nx-api-key\n${key}`;
  if (address !== null) head += `\ncf-connecting-ip\n${address}`;
  if (address6 !== null) head += `\ncf-connecting-ipv6\n${address6}`;
  if (origin !== null) head += `\norigin\n${origin}`;
  return head;
}

/** Stores a response under its number. A prepared response renews no lease. */
function prepare(text) {
  const [number, , , , rest] = fields(text, 4);
  const answer = readAnswer(rest);
  const { status, headers } = answer;
  return (prepared[number] = { answer, like: new Response(null, { status, headers }) });
}

function copyOf({ answer, like }, request) {
  const translated = inJapanese(answer, request);
  return translated ? respond(translated) : new Response(answer.body, like);
}

/** Returns a problem document in Japanese, if the client prefers that to English. */
function inJapanese(answer, { headers }) {
  const accepted = headers.get("accept-language") ?? "";
  // Most clients name no Japanese, and need no call.
  if (!/ja/i.test(accepted) || !answer.headers.some(([, value]) => value === "application/problem+json"))
    return undefined;
  const body = call(edge.in_japanese, accepted, answer.body);
  return body && { ...answer, body, headers: [...answer.headers, ["content-language", "ja"]] };
}

/**
 * Answers a request that needs I/O, or all of its headers. `isCounted` if it was let through by
 * some of them.
 */
async function carryThrough(request, env, ctx, now, isCounted = false) {
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
  const { method, url, headers } = request;
  const begin = () => call(edge.begin, number, method, url, flatten(headers), isCounted, now);
  return conclude(...(await exchange(number, begin, io)), request, env, ctx, io.body);
}

/**
 * Runs an exchange. Resolves to the outcome's kind and its other fields. `begin` returns the first
 * step.
 */
async function exchange(number, begin, io) {
  let [kind, text] = kindOf(begin());
  while (isOperation(kind)) {
    const [resume, ...got] = await unlessTrapped(carryOut(kind, text, io));
    [kind, text] = kindOf(call(resume, number, ...got, Date.now()));
  }
  return [kind, text];
}

/** Carries out an outcome. */
function conclude(kind, text, request, env, ctx, body) {
  const [renew, timer, rest] = fields(text, 2);
  // No request waits for these, and they continue if this request is cancelled.
  if (renew) ctx.waitUntil(inBackground(edge.renew, renew, env, ctx));
  if (timer) ctx.waitUntil(flushLater(timer, env, ctx));
  switch (kind) {
    case "forward":
      return (
        forward(rest.split("\n"), request, env, body) ?? carryThrough(request, env, ctx, Date.now(), true).catch(failed)
      );
    case "admin":
      return toAdmin(rest.split("\n"), request, env);
    default: {
      const answer = readAnswer(rest);
      countUnencrypted(request.url, answer, Date.now());
      return respond(inJapanese(answer, request) ?? answer);
    }
  }
}

/** Begins an exchange about an account that no request waits for, and runs it. */
async function inBackground(begin, account, env, ctx) {
  const number = ++exchanges;
  try {
    await exchange(number, () => call(begin, number, account, Date.now()), { env, ctx });
  } catch {
    // The next request that needs the lease refreshes it itself, and sends the usage.
  }
}

/** Sends an account's usage once requests have stopped; the gateway decides if they have. */
async function flushLater(account, env, ctx) {
  await new Promise((resolve) => setTimeout(resolve, call(edge.flush_delay_ms)));
  await inBackground(edge.flush, account, env, ctx);
}

/**
 * Returns the Worker's secret and variables as text. Tables and arrays of the configuration file
 * arrive as objects.
 */
function settings(env) {
  const names = ["EDGE_KEYS", "PREFIX", "CONSOLE_ORIGIN", "RULES", "FRESHNESS", "OUTAGE"];
  const text = (value) => (value === undefined || typeof value === "string" ? value : JSON.stringify(value));
  return Object.fromEntries(names.map((name) => [name, text(env[name])]));
}
