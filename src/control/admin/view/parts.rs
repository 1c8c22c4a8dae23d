//! Values that several views show.

use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use serde_json::{Value, json};

use crate::protocol::draft::field::FieldError;

/// Returns the document of a bound. It contains no instant if the deployment's terms allow none.
pub fn bound(bound: Bound) -> Value {
    let known = Some(bound).filter(|bound| !bound.is_eventual);
    json!({ "at": known.map(|bound| text(bound.at)), "within_s": known.map(|bound| bound.within_s) })
}

/// Formats a time as RFC 3339 in UTC. Every stored time lies within the years that this form has.
pub fn text(at: UnixMs) -> String {
    at.to_rfc3339().unwrap_or_default()
}

/// Returns the documents of field errors. Instants among their parameters become RFC 3339 text.
pub fn field_errors(mut errors: Vec<FieldError>) -> Value {
    for error in &mut errors {
        if let Some(at) = error.params.get_mut("at")
            && let Some(ms) = at.as_i64()
        {
            *at = text(UnixMs::from_ms(ms)).into();
        }
    }
    serde_json::to_value(errors).unwrap_or_default()
}
