// The edge as the tests load it: the real entry, observed.
import { begin } from "../../../target/bindgen/edge/claviger_edge.js";
import worker from "../../../src/workers/edge/entry.js";
import { call } from "../../../src/workers/shared/trap.js";
import { bound, controlled, fault, inPlace, observed, trapsBy } from "./observed.js";

/** Texts that are none make the instance read out of its memory: a trap as real as a panic's. */
const trap = () => call(begin, 0, {}, {}, {}, 0);
trapsBy(trap);

export default {
  async fetch(request, env, ctx) {
    inPlace(env.TEST_CACHE);
    // The platform's front writes hosts in lower case and resolves dot segments; here requests come
    // by a socket of workerd's own.
    const url = URL.parse(request.url);
    // A URL of which that front would make nothing, or another one, comes as it is.
    if (!url || url.hostname.includes("*")) return worker.fetch(request, observed(env), ctx);
    // The front also ends TLS.
    const scheme = request.headers.get("test-scheme");
    if (scheme) url.protocol = scheme;
    const isRaw = scheme || !request.url.startsWith(`${url.origin}/`) || /\/\.{1,2}(?:[/?]|$)/.test(request.url);
    if (isRaw) request = new Request(url, request);
    const control = await controlled(request);
    if (control) return control;
    const traps = await fault("decide", request.url);
    if (!traps) return worker.fetch(request, observed(env), ctx);
    // The trap comes while the request is read, just before the decision.
    const method = {
      toString: trap,
    };
    const trapped = new Proxy(request, { get: (target, key) => (key === "method" ? method : bound(target, key)) });
    return worker.fetch(trapped, observed(env), ctx);
  },
};
