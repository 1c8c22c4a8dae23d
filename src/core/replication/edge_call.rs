//! Defines the calls that an edge makes to an account's ledger: the part of the ledger's protocol
//! that the data plane knows.
//!
//! Each request has a separate reply type. Tests pin the shapes, and the control plane's larger
//! enums read and write the same JSON. Either side may be one release older: new members always
//! have a default, and an unknown reply counts as no answer.

use serde::{Deserialize, Serialize};

use crate::base::id::{AccountId, KeyId, SealedId};
use crate::base::json::{FromJson, Json, Members};
use crate::base::secret::Digest;
use crate::base::time::UnixMs;
use crate::credential::grant::IssuerProof;
use crate::credential::limits::lifetime::{Expiry, ExpiryError};
use crate::credential::limits::network::Networks;
use crate::replication::record::{Record, Revision};
use crate::replication::refresh::{Refresh, RefreshRequest};

/// Returns the name of the object instance that is the ledger of `account`. A changed name would
/// orphan the ledger's data.
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
    /// Stores a key that a program issued and that does not fit into a sealed key.
    IssueByApi(IssueByApi),
    /// Converts an expiry that needs a calendar.
    ReadExpiry(ReadExpiry),
    /// Revokes a sealed key for the key that issued it.
    RevokeByClient(RevokeByClient),
}

/// A key to store. The edge has checked its issuer and drawn its ID and secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IssueByApi {
    /// ID of the new key.
    pub id: KeyId,
    /// Digest of its secret.
    pub digest: Digest,
    /// Issuer, with the digest of the secret that it presented.
    pub proof: IssuerProof,
    /// Time at which the edge decided, Unix ms.
    pub at: UnixMs,
    /// Expiry of the key.
    pub expires: Expiry,
    /// Networks of the key; empty for all that the issuer's limits allow.
    pub networks: Networks,
    /// IP address of the issuer's program.
    pub address: Option<String>,
}

/// A date or time of day to read in the account's time zone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadExpiry {
    /// Text of at most [`EXPIRY_BYTES_MAX`](crate::credential::limits::lifetime::EXPIRY_BYTES_MAX)
    /// bytes.
    pub text: String,
    /// Time that counts as now, Unix ms.
    pub at: UnixMs,
}

/// A sealed key to revoke. The edge has checked its MAC, and that the key in `proof` issued it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RevokeByClient {
    /// ID of the sealed key.
    pub id: SealedId,
    /// Time at which it expires anyway, Unix ms.
    pub until: UnixMs,
    /// Key that issued it, with the digest of the secret that the client presented.
    pub proof: IssuerProof,
    /// IP address of the client.
    pub address: Option<String>,
}

/// The result of a refresh.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one per call, and it is taken apart at once"
)]
#[derive(Clone, Debug)]
pub enum RefreshReply {
    /// The ledger answered.
    Refreshed(Refresh),
    /// The ledger was never initialised, or no longer exists.
    Gone,
    /// The ledger sent no answer in time, or none that the edge can read.
    Failed,
}

/// The result of an [`IssueByApi`].
#[allow(
    clippy::large_enum_variant,
    reason = "there is one per call, and it is taken apart at once"
)]
#[derive(Clone, Debug)]
pub enum IssueReply {
    /// The ledger has stored the key.
    Changed {
        /// Record of the key, for the isolate's own lease.
        record: Record,
    },
    /// The ledger refused and wrote nothing.
    Refused(IssueRefusal),
    /// The ledger sent no answer in time, or none that the edge can read.
    Failed,
}

/// The reason why a ledger did not store a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueRefusal {
    /// The drawn ID already exists: draw another.
    IdTaken,
    /// The account already holds the most keys that it may.
    TooManyKeys,
    /// The issuer may no longer issue this key.
    IssuerRefused,
    /// A reason that this release does not know.
    Other,
}

/// The result of a [`ReadExpiry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryReply {
    /// The text is a valid expiry.
    Expiry {
        /// Expiry that the text means.
        expires: Expiry,
    },
    /// The text is not a valid expiry.
    ExpiryRefused {
        /// Reason of the refusal.
        error: ExpiryError,
    },
    /// The ledger sent no answer in time, or none that the edge can read.
    Failed,
}

/// The result of a [`RevokeByClient`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokeReply {
    /// The sealed key is revoked, or had already ended.
    Revoked {
        /// Revision of the change; `None` if nothing changed.
        revision: Option<Revision>,
    },
    /// The ledger does not accept the client any more.
    ClientRefused,
    /// The ledger sent no answer in time, or none that the edge can read.
    Failed,
}

/// A reply of a ledger that the edge can parse.
pub trait Reply: Sized {
    /// Parses a reply. Returns `None` if it is malformed; an unknown reply is `Failed`.
    fn parse(text: &str) -> Option<Self>;
}

