// Outlives the wasm instance. A panic or trap ends the instance, and with it every promise that its
// code was to settle: without this file those requests would hang until the runtime gives them up.

/** What `call` and `callAsync` throw after a trap, which has been logged by then. */
export const TRAPPED = new Error("the wasm instance trapped");

/** The rejecters of what is in flight, in any request and any Durable Object of this isolate. */
const pending = new Set();
let module;
let dead = false;
let fresh = true;
let place = "";

/** Names the module's own exports: what makes a new instance, what installs the handlers, and what to do first in a new instance. */
export function attach(exports) {
  module = exports;
}

/** Called by the panic hook (`trap.rs`), before the trap itself. */
export function panicked(location) {
  place = location;
}

/** Called when the instance has trapped, by its abort handler (`trap.rs`) or from below. */
export function trapped() {
  if (dead) return;
  dead = true;
  console.error(`wasm trapped${place && ` at ${place}`}; ${pending.size} in flight failed`);
  place = "";
  for (const reject of pending) reject(TRAPPED);
  pending.clear();
}

/**
 * Calls into the instance. Throws what the call throws.
 *
 * A new instance is made here and not in `trapped`: that one runs while frames of the old instance may
 * still be on the stack, and what they unwind must not reach the new one's memory.
 */
export function call(exported, ...args) {
  if (dead) {
    module.instantiate();
    dead = false;
    fresh = true;
  }
  try {
    if (fresh) {
      fresh = false;
      module.watch();
      module.renewed?.();
    }
    return exported(...args);
  } catch (error) {
    // A trap while arguments are copied in is seen by nobody else.
    if (error instanceof WebAssembly.RuntimeError) trapped();
    throw dead ? TRAPPED : error;
  }
}

/** Awaits a promise that is of no use any more once the instance has trapped: then it rejects at once. */
export async function unlessTrapped(promise) {
  const trap = Promise.withResolvers();
  pending.add(trap.reject);
  try {
    return await Promise.race([promise, trap.promise]);
  } finally {
    pending.delete(trap.reject);
  }
}

/** Like `call`, of an async export: its promise also rejects when the instance traps. */
export const callAsync = async (exported, ...args) => unlessTrapped(call(exported, ...args));
