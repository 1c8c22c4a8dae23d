//! Response documents about the policy of an account, and about what it ends.

use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use serde_json::{Value, json};

use super::parts::{bound, text};
use crate::protocol::policy::{Policy, PolicyPreview, PolicyState};

/// Returns a policy as every document shows it.
pub fn policy(policy: &Policy) -> Value {
    json!(policy)
}

/// Returns a policy with its revision, which a change of it names.
pub fn with_revision(state: &PolicyState) -> Value {
    json!({ "policy": policy(&state.policy), "revision": state.revision })
}

/// Returns the document of a policy, for an operator.
pub fn policy_state(state: &PolicyState, now: UnixMs) -> Value {
    json!({ "policy": policy(&state.policy), "revision": state.revision, "now": text(now) })
}

/// Returns the document of the effects of a change.
pub fn policy_preview(preview: &PolicyPreview, now: UnixMs) -> Value {
    json!({
        "before": policy(&preview.before),
        "after": policy(&preview.after),
        "revision": preview.revision,
        "effects": preview.effects,
        "now": text(now),
    })
}

/// Returns the document of a removal with which keys ended.
pub fn member_removed(keys: u32, since: Bound, now: UnixMs) -> Value {
    json!({ "keys_ended": keys, "bound": bound(since), "now": text(now) })
}
