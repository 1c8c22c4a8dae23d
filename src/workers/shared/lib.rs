//! What both Workers need of the platform: time, randomness, and what happens after a trap.

pub mod trap;

use claviger_core::base::time::UnixMs;
use getrandom::SysRng;
use rand_core::UnwrapErr;

/// JavaScript's time as an instant. Its fraction is dropped; it fits an `i64` for 292 million
/// years.
pub fn time(ms: f64) -> UnixMs {
    UnixMs::from_ms(ms as i64)
}

/// The platform's random source. It does not fail: `crypto.getRandomValues` is always there.
pub fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}
