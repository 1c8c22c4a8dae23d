//! The wasm side of what happens after a trap. A panic aborts here, and so ends the instance and
//! every request in flight; `trap.js` is told, fails those requests at once and has a new instance
//! made.

use std::panic;

use wasm_bindgen::handler::set_on_abort;
use wasm_bindgen::prelude::wasm_bindgen;

// The path is as seen from the bindings, in `target/bindgen/<worker>`.
#[wasm_bindgen(raw_module = "../../../src/workers/shared/trap.js")]
extern "C" {
    /// Keeps the place of a panic, for the one line that is logged.
    fn panicked(location: &str);
    /// Fails what is in flight.
    fn trapped();
}

/// Installs the handlers. Called once for each instance, before its first other call and after the
/// start functions of its parts: the `worker` crate's own would print panic messages and keep the
/// abort to itself.
#[wasm_bindgen]
pub fn watch() {
    // Only the place: a panic's message may quote what it choked on, a credential for one.
    panic::set_hook(Box::new(|info| {
        panicked(&info.location().map(ToString::to_string).unwrap_or_default());
    }));
    set_on_abort(trapped);
}
