// The Worker as the tests load it: the real entry, with every binding counted and able to fail on demand.
//
// The fetch handler and the Durable Objects of one Worker share an isolate in local workerd, and so the
// state of this module: what the control host sets holds in both.
import { decide } from "../../target/bindgen/claviger.js";
import worker, * as entry from "../../src/edge/entry.js";

/** Calls by `<binding>.<operation>`. */
const counters = {};
/** See `harness.mjs` for what a fault is. */
let faults = [];
/** How far the clock is put forward, in milliseconds: that of the wasm, too. Alarms ring by the platform's own. */
let ahead = 0;
const { now } = Date;
Date.now = () => now() + ahead;

/**
 * Each place has a cache of its own, as a data centre has; Miniflare's Workers share theirs. Without a name there is none: most tests count
 * on every isolate's asking for itself.
 */
const dataCentre = globalThis.caches;
let place = "";
globalThis.caches = {
  async open(name) {
    const cache = place && (await dataCentre.open(`${place}/${name}`));
    return {
      match: (...args) => observedCache("CACHE.match", args, () => (cache ? cache.match(...args) : undefined)),
      put: (...args) => observedCache("CACHE.put", args, () => cache && cache.put(...args)),
    };
  },
};

function observedCache(name, args, operation) {
  if (place) count(name);
  return carryOut(take(name, String(args[0])), name, async () => operation());
}

export default {
  async fetch(request, env, ctx) {
    place = env.TEST_CACHE ?? "";
    if (new URL(request.url).hostname === "test.control") return control(request);
    const decideTraps = await fault("decide", request.url);
    if (decideTraps) request = new Proxy(request, { get: (target, key) => (key === "method" ? {} : bound(target, key)) });
    const handleTraps = await fault("handle", request.url);
    return worker.fetch(request, handleTraps ? trapping : observed(env), ctx);
  },
};

const objectClass = (kind) =>
  class extends entry[kind] {
    constructor(ctx, env) {
      super(ctx, observed(env));
    }

    async fetch(request) {
      const traps = await fault(`${kind}.fetch`, request.url);
      return super.fetch.call(traps ? { ctx: trapping, env: trapping, life: this.life } : this, request);
    }

    async alarm() {
      count(`${kind}.alarm`);
      const traps = await fault(`${kind}.alarm`, "");
      return super.alarm.call(traps ? { ctx: trapping, env: trapping, life: this.life } : this);
    }
  };

export const Ledger = objectClass("Ledger");
export const Name = objectClass("Name");
export const Directory = objectClass("Directory");
export const Address = objectClass("Address");

async function control(request) {
  if (request.method === "PUT") faults = await request.json();
  if (request.method === "POST") ({ ahead } = await request.json());
  if (request.method === "DELETE") for (const name of Object.keys(counters)) delete counters[name];
  return Response.json({ counters, faults });
}

/** Stands in for a platform object: the wasm instance traps when it first looks into it. */
const trapping = new Proxy({}, { get: () => trap() });

/** A string that is none makes the instance read out of its memory: a trap as real as a panic's. */
function trap() {
  decide({}, {}, {}, 0);
}

/** `env` with each binding observed. The platform's own objects insist on being `this` of their methods. */
function observed(env) {
  return new Proxy(env, {
    get: (target, binding) => {
      const value = target[binding];
      return typeof value === "object" && value !== null ? observedBinding(value, binding) : value;
    },
  });
}

function observedBinding(value, binding) {
  // The constructor's name, which the `worker` crate looks at, comes through as it is.
  switch (value.constructor.name) {
    case "KvNamespace":
      return observedCalls(value, binding, ["get", "getWithMetadata", "put", "delete", "list"]);
    case "Fetcher":
      // Locally mail goes out by a service, too.
      return observedCalls(value, binding, [binding === "EMAIL" ? "send" : "fetch"]);
    case "DurableObjectNamespace":
      return new Proxy(value, {
        get: (target, key) =>
          key === "get" || key === "getByName"
            ? (...args) => observedCalls(target[key](...args), binding, ["fetch"])
            : bound(target, key),
      });
    default:
      return value;
  }
}

function observedCalls(target, binding, operations) {
  return new Proxy(target, {
    get: (_, key) =>
      operations.includes(key) ? (...args) => observedCall(target, key, `${binding}.${key}`, args) : bound(target, key),
  });
}

function observedCall(target, key, name, args) {
  count(name);
  const subject = args[0] instanceof Request ? args[0].url : String(args[0]);
  const found = take(name, subject);
  // Only a trap on the same stack ends the instance that is calling.
  if (found?.mode === "trap") trap();
  return carryOut(found, name, () => target[key](...args));
}

async function carryOut(found, name, operation) {
  if (found?.delay_ms) await new Promise((resolve) => setTimeout(resolve, found.delay_ms));
  if (found?.mode === "fail") throw new Error(`${name} failed, as the test asked`);
  const result = await operation();
  if (found?.mode === "lost") throw new Error(`the reply of ${name} was lost, as the test asked`);
  return result;
}

/** For the places that are no binding: whether the instance is to trap there. */
async function fault(name, subject) {
  const found = take(name, subject);
  await carryOut(found, name, () => {});
  return found?.mode === "trap";
}

/** The first fault that applies; one with `times` is used up. */
function take(name, subject) {
  const found = faults.find((fault) => fault.on === name && subject.includes(fault.match ?? ""));
  if (found?.times !== undefined) {
    found.times -= 1;
    if (found.times === 0) faults = faults.filter((fault) => fault !== found);
  }
  return found;
}

function count(name) {
  counters[name] = (counters[name] ?? 0) + 1;
}

function bound(target, key) {
  const value = target[key];
  return typeof value === "function" && key !== "constructor" ? value.bind(target) : value;
}
