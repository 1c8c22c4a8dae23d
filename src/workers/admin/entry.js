// What the runtime loads for the admin Worker. It translates between the platform and `lib.rs`, and
// holds no rule.
//
// Whatever a Worker's main module exports becomes an entry point: only the default and the classes
// may.
import { DurableObject } from "cloudflare:workers";
import { __wbg_reset_state, alarm, handle, object, proceed, watch } from "../../../target/bindgen/admin/claviger_admin.js";
import { failed, flatten, respond } from "../shared/http.js";
import { attach, callAsync } from "../shared/trap.js";

attach({ instantiate: __wbg_reset_state, watch });

export default {
  async fetch(request, env) {
    try {
      const headers = flatten(request.headers);
      const reaction = JSON.parse(await callAsync(handle, request, env, headers, Date.now()));
      if (reaction === "asset") return await env.ASSETS.fetch(request);
      const { status, headers: own, body, more } = reaction.answer;
      if (!more) return respond(reaction.answer);
      const onward = (more) => callAsync(proceed, request, env, headers, Date.now(), more);
      return new Response(stream(body, more, onward), { status, headers: own });
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
