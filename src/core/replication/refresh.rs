//! Defines the refresh, which keeps an isolate's lease on one account no older than T.
//!
//! The edge sends what its lease knows. The ledger answers with the changes since then, the keys
//! that Workers KV may still have wrong, and the requested records. Tests pin the shapes; new
//! members always have a default.
//!
//! A [`document`](crate::replication::document) has the same content, for isolates that read it
//! from KV. A [`shared`](crate::replication::shared) reply is one that an isolate passes to the
//! other isolates of its data centre.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::base::id::{KeyId, MemberId};
use crate::base::json::{FromJson, Json, from_json};
use crate::base::time::UnixMs;
use crate::credential::account_networks::AccountNetworks;
use crate::credential::issuer::{RevokedSealed, ServicePassword};
use crate::credential::limits::Interface;
use crate::credential::limits::network::ClientAddress;
use crate::replication::record::{Epoch, Record, Revision};
use crate::replication::superseded::Superseded;

/// T of promise P1 for a new account, in milliseconds. A person waits this long without doubting
/// that a change worked.
pub const FRESHNESS_MS: u32 = 10_000;

/// Longest T, in milliseconds. A revocation bound beyond an hour would be useless.
pub const FRESHNESS_MS_MAX: u32 = 60 * 60 * 1_000;

/// S, the highest assumed age of a value that KV serves, in milliseconds. The platform says "60
/// seconds or more", and a read adds a `cacheTtl` of at least 30 s; ten minutes are an order of
/// magnitude above.
pub const SETTLE_MS: u64 = 10 * 60 * 1_000;

/// The request of an isolate: the state of its lease, and the keys that it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshRequest {
    /// Epoch of the lease; `None` without a lease.
    #[serde(default)]
    pub epoch: Option<Epoch>,
    /// Revision up to which the lease knows all changes.
    #[serde(default)]
    pub known_revision: Revision,
    /// Revision of the account state in the lease; 0 for none.
    #[serde(default)]
    pub state_revision: Revision,
    /// Keys whose records the isolate needs now. The JSON name is `wanted`, because `ask` is the
    /// tag of the enclosing request.
    #[serde(default, rename = "wanted")]
    pub ask: Vec<KeyId>,
    /// Keys of [`Self::ask`] for which the ledger counts no use: all of them, because
    /// [`Self::usage`] reports each use with its verdict. An edge of an earlier release leaves out
    /// those that a caller used, and the ledger counts an active answer about them as a use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<KeyId>,
    /// Address of the request that needs [`Self::ask`]; only edges of an earlier release send it,
    /// for the uses that the ledger counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_from: Option<ClientAddress>,
    /// Usage that waits for its acknowledgement.
    #[serde(default)]
    pub usage: Option<UsageBatch>,
}

/// The reply of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refresh {
    /// Epoch of the ledger.
    pub epoch: Epoch,
    /// Revision of the account's last change.
    pub revision: Revision,
    /// Changes since `known_revision`.
    pub delta: Delta,
    /// All keys that KV may have wrong.
    pub unsettled: Unsettled,
    /// State of the account, if it is newer than the request's or the epoch differs.
    #[serde(default)]
    pub state: Option<AccountState>,
    /// Answers about the requested keys: one for each of the first [`ASK_MAX`] different keys, none
    /// for the rest. The keys that issued them are included.
    #[serde(default)]
    pub answers: Vec<RefreshAnswer>,
    /// Highest number that a [lease document](crate::replication::document) may have by now. A
    /// document with a lower number is older than this reply; 0 if there is no document.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub document: u64,
    /// Keys of which KV may hold an earlier record. `None` from a ledger of an earlier release:
    /// any key may be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded: Option<Superseded>,
}

from_json!(Refresh {
    epoch: required,
    revision: required,
    delta: required,
    unsettled: required,
    state: optional,
    answers: or_default,
    document: or_default,
    superseded: optional,
});

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A key, with the revision of its last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mark {
    /// ID of the key.
    pub id: KeyId,
    /// Revision of the key's last change.
    pub revision: Revision,
}

from_json!(Mark { id: required, revision: required });

/// The changes since the lease's revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Delta {
    /// Changed keys, each once, with the revision of its last change.
    Changes(Vec<Mark>),
    /// The changes are too many or too old, or the epoch differs: the isolate must drop all records
    /// of the account.
    Reset,
}

impl FromJson for Delta {
    fn from_json(json: Json) -> Option<Self> {
        json.into_variant("reset", "changes").map(|data| data.map_or(Self::Reset, Self::Changes))
    }
}

from_json!(Delta);

/// The keys that KV may have wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsettled {
    /// Exactly these keys.
    Set(Vec<Mark>),
    /// The keys are too many to name: the isolate must not rely on KV.
    Overflow,
}

impl FromJson for Unsettled {
    fn from_json(json: Json) -> Option<Self> {
        json.into_variant("overflow", "set").map(|data| data.map_or(Self::Overflow, Self::Set))
    }
}

from_json!(Unsettled);

/// The ledger's answer about one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefreshAnswer {
    /// ID of the key.
    pub id: KeyId,
    /// Record of the key; `None` if the ledger never had such a key.
    pub record: Option<Record>,
}

from_json!(RefreshAnswer { id: required, record: optional });

