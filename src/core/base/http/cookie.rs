//! The console's cookie, as far as the edge must know it.

/// Name of the console's cookie. It never travels to an origin.
pub const COOKIE: &str = "__Host-claviger";
