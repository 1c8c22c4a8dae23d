//! Response documents of deletions.

use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::{Bound, Freshness};
use claviger_core::credential::key::access_key;
use claviger_core::replication::record::Record;
use serde_json::{Value, json};

use super::parts::{self, text};
use crate::admin::config::AdminConfig;
use crate::protocol::deletion::DeletionView;
use crate::protocol::envelope::masked;

/// Returns the document of a deletion.
pub fn deletion(view: &DeletionView, config: &AdminConfig, now: UnixMs) -> Value {
    let key = |key: &crate::protocol::keys::KeyView| {
        json!({
            "id": key.id, "name": key.name, "access_key": access_key(&config.prefix, key.id),
            "last_used_at": key.last_used_at.map(text), "uses_24h": key.uses_24h,
        })
    };
    json!({
        "id": view.id,
        "keys": view.keys.iter().map(key).collect::<Vec<_>>(),
        "sent_to": masked(&view.sent_to),
        "state": view.state,
        "expires_at": text(view.expires),
        "tries_left": view.tries_left,
        "mail": view.mail,
        "bound_within_s": within_s(view, config),
        "restorable_until": text(view.restorable_until),
        "now": text(now),
    })
}

/// Returns the seconds within which the keys will be refused everywhere; `None` if the deployment's
/// freshness has no bound.
fn within_s(view: &DeletionView, config: &AdminConfig) -> Option<u32> {
    let is_bounded = config.terms.freshness == Freshness::Bounded;
    is_bounded.then(|| config.terms.within_s(view.bound_within_s))
}

/// Returns the document of deleted keys.
pub fn deleted(records: &[Record], bound: Bound, restorable_until: UnixMs, now: UnixMs) -> Value {
    json!({
        "deleted": records.iter().map(|record| record.id).collect::<Vec<_>>(),
        "bound": parts::bound(bound),
        "restorable_until": text(restorable_until),
        "now": text(now),
    })
}
