// Survives the wasm instance. A panic or trap ends the instance, and with it every promise that its
// code would have settled. Without this file those requests would hang until the runtime cancels
// them.

/** The error that `call` and `callAsync` throw after a trap. The trap itself is already logged. */
export const TRAPPED = new Error("the wasm instance trapped");

/**
 * Reject functions of everything in flight, in all requests and Durable Objects of this isolate.
 */
const pending = new Set();
let module;
let dead = false;
let fresh = true;
let place = "";

/**
 * Sets the module's exports that create an instance, install the handlers, and initialise a new
 * instance.
 */
export function attach(exports) {
  module = exports;
}

/** Stores the location of a panic. The panic hook (`trap.rs`) calls it before the trap itself. */
export function panicked(location) {
  place = location;
}

/** Rejects everything in flight. The abort handler (`trap.rs`) or `call` calls it after a trap. */
export function trapped() {
  if (dead) return;
  dead = true;
  console.error(`wasm trapped${place && ` at ${place}`}; ${pending.size} in flight failed`);
  place = "";
  for (const reject of pending) reject(TRAPPED);
  pending.clear();
}

/**
 * Calls into the instance. Throws whatever the call throws.
 *
 * A new instance is created here and not in `trapped`: frames of the old instance may still be on
 * the stack there, and their unwinding must not reach the new instance's memory.
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
    // Only this handler sees a trap while the arguments are copied in.
    if (error instanceof WebAssembly.RuntimeError) trapped();
    throw dead ? TRAPPED : error;
  }
}

/**
 * Awaits a promise of the instance. Rejects at once if the instance traps, because the promise
 * would never settle.
 */
export async function unlessTrapped(promise) {
  const trap = Promise.withResolvers();
  pending.add(trap.reject);
  try {
    return await Promise.race([promise, trap.promise]);
  } finally {
    pending.delete(trap.reject);
  }
}

/** Calls an async export like `call`. The promise also rejects if the instance traps. */
export const callAsync = async (exported, ...args) => unlessTrapped(call(exported, ...args));