/// The state of a whole account. It has a revision; new members get defaults that grant nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountState {
    /// Revision of the state's last change.
    pub revision: Revision,
    /// T of promise P1, in milliseconds; with 0, every request asks the ledger.
    pub freshness_ms: u64,
    /// `true` if the operator has suspended the account. It has no default, because a missing
    /// member must not grant access.
    pub suspended: bool,
    /// Service password as an issuer; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServicePassword>,
    /// Sealed keys that were revoked one by one and have not expired yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked_sealed: Vec<RevokedSealed>,
    /// Members with MFA, in the order of their IDs; only where the account demands MFA. Keys whose
    /// records name another member are refused, so a missing list grants nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mfa_on: Vec<MemberId>,
    /// `true` for the operator's account, whose verifiers see all accounts. A ledger sets it once,
    /// when the account is opened.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub operator: bool,
    /// Networks that the account opens to all its credentials, at most 25 KB; `None` if it
    /// restricts none. A ledger of an earlier release knows no such list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<AccountNetworks>,
}

from_json!(AccountState {
    revision: required,
    freshness_ms: required,
    suspended: required,
    service: optional,
    revoked_sealed: or_default,
    mfa_on: or_default,
    operator: or_default,
    networks: optional,
});

impl AccountState {
    /// Returns `true` if the account lets a caller at this address use the interface.
    pub fn opens(&self, interface: Interface, address: Option<ClientAddress>) -> bool {
        self.networks.as_ref().is_none_or(|networks| networks.allows(interface, address))
    }

    /// Returns `true` if the member has MFA, where the account demands it.
    pub fn has_mfa(&self, member: MemberId) -> bool {
        self.mfa_on.binary_search(&member).is_ok()
    }
}

/// The uses of an account's keys in one isolate since its last batch. The ledger counts a repeated
/// batch once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageBatch {
    /// Random number that names the isolate.
    pub isolate: u64,
    /// Number that rises with each batch of the isolate.
    pub sequence: u64,
    /// Uses, one entry per key.
    pub uses: Vec<Use>,
    /// Uses of the service password; `None` if there were none. Edges of an earlier release leave
    /// it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceUses>,
}

/// The uses of an account's service password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceUses {
    /// Number of requests with the right password.
    pub count: u64,
    /// Time of the last of them, Unix ms; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<UnixMs>,
    /// Their addresses, at most [`ADDRESSES_MAX`], the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<Caller>,
    /// Number of requests with the service ID and a wrong password.
    #[serde(default)]
    pub refused: u64,
    /// Their addresses, at most [`ADDRESSES_MAX`], the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_from: Vec<Caller>,
}

/// The uses of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// ID of the key.
    pub id: KeyId,
    /// Number of accepted requests.
    pub count: u64,
    /// Number of requests that were refused although the secret was right.
    pub denials: u64,
    /// Time of the last accepted request, Unix ms; of the last refused one if none was accepted.
    pub last_at: UnixMs,
    /// Addresses, at most [`ADDRESSES_MAX`], the latest first.
    pub addresses: Vec<ClientAddress>,
    /// Addresses of accepted requests, with counts. Edges of an earlier release leave it empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<Caller>,
    /// Refused requests by reason, each reason once. Edges of an earlier release leave it empty, so
    /// [`Self::denials`] may be more than their sum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<RefusedUses>,
}

/// The requests that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedUses {
    /// Stable code of the reason.
    pub reason: Cow<'static, str>,
    /// Number of refused requests.
    pub count: u64,
    /// Time of the last refused request, Unix ms.
    pub last_at: UnixMs,
}

/// An address from which requests were accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// IP address of the caller.
    pub address: ClientAddress,
    /// Number of accepted requests.
    pub count: u64,
    /// Time of the last accepted request, Unix ms.
    pub last_at: UnixMs,
}

/// Most addresses per key in one batch.
pub const ADDRESSES_MAX: usize = 8;

/// Most keys that one refresh may ask for: one batch of a verifier's checks.
pub const ASK_MAX: usize = 100;

/// Most entries in one batch: as many keys as may wait in an isolate. An entry takes 250 bytes with
/// one address, 64 KB in all. With [`ADDRESSES_MAX`] addresses and all reasons of refusals it takes
/// 1,400 bytes, at most 360 KB in all.
pub const USES_MAX: usize = 256;

/// Most marks in a delta or in the unsettled set of a reply: about 40 bytes each, 40 KB in all.
pub const MARKS_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_names_a_document_number_unless_it_is_0() {
        let mut refresh = Refresh {
            epoch: Epoch::new(1),
            revision: Revision(5),
            delta: Delta::Changes(Vec::new()),
            unsettled: Unsettled::Overflow,
            state: None,
            answers: Vec::new(),
            document: 0,
            superseded: None,
        };
        for (document, member) in [(0, false), (1, true)] {
            refresh.document = document;
            let json = serde_json::to_string(&refresh).unwrap();
            assert_eq!(json.contains(r#""document":1"#), member, "{json}");
            assert_eq!(json.contains("document"), member, "{json}");
            assert_eq!(Refresh::parse_json(&json), Some(refresh.clone()));
        }
    }

    /// Tests of the ledger's protocol, in `tests/protocol`, pin the enclosing requests and replies.
    #[test]
    fn the_json_is_pinned() {
        let used = r#"{"id":"a1B2c3D47Hq0p2Zx9K","count":2,"denials":0,"last_at":5,"addresses":["203.0.113.7"],"callers":[{"address":"203.0.113.7","count":2,"last_at":5}]}"#;
        let read: Use = serde_json::from_str(used).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), used);
        let refused = r#"{"id":"a1B2c3D47Hq0p2Zx9K","count":0,"denials":2,"last_at":5,"addresses":[],"refusals":[{"reason":"expired","count":2,"last_at":5}]}"#;
        let read: Use = serde_json::from_str(refused).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), refused);
        let json = r#"{"epoch":null,"known_revision":0,"state_revision":0,"wanted":[],"asked_from":"203.0.113.7","usage":null}"#;
        let read: RefreshRequest = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}
