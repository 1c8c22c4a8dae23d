// What the tests load around a Worker's real entry: every binding is counted and able to fail on
// demand.
//
// The state is this module's, and so one Worker's: an edge has its own, and the admin Worker with
// all its Durable Objects another.

/** Calls by `<binding>.<operation>`. */
const counters = {};
/** What the platform bills of the objects' storage, by `<class>.<what>`. */
const meters = {};
/** See `harness.mjs` for what a fault is. */
let faults = [];
/** How far the clock is put forward, in milliseconds: that of the wasm, too. Alarms are set by the platform's own. */
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

/** Answers the control host; for every other request nothing. `retime` sets the alarm of an account's ledger anew. */
export async function controlled(request, retime) {
  if (new URL(request.url).hostname !== "test.control") return undefined;
  tell();
  if (request.method === "POST") {
    const { account, ...clock } = await request.json();
    ({ ahead } = clock);
    if (account) return retime(account);
  }
  if (request.method === "PUT") faults = await request.json();
  if (request.method === "DELETE") for (const all of [counters, meters]) for (const name of Object.keys(all)) delete all[name];
  return Response.json({ counters, meters, faults });
}

/** Each edge has a data centre of its own. */
export function inPlace(name) {
  place = name ?? "";
}

/** A Durable Object's class, observed. `trap` traps the instance that it runs in. */
export const observedClass = (kind, Class) =>
  class extends Class {
    constructor(ctx, env) {
      super(ctx, observed(env));
      this.alarms = new Alarms(ctx.storage);
      this.seen = { ctx: metered(ctx, kind, this.alarms), env: this.env, life: this.life };
      this.trapping = { ctx: trapping, env: trapping, life: this.life };
    }

    async fetch(request) {
      if (new URL(request.url).pathname === "/retime") return this.alarms.retime();
      const traps = await fault(`${kind}.fetch`, request.url);
      return super.fetch.call(traps ? this.trapping : this.seen, request);
    }

    async alarm() {
      this.alarms.due = null;
      count(`${kind}.alarm`);
      const traps = await fault(`${kind}.alarm`, "");
      return super.alarm.call(traps ? this.trapping : this.seen);
    }
  };

/** Statements whose rows are not counted yet: a cursor knows how many there were when it has been read. */
let cursors = [];

/** The alarm of an object, which lives ahead of the clock. */
class Alarms {
  /** When it rings, as the object has it; `null`: it does not, or nobody knows yet. */
  due = null;
  #storage;

  constructor(storage) {
    this.#storage = storage;
  }

  set(at) {
    this.due = Number(at);
    return this.#storage.setAlarm(this.due - ahead);
  }

  delete() {
    this.due = null;
    return this.#storage.deleteAlarm();
  }

  async retime() {
    if (this.due !== null) await this.set(this.due);
    return Response.json({ due: this.due });
  }
}

/** `ctx` of an object of this kind, with what the platform bills of its storage counted: rows read and written, and alarms set. */
function metered(ctx, kind, alarms) {
  const own = (object, members) =>
    new Proxy(object, { get: (target, key) => (Object.hasOwn(members, key) ? members[key] : bound(target, key)) });
  const { storage } = ctx;
  const exec = (...args) => {
    tell();
    const cursor = storage.sql.exec(...args);
    cursors.push([kind, cursor]);
    return cursor;
  };
  const setAlarm = (at) => {
    count(`${kind}.setAlarm`, meters);
    return alarms.set(at);
  };
  const deleteAlarm = () => alarms.delete();
  return own(ctx, { storage: own(storage, { sql: own(storage.sql, { exec }), setAlarm, deleteAlarm }) });
}

function tell() {
  for (const [kind, { rowsRead, rowsWritten }] of cursors) {
    count(`${kind}.rowsRead`, meters, rowsRead);
    count(`${kind}.rowsWritten`, meters, rowsWritten);
  }
  cursors = [];
}

/** Stands in for a platform object: the wasm instance traps when it first looks into it. */
export const trapping = new Proxy({}, { get: () => trap() });

/** Traps the instance of the Worker that these tests load. */
let trap;

/** Names what traps the instance: a string that is none makes it read out of its memory, a trap as real as a panic's. */
export function trapsBy(call) {
  trap = call;
}

/** `env` with each binding observed. The platform's own objects insist on being `this` of their methods. */
export function observed(env) {
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
export async function fault(name, subject) {
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

function count(name, where = counters, more = 1) {
  where[name] = (where[name] ?? 0) + more;
}

export function bound(target, key) {
  const value = target[key];
  return typeof value === "function" && key !== "constructor" ? value.bind(target) : value;
}
