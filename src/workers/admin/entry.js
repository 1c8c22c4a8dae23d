// Entry script of the admin Worker. It translates between the platform and `lib.rs`, and contains
// no rule.
//
// Everything that a Worker's main module exports becomes an entry point, so it exports only the
// default handler and the classes.
import { DurableObject } from "cloudflare:workers";
import {
  __wbg_reset_state,
  alarm,
  handle,
  object,
  proceed,
  watch,
} from "../../../target/bindgen/admin/claviger_admin.js";
import { failed, flatten, respond } from "../shared/http.js";
import { attach, callAsync } from "../shared/trap.js";

attach({ instantiate: __wbg_reset_state, watch });

export default {
  async fetch(request, env) {
    try {
      const headers = flatten(request.headers);
      const reaction = JSON.parse(await callAsync(handle, request, env, headers, Date.now()));
      if (reaction === "asset") return kept(request, await env.ASSETS.fetch(request));
      const { status, headers: own, body, more } = reaction.answer;
      if (!more) return respond(reaction.answer);
      const onward = (more) => callAsync(proceed, request, env, headers, Date.now(), more);
      return new Response(stream(body, more, onward), { status, headers: own });
    } catch (error) {
      return failed(error);
    }
  },
};

/**
 * Lets browsers keep a file whose name contains a hash of its content (`xtask/build.mjs`). Anything
 * else under such a name, such as the 404 page between two releases, is not kept.
 */
function kept(request, answer) {
  if (!new URL(request.url).pathname.startsWith("/hashed/")) return answer;
  const isFile = answer.status === 200 || answer.status === 304;
  const headers = new Headers(answer.headers);
  headers.set("cache-control", isFile ? "public, max-age=31536000, immutable" : "no-store");
  return new Response(answer.body, { status: answer.status, headers });
}

/** Number of Durable Objects created in this isolate so far. */
let lives = 0;

/**
 * Returns the class of a kind of Durable Object. `life` is the number of the object's memory in
 * `memory.rs`. The object holds a number, because a pointer into the wasm instance would not
 * survive a trap.
 */
const objectClass = (kind) =>
  class extends DurableObject {
    life = ++lives;

    fetch(request) {
      return callAsync(object, kind, this.life, this.ctx, this.env, request).catch(failed);
    }

    /** Rejects on failure, so that the runtime rings again. */
    alarm() {
      return callAsync(alarm, kind, this.life, this.ctx, this.env);
    }
  };

export const Ledger = objectClass("Ledger");
export const Name = objectClass("Name");
export const Directory = objectClass("Directory");
export const Address = objectClass("Address");
export const ApiName = objectClass("ApiName");

/**
 * Streams a body in pieces. It requests a piece once the client has read the one before; a failure
 * aborts the body.
 */
function stream(first, more, onward) {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start: (controller) => first && controller.enqueue(encoder.encode(first)),
    async pull(controller) {
      // A piece may be empty. The runtime does not pull again after an empty pull, so continue
      // here.
      let body = "";
      while (more && !body) ({ body, more } = JSON.parse(await onward(more)));
      if (body) controller.enqueue(encoder.encode(body));
      if (!more) controller.close();
    },
  });
}
