//! The record: what the edge needs to know of one credential. The ledger is its author; Workers KV carries it.
//!
//! A record is stored as JSON under [`kv_key`], for example
//!
//! ```json
//! {"v":1,"epoch":"5f2c9a0b7d1e4386","revision":12,"id":"a1B2c3D47Hq0p2Zx9K","state":"active","digest":"…",
//!  "limits":{"not_before":null,"expires":1803186000000,"networks":["10.0.0.0/8"],"interfaces":["http"],
//!            "permissions":["demo:read"]}}
//! ```
//!
//! The shape is pinned by tests. A reader that meets another version, or a record of another key, treats it as
//! absent and asks the ledger.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::expiry::Expiry;
use crate::id::KeyId;
use crate::issuer::{Issued, Issuing};
use crate::network::Networks;
use crate::permission::Permissions;
use crate::secret::Digest;
use crate::time::UnixMs;

/// Number of a change within an account: every change takes the next one. 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// The number of the change after this one.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One history of a ledger: 64 random bits in hex. Revisions of different epochs cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(String);

impl Epoch {
    /// The epoch of these random bits.
    pub fn new(bits: u64) -> Self {
        Self(format!("{bits:016x}"))
    }

    /// An epoch that was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A way to reach the protected API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interface {
    /// HTTP, through the gateway or a proxy that asks.
    Http,
    /// Mail submission.
    Smtp,
}

/// What a credential may do, and when, and from where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Not valid earlier; `None` = from its issue.
    pub not_before: Option<UnixMs>,
    /// Until when it is valid.
    pub expires: Expiry,
    /// Where from. Empty = anywhere, and that is an explicit choice of who issued it.
    pub networks: Networks,
    /// By which interfaces. Empty grants none.
    pub interfaces: Vec<Interface>,
    /// What for. Empty grants nothing.
    pub permissions: Permissions,
}

/// What a living credential is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Digest of its secret.
    pub digest: Digest,
    /// What it may do.
    pub limits: Limits,
    /// As an issuer; `None`: it may not issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuing: Option<Issuing>,
    /// Who issued it, when that was not a member: then it follows its issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Issued>,
}

/// A credential's state, with what that state still needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Standing {
    /// It may be used within its limits.
    Active(Credential),
    /// Switched off; the secret is still told from a wrong one.
    Disabled(Credential),
    /// A tombstone, so that a late copy of an older record is recognised as old.
    Deleted,
}

/// Version of the stored shape.
const VERSION: u8 = 1;

/// One credential as the edge knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    #[serde(rename = "v", deserialize_with = "this_version")]
    version: u8,
    /// The ledger's history that [`Record::revision`] counts in.
    pub epoch: Epoch,
    /// Number of the credential's last change.
    pub revision: Revision,
    /// The credential.
    pub id: KeyId,
    /// Its state.
    #[serde(flatten)]
    pub standing: Standing,
}

impl Record {
    /// A record of the present version.
    pub fn new(epoch: Epoch, revision: Revision, id: KeyId, standing: Standing) -> Self {
        Self { version: VERSION, epoch, revision, id, standing }
    }

    /// Reads what KV holds under the key of `id`. `None` when it is no record of this version, or of another
    /// credential: then it is no evidence at all.
    pub fn from_kv(text: &str, id: KeyId) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok().filter(|record| record.id == id)
    }
}

/// Where KV keeps the record of `id`.
pub fn kv_key(id: KeyId) -> String {
    format!("key/{id}")
}

fn this_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    match u8::deserialize(deserializer)? {
        VERSION => Ok(VERSION),
        other => Err(de::Error::custom(UnknownVersion(other))),
    }
}

struct UnknownVersion(u8);

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record version {} is not {VERSION}", self.0)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn key_id() -> KeyId {
        KeyId::parse("a1B2c3D47Hq0p2Zx9K").unwrap()
    }

    pub(crate) fn limits() -> Limits {
        Limits {
            not_before: None,
            expires: Expiry::At(UnixMs::from_ms(1_803_186_000_000)),
            networks: serde_json::from_str(r#"["10.0.0.0/8"]"#).unwrap(),
            interfaces: vec![Interface::Http],
            permissions: serde_json::from_str(r#"["demo:read"]"#).unwrap(),
        }
    }

    pub(crate) fn record(standing: impl FnOnce(Credential) -> Standing) -> Record {
        let credential =
            Credential { digest: Digest::of(b"abc"), limits: limits(), issuing: None, issued: None };
        Record::new(Epoch::new(0x5f2c_9a0b_7d1e_4386), Revision(12), key_id(), standing(credential))
    }

    /// A change here needs a plan for the records that KV already holds, and for edges one release older.
    #[test]
    fn the_stored_shape_is_pinned() {
        let active = r#"{"v":1,"epoch":"5f2c9a0b7d1e4386","revision":12,"id":"a1B2c3D47Hq0p2Zx9K","state":"active","digest":"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0","limits":{"not_before":null,"expires":1803186000000,"networks":["10.0.0.0/8"],"interfaces":["http"],"permissions":["demo:read"]}}"#;
        assert_eq!(serde_json::to_string(&record(Standing::Active)).unwrap(), active);
        assert_eq!(Record::from_kv(active, key_id()), Some(record(Standing::Active)));
        assert_eq!(
            serde_json::to_string(&record(|_| Standing::Deleted)).unwrap(),
            r#"{"v":1,"epoch":"5f2c9a0b7d1e4386","revision":12,"id":"a1B2c3D47Hq0p2Zx9K","state":"deleted"}"#
        );
        assert_eq!(kv_key(key_id()), "key/a1B2c3D47Hq0p2Zx9K");
    }

    #[test]
    fn what_is_no_record_of_this_key_is_no_evidence() {
        let text = serde_json::to_string(&record(Standing::Active)).unwrap();
        let other = KeyId::parse("a1B2c3D47Hq0p2Zx9L").unwrap();
        assert_eq!(Record::from_kv(&text, other), None);
        for bad in [
            String::new(),
            "null".into(),
            text.replacen("\"v\":1", "\"v\":2", 1),
            text.replacen("active", "lively", 1),
            text.replacen("\"networks\":[\"10.0.0.0/8\"],", "", 1),
            text.replacen("\"permissions\":[\"demo:read\"]", "\"permissions\":[\"claviger:*\"]", 1),
            text.replacen("10.0.0.0/8", "10.0.0.0/33", 1),
        ] {
            assert_eq!(Record::from_kv(&bad, key_id()), None, "{bad}");
        }
    }
}
