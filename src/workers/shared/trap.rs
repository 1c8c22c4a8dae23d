//! The wasm side of recovery after a trap. A panic aborts here, which ends the instance and every
//! request in flight. `trap.js` then fails those requests at once and creates a new instance.

use std::panic;

use wasm_bindgen::handler::set_on_abort;
use wasm_bindgen::prelude::wasm_bindgen;

// The path is relative to the bindings, in `target/bindgen/<worker>`.
#[wasm_bindgen(raw_module = "../../../src/workers/shared/trap.js")]
extern "C" {
    /// Stores the location of a panic, for the one line that is logged.
    fn panicked(location: &str);
    /// Rejects everything in flight.
    fn trapped();
}

/// Installs the handlers. The entry script calls it once per instance, before any other call but
/// after the start functions. The `worker` crate's own start function would otherwise print panic
/// messages and handle the abort itself.
#[wasm_bindgen]
pub fn watch() {
    // Logs only the location: a panic's message may quote its input, such as a credential.
    panic::set_hook(Box::new(|info| {
        panicked(&info.location().map(ToString::to_string).unwrap_or_default());
    }));
    set_on_abort(trapped);
}
