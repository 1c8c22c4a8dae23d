//! Names the console's cookies, which is all that the edge must know about them.

/// Name of the session's cookie. The edge never forwards it to an origin.
pub const COOKIE: &str = "__Host-claviger";

/// Name of the cookie that holds the mark of a browser. The edge never forwards it to an origin.
pub const BROWSER_COOKIE: &str = "__Host-claviger-browser";
