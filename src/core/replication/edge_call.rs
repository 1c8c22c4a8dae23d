//! The calls that an edge makes to an account's ledger: the part of the ledger's protocol that the
//! data plane knows.
//!
//! Each request has a reply type of its own. Shapes are pinned by tests, and the control plane's
//! larger enums read and write the same JSON. Either side may be one release older: members are
//! only added, with a default, and an unknown reply counts as none.

use serde::{Deserialize, Serialize};

use crate::base::id::{AccountId, KeyId};
use crate::base::secret::Digest;
use crate::base::time::UnixMs;
use crate::credential::grant::IssuerProof;
use crate::credential::limits::lifetime::{Expiry, ExpiryError};
use crate::credential::limits::network::Networks;
use crate::replication::record::Record;
use crate::replication::refresh::{Refresh, RefreshRequest};

/// The name of the object instance that is the ledger of `account`. Renaming it orphans its data.
pub fn ledger_instance(account: AccountId) -> String {
    format!("ledger/{account}")
}

/// A request of an edge to a ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "there is one per call, written as JSON at once")]
pub enum EdgeRequest {
    /// Refreshes a lease.
    Refresh(RefreshRequest),
    /// Stores a key that a program issued and that does not fit into a sealed one.
    IssueByApi(IssueByApi),
    /// Reads an end of a key that only a calendar can tell.
    ReadExpiry(ReadExpiry),
}

/// A key to store: the edge has checked its issuer, and has drawn it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IssueByApi {
    /// The new key's ID.
    pub id: KeyId,
    /// Digest of its secret.
    pub digest: Digest,
    /// The issuer.
    pub proof: IssuerProof,
    /// Time at which the edge decided.
    pub at: UnixMs,
    /// End of the key.
    pub expires: Expiry,
    /// Networks of the key; empty: from wherever the issuer's limits allow.
    pub networks: Networks,
    /// Address of the issuer's program.
    pub address: Option<String>,
}

/// A date or time of day, to be read in the account's zone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadExpiry {
    /// The text, at most
    /// [`EXPIRY_BYTES_MAX`](crate::credential::limits::lifetime::EXPIRY_BYTES_MAX) bytes.
    pub text: String,
    /// Time from which it counts.
    pub at: UnixMs,
}

/// The outcome of a refresh.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one per call, and it is taken apart at once"
)]
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum RefreshReply {
    /// The ledger answered.
    Refreshed(Refresh),
    /// The ledger was never opened, or is no more.
    Gone,
    /// No answer in time, or none that can be read.
    #[serde(other)]
    Failed,
}

/// The outcome of an [`IssueByApi`].
#[allow(
    clippy::large_enum_variant,
    reason = "there is one per call, and it is taken apart at once"
)]
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum IssueReply {
    /// The key is stored.
    Changed {
        /// Its record, for the edge's own memory.
        record: Record,
    },
    /// The ledger refused; nothing was written.
    Refused(IssueRefusal),
    /// No answer in time, or none that can be read.
    #[serde(other)]
    Failed,
}

/// Why a ledger stores no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum IssueRefusal {
    /// The drawn ID exists: draw another.
    IdTaken,
    /// The account holds as many keys as it may.
    TooManyKeys,
    /// The issuer may not issue this any more.
    IssuerRefused,
    /// A reason that this release does not know.
    #[serde(other)]
    Other,
}

/// The outcome of a [`ReadExpiry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum ExpiryReply {
    /// The text has a meaning.
    Expiry {
        /// The end.
        expires: Expiry,
    },
    /// The text has none.
    ExpiryRefused {
        /// Why.
        error: ExpiryError,
    },
    /// No answer in time, or none that can be read.
    #[serde(other)]
    Failed,
}
