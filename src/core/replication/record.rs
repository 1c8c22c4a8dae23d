//! The record: what the edge needs to know of one credential. The ledger is its author; Workers KV
//! carries it.
//!
//! A record is stored as JSON under [`kv_key`], for example
//!
//! ```json
//! {"v":1,"epoch":"5f2c9a0b7d1e4386","revision":12,"id":"a1B2c3D47Hq0p2Zx9K","state":"active","digest":"…",
//!  "limits":{"not_before":null,"expires":1803186000000,"networks":["10.0.0.0/8"],"interfaces":["http"],
//!            "permissions":["demo:read"]}}
//! ```
//!
//! The shape is pinned by tests. A reader that meets another version, or a record of another key,
//! treats it as absent and asks the ledger.
//!
//! Version 2 is that of keys that follow an issuer ([`Credential::issued`]), and of no others: a
//! reader that knows version 1 alone would let them through without their issuer. It finds nothing
//! in KV, and cannot read the ledger's answer either, so that it refuses them (503).

use core::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::base::id::KeyId;
use crate::base::secret::Digest;
use crate::credential::issuer::{Issued, Issuing};
use crate::credential::limits::Limits;

/// Number of a change within an account: every change takes the next one. 0 is before the first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// The number of the change after this one.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One history of a ledger: 64 random bits in hex. Revisions of different epochs cannot be
/// compared.
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

impl Standing {
    /// Version of the stored shape: the lowest whose readers understand all of it.
    fn version(&self) -> u8 {
        match self {
            Self::Active(credential) | Self::Disabled(credential)
                if credential.issued.is_some() =>
            {
                2
            }
            Self::Active(_) | Self::Disabled(_) | Self::Deleted => 1,
        }
    }
}

/// One credential as the edge knows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Shape<Epoch, Standing>")]
pub struct Record {
    /// The ledger's history that [`Record::revision`] counts in.
    pub epoch: Epoch,
    /// Number of the credential's last change.
    pub revision: Revision,
    /// The credential.
    pub id: KeyId,
    /// Its state.
    pub standing: Standing,
}

/// A record as it is stored.
#[derive(Serialize, Deserialize)]
struct Shape<E, S> {
    v: u8,
    epoch: E,
    revision: Revision,
    id: KeyId,
    #[serde(flatten)]
    standing: S,
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { epoch, revision, id, standing } = self;
        Shape { v: standing.version(), epoch, revision: *revision, id: *id, standing }
            .serialize(serializer)
    }
}

impl TryFrom<Shape<Epoch, Standing>> for Record {
    type Error = OtherVersion;

    fn try_from(shape: Shape<Epoch, Standing>) -> Result<Self, OtherVersion> {
        let Shape { v, epoch, revision, id, standing } = shape;
        if v == standing.version() {
            Ok(Self { epoch, revision, id, standing })
        } else {
            Err(OtherVersion(v))
        }
    }
}

impl Record {
    /// A record.
    pub fn new(epoch: Epoch, revision: Revision, id: KeyId, standing: Standing) -> Self {
        Self { epoch, revision, id, standing }
    }

    /// Reads what KV holds under the key of `id`. `None` when it is no record of a version that is
    /// known, or of another credential: then it is no evidence at all.
    pub fn from_kv(text: &str, id: KeyId) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok().filter(|record| record.id == id)
    }
}

/// Where KV keeps the record of `id`.
pub fn kv_key(id: KeyId) -> String {
    format!("key/{id}")
}

/// Not the version of what the record holds.
struct OtherVersion(u8);

impl fmt::Display for OtherVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not the version of such a record", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::UnixMs;
    use crate::credential::issuer::{Ceiling, Issuer, SealingGeneration};
    use crate::testing::{key_id, limits, record};

    /// A change here needs a plan for the records that KV already holds, and for edges one release
    /// older.
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

    /// An edge that knows version 1 alone must not take a key that follows its issuer for one that
    /// follows nobody.
    #[test]
    fn a_key_that_follows_an_issuer_is_of_version_2() {
        let issued = |state: fn(Credential) -> Standing| {
            record(|credential| {
                let issued = Issued {
                    by: Issuer::Service,
                    generation: SealingGeneration(3),
                    at: UnixMs::from_ms(7),
                };
                state(Credential { issued: Some(issued), ..credential })
            })
        };
        for record in [issued(Standing::Active), issued(Standing::Disabled)] {
            let text = serde_json::to_string(&record).unwrap();
            assert!(
                text.starts_with(r#"{"v":2,"#)
                    && text.contains(r#""issued":{"by":"service","generation":3,"at":7}"#)
            );
            assert_eq!(Record::from_kv(&text, key_id()), Some(record));
            assert_eq!(Record::from_kv(&text.replacen("\"v\":2", "\"v\":1", 1), key_id()), None);
        }
        assert!(
            serde_json::to_string(&issued(|_| Standing::Deleted))
                .unwrap()
                .starts_with(r#"{"v":1,"#)
        );
        let issuer = record(|credential| {
            let ceiling = Ceiling {
                permissions: limits().permissions,
                networks: limits().networks,
                longest: None,
            };
            let issuing = Issuing { generation: SealingGeneration(3), ceiling };
            Standing::Active(Credential { issuing: Some(issuing), ..credential })
        });
        assert!(serde_json::to_string(&issuer).unwrap().starts_with(r#"{"v":1,"#));
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
            text.replacen("\"not_before\":null,", "", 1),
            text.replacen("\"networks\":[\"10.0.0.0/8\"],", "", 1),
            text.replacen("\"permissions\":[\"demo:read\"]", "\"permissions\":[\"claviger:*\"]", 1),
            text.replacen("10.0.0.0/8", "10.0.0.0/33", 1),
        ] {
            assert_eq!(Record::from_kv(&bad, key_id()), None, "{bad}");
        }
    }
}
