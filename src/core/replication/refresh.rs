//! The refresh: how an isolate keeps its knowledge of one account no older than T.
//!
//! The edge says what it knows; the ledger answers with what has changed since, with what Workers
//! KV may still have wrong, and with the records that the edge asked for. Shapes are pinned by
//! tests; members are only added, with a default.
//!
//! [`document`] is the same for isolates that read it from KV; [`shared`] is a reply that one
//! isolate hands to its neighbours.

use serde::{Deserialize, Serialize};

use crate::base::id::KeyId;
use crate::base::time::UnixMs;
use crate::credential::issuer::{RevokedSealed, ServicePassword};
use crate::credential::limits::network::ClientAddress;
use crate::replication::record::{Epoch, Record, Revision};

/// T of promise P1 for a new account, in milliseconds: what a person waits for without doubt
/// whether it worked.
pub const FRESHNESS_MS: u32 = 10_000;

/// Longest T, in milliseconds. A change that arrives later than in an hour is not a bound that
/// anyone would promise.
pub const FRESHNESS_MS_MAX: u32 = 60 * 60 * 1_000;

/// S: how old what KV serves may be, in milliseconds. The platform says "60 seconds or more", and
/// reading adds a `cacheTtl` of 30 s at least; ten minutes are an order above.
pub const SETTLE_MS: u64 = 10 * 60 * 1_000;

/// What an isolate knows and wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshRequest {
    /// The history that the lease counts in; `None` without a lease.
    #[serde(default)]
    pub epoch: Option<Epoch>,
    /// The highest revision of which the lease knows all changes up to it.
    #[serde(default)]
    pub known_revision: Revision,
    /// Revision of the account state that it holds; 0 = none.
    #[serde(default)]
    pub state_revision: Revision,
    /// Keys whose records it wants now. An answer that is active counts as one use, which
    /// [`Self::usage`] leaves out. Written as `wanted`: `ask` is the tag of the request that this
    /// travels in.
    #[serde(default, rename = "wanted")]
    pub ask: Vec<KeyId>,
    /// Those of [`Self::ask`] that nobody has used: a verifier asks about them by their IDs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<KeyId>,
    /// Where the request is from that [`Self::ask`] is for: a use that an answer counts is from
    /// there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_from: Option<ClientAddress>,
    /// Uses since its last batch.
    #[serde(default)]
    pub usage: Option<UsageBatch>,
}

/// What the ledger answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// The ledger's history.
    pub epoch: Epoch,
    /// Its last change.
    pub revision: Revision,
    /// What changed since `known_revision`.
    pub delta: Delta,
    /// What KV may have wrong: all of it.
    pub unsettled: Unsettled,
    /// The account's state, if it is newer than the request's or the epoch is another.
    #[serde(default)]
    pub state: Option<AccountState>,
    /// The records that were asked for: one answer for each of the first [`ASK_MAX`] different
    /// keys, none for the rest. The keys that issued them come along.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// The newest [lease document](document) may have this number: one of a lower number is older
    /// than this reply. 0: there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub document: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A key and the revision of its last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// The key.
    pub id: KeyId,
    /// Its last change.
    pub revision: Revision,
}

/// Changes since the lease's revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delta {
    /// Every key that has changed, once, with its last change.
    Changes(Vec<Mark>),
    /// Too many, too long ago, or another history: drop all records of the account.
    Reset,
}

/// What KV may have wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsettled {
    /// These keys and no others.
    Set(Vec<Mark>),
    /// Too many to name: KV counts for nothing.
    Overflow,
}

/// The ledger's word on one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The key.
    pub id: KeyId,
    /// Its record; `None`: there is no such key and never was.
    pub record: Option<Record>,
}

/// What holds for a whole account. Versioned; later features add members with defaults that grant
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    /// Revision of its last change.
    pub revision: Revision,
    /// T of promise P1, in milliseconds. 0: every request asks.
    pub freshness_ms: u64,
    /// Whether the operator has suspended the account. Without a default: absence must not let its
    /// keys through.
    pub suspended: bool,
    /// The service password as an issuer; `None`: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServicePassword>,
    /// Sealed keys that were revoked one by one, until they end by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked_sealed: Vec<RevokedSealed>,
}

/// Uses of keys by one isolate since its last batch. A batch that comes twice counts once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageBatch {
    /// The isolate, by a random number of its own.
    pub isolate: u64,
    /// Rises with each batch of the isolate.
    pub sequence: u64,
    /// Per key.
    pub uses: Vec<Use>,
}

/// Uses of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// The key.
    pub id: KeyId,
    /// Requests that were let through.
    pub count: u64,
    /// Requests that were refused although the secret was right.
    pub denials: u64,
    /// The last of them.
    pub last_at: UnixMs,
    /// Addresses, at most [`ADDRESSES_MAX`], the latest first.
    pub addresses: Vec<ClientAddress>,
    /// Those of them that were let through, and how often. Edges of an earlier release do not tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<Caller>,
}

/// From where a key was let through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The address.
    pub address: ClientAddress,
    /// How often.
    pub count: u64,
    /// When last.
    pub last_at: UnixMs,
}

/// Most addresses of one key in one batch.
pub const ADDRESSES_MAX: usize = 8;

/// Most keys that one refresh may ask for: one bulk of a verifier's checks.
pub const ASK_MAX: usize = 100;

/// Most uses in one batch: as many as an isolate lets wait. One of a key that is used from one
/// place has 250 bytes, so 64 KB; one from [`ADDRESSES_MAX`] places 900, so 230 KB at most.
pub const USES_MAX: usize = 256;

/// Most marks of a delta or of the unsettled set in a reply: about 40 bytes each, 40 KB.
pub const MARKS_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// The requests and replies that these travel in are pinned with the ledger's protocol, in
    /// `tests/protocol`.
    #[test]
    fn the_json_is_pinned() {
        let used = r#"{"id":"a1B2c3D47Hq0p2Zx9K","count":2,"denials":0,"last_at":5,"addresses":["203.0.113.7"],"callers":[{"address":"203.0.113.7","count":2,"last_at":5}]}"#;
        let read: Use = serde_json::from_str(used).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), used);
        let asked = r#"{"epoch":null,"known_revision":0,"state_revision":0,"wanted":[],"asked_from":"203.0.113.7","usage":null}"#;
        let read: RefreshRequest = serde_json::from_str(asked).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), asked);
    }
}