/// Returns the members of a reply, and its tag.
fn tagged(text: &str) -> Option<(Members, String)> {
    let mut members = Json::parse(text)?.into_members()?;
    let tag = members.required("reply")?;
    Some((members, tag))
}

impl Reply for RefreshReply {
    fn parse(text: &str) -> Option<Self> {
        let (members, tag) = tagged(text)?;
        Some(match tag.as_str() {
            "refreshed" => Self::Refreshed(Refresh::from_json(members.into())?),
            "gone" => Self::Gone,
            _ => Self::Failed,
        })
    }
}

impl Reply for IssueReply {
    fn parse(text: &str) -> Option<Self> {
        let (mut members, tag) = tagged(text)?;
        Some(match tag.as_str() {
            "changed" => Self::Changed { record: members.required("record")? },
            "refused" => Self::Refused(match members.take("refusal")?.into_text()?.as_str() {
                "id_taken" => IssueRefusal::IdTaken,
                "too_many_keys" => IssueRefusal::TooManyKeys,
                "issuer_refused" => IssueRefusal::IssuerRefused,
                _ => IssueRefusal::Other,
            }),
            _ => Self::Failed,
        })
    }
}

impl Reply for RevokeReply {
    fn parse(text: &str) -> Option<Self> {
        let (mut members, tag) = tagged(text)?;
        Some(match tag.as_str() {
            "revoked" => Self::Revoked { revision: members.optional("revision")? },
            "refused" if members.take("refusal")?.into_text()? == "issuer_refused" => {
                Self::ClientRefused
            }
            _ => Self::Failed,
        })
    }
}

impl Reply for ExpiryReply {
    fn parse(text: &str) -> Option<Self> {
        let (mut members, tag) = tagged(text)?;
        Some(match tag.as_str() {
            "expiry" => Self::Expiry { expires: members.required("expires")? },
            "expiry_refused" => Self::ExpiryRefused { error: members.required("error")? },
            _ => Self::Failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::limits::lifetime::Expiry;
    use crate::replication::record::Standing;
    use crate::testing::{account, at, record};

    #[test]
    fn each_reply_to_a_refresh_is_read_and_what_is_unknown_is_no_answer() {
        let refreshed = r#"{"reply":"refreshed","epoch":"e","revision":5,"delta":{"changes":[]},"unsettled":"overflow"}"#;
        let read = RefreshReply::parse(refreshed);
        assert!(matches!(read, Some(RefreshReply::Refreshed(read)) if read.revision.0 == 5));
        assert!(matches!(RefreshReply::parse(r#"{"reply":"gone"}"#), Some(RefreshReply::Gone)));
        assert!(matches!(RefreshReply::parse(r#"{"reply":"new"}"#), Some(RefreshReply::Failed)));
        for bad in ["", "{}", "null", r#"{"reply":"refreshed"}"#, r#"{"reply":1}"#] {
            assert!(RefreshReply::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn each_reply_to_an_issue_is_read_and_what_is_unknown_is_no_answer() {
        let record = record(Standing::Active);
        let json = serde_json::to_string(&record).unwrap();
        let changed = IssueReply::parse(&format!(r#"{{"reply":"changed","record":{json}}}"#));
        assert!(matches!(changed, Some(IssueReply::Changed { record: read }) if read == record));
        for (text, expected) in [
            ("id_taken", IssueRefusal::IdTaken),
            ("too_many_keys", IssueRefusal::TooManyKeys),
            ("issuer_refused", IssueRefusal::IssuerRefused),
            ("new", IssueRefusal::Other),
        ] {
            let read = IssueReply::parse(&format!(r#"{{"reply":"refused","refusal":"{text}"}}"#));
            assert!(matches!(read, Some(IssueReply::Refused(read)) if read == expected), "{text}");
        }
        assert!(matches!(IssueReply::parse(r#"{"reply":"new"}"#), Some(IssueReply::Failed)));
        for bad in ["", "{}", r#"{"reply":"changed"}"#, r#"{"reply":"refused"}"#] {
            assert!(IssueReply::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn each_reply_to_an_expiry_is_read_and_what_is_unknown_is_no_answer() {
        for (text, expected) in [
            (
                r#"{"reply":"expiry","expires":5}"#,
                ExpiryReply::Expiry { expires: Expiry::At(at(5)) },
            ),
            (
                r#"{"reply":"expiry_refused","error":{"code":"empty"}}"#,
                ExpiryReply::ExpiryRefused { error: ExpiryError::Empty },
            ),
            (r#"{"reply":"new"}"#, ExpiryReply::Failed),
        ] {
            assert_eq!(ExpiryReply::parse(text), Some(expected), "{text}");
        }
        for bad in ["", "{}", r#"{"reply":"expiry"}"#, r#"{"reply":"expiry_refused"}"#] {
            assert_eq!(ExpiryReply::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_name_of_a_ledger_contains_its_account() {
        assert_eq!(ledger_instance(account()), "ledger/a1B2c3D4");
    }
}
