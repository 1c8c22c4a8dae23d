// The edge as the tests load it: the real entry, observed.
import { decide } from "../../../target/bindgen/edge/claviger_edge.js";
import worker from "../../../src/workers/edge/entry.js";
import { bound, controlled, fault, inPlace, observed, trapsBy } from "./observed.js";

trapsBy(() => decide({}, {}, {}, 0));

export default {
  async fetch(request, env, ctx) {
    inPlace(env.TEST_CACHE);
    // As the platform's front does: here requests come by a socket of workerd's own.
    const { href } = new URL(request.url);
    if (href !== request.url) request = new Request(href, request);
    const control = await controlled(request);
    if (control) return control;
    const traps = await fault("decide", request.url);
    if (traps) request = new Proxy(request, { get: (target, key) => (key === "method" ? {} : bound(target, key)) });
    return worker.fetch(request, observed(env), ctx);
  },
};
