// What the runtime loads. It translates between the platform and `mod.rs`, and holds no rule.
//
// Whatever a Worker's main module exports becomes an entry point: only the default and the classes may.
import { DurableObject } from "cloudflare:workers";
import { alarm, decide, handle, object, proceed, renew } from "../../target/bindgen/claviger.js";
import { Body } from "./body.js";
import { TRAPPED, call, callAsync } from "./trap.js";

export default {
  async fetch(request, env, ctx) {
    try {
      const headers = flatten(request.headers);
      const now = Date.now();
      // Most requests are decided here, in one synchronous call; async Rust costs half as much again.
      let verdict = call(decide, request.method, request.url, headers, now);
      const body = verdict === "" ? new Body(request) : undefined;
      if (body) verdict = await callAsync(handle, request, env, ctx, headers, now, body);
      const outcome = JSON.parse(verdict);
      // Nobody waits for it, and it outlives a request that is cancelled.
      if (outcome.renew) ctx.waitUntil(callAsync(renew, env, outcome.renew).catch(() => {}));
      if (outcome === "asset") return await env.ASSETS.fetch(request);
      const onward = (more) => callAsync(proceed, request, env, headers, Date.now(), more);
      return outcome.answer ? respond(outcome.answer, onward) : await pass(outcome.forward, request, env, body);
    } catch (error) {
      return failed(error);
    }
  },
};

/** How many Durable Objects were made in this isolate. */
let lives = 0;

/** A Durable Object. Its number is its memory's in `memory.rs`: nothing here may point into an instance that can trap. */
const objectClass = (kind) =>
  class extends DurableObject {
    life = ++lives;

    fetch(request) {
      return callAsync(object, kind, this.life, this.ctx, this.env, request).catch(failed);
    }

    /** Rejects on failure, so that the runtime tries again. */
    alarm() {
      return callAsync(alarm, kind, this.life, this.ctx, this.env);
    }
  };

export const Ledger = objectClass("Ledger");
export const Name = objectClass("Name");
export const Directory = objectClass("Directory");
export const Address = objectClass("Address");

/** `name\nvalue\nname\nvalue…`: neither can hold a newline, and one string crosses into wasm cheaply. */
function flatten(headers) {
  const lines = [];
  for (const [name, value] of headers) lines.push(name, value);
  return lines.join("\n");
}

function respond({ status, headers, body, more }, onward) {
  // Some statuses must not have a body, not even an empty one.
  return new Response(more ? stream(body, more, onward) : body || null, { status, headers });
}

/** A body in pieces: each is asked for when the client has taken the one before. One that fails breaks the body off. */
function stream(first, more, onward) {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start: (controller) => first && controller.enqueue(encoder.encode(first)),
    async pull(controller) {
      // A piece may be empty, and of nothing nobody would ask for more.
      let body = "";
      while (more && !body) ({ body, more } = JSON.parse(await onward(more)));
      if (body) controller.enqueue(encoder.encode(body));
      if (!more) controller.close();
    },
  });
}

/** Sends the request on and hands back what comes: streams, redirects and WebSockets as they are. */
async function pass({ binding, url, remove, set, cuts }, request, env, body) {
  const headers = new Headers(request.headers);
  for (const name of remove) headers.delete(name);
  for (const [name, value] of set) headers.set(name, value);
  // Out of the request itself, which also takes a GET with a body. The platform's cache knows nothing of accounts: what one
  // caller may see must not be kept for the next.
  const init = { headers, redirect: "manual", ...(binding ? {} : { cache: "no-store" }) };
  const onward = cuts
    ? new Request(url, { ...init, method: request.method, cf: request.cf, body: body.onward(cuts, headers) })
    : new Request(new Request(url, request), init);
  try {
    return await (binding ? env[binding].fetch(onward) : fetch(onward));
  } catch (error) {
    console.error(`origin ${binding ?? new URL(url).host}: ${error?.message ?? error}`);
    return problem(502, "Bad Gateway", "origin_unreachable");
  }
}

function failed(error) {
  if (error !== TRAPPED) console.error(`internal error: ${error?.message ?? error}`);
  return problem(500, "Internal Server Error", "internal");
}

function problem(status, title, code) {
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  return Response.json({ type: "about:blank", title, status, code }, { status, headers });
}
