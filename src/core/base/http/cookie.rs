//! Names the console's cookie, which is all that the edge must know about it.

/// Name of the console's cookie. The edge never forwards it to an origin.
pub const COOKIE: &str = "__Host-claviger";
