//! Values that several views show.

use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use serde_json::{Value, json};

/// Returns the document of a bound. It contains no instant if the deployment's terms allow none.
pub fn bound(bound: Bound) -> Value {
    let known = Some(bound).filter(|bound| !bound.is_eventual);
    json!({ "at": known.map(|bound| text(bound.at)), "within_s": known.map(|bound| bound.within_s) })
}

/// Formats a time as RFC 3339 in UTC. Every stored time lies within the years that this form has.
pub fn text(at: UnixMs) -> String {
    at.to_rfc3339().unwrap_or_default()
}
