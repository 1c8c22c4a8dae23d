//! Platform helpers of both Workers: time, randomness, and recovery after a trap.

pub mod trap;

use claviger_core::base::time::UnixMs;
use getrandom::SysRng;
use rand_core::UnwrapErr;

/// Converts JavaScript's time to an instant, without its fraction. An `i64` suffices for 292
/// million years.
pub fn time(ms: f64) -> UnixMs {
    UnixMs::from_ms(ms as i64)
}

/// Returns the platform's random source. It cannot fail: `crypto.getRandomValues` always exists.
pub fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}
