//! Defines issuers: the credentials that may issue keys, and the bounds on what they issue.
//!
//! An *issuer* is an issuable key, or an account's service password. An issued key stays tied to
//! its issuer in two ways.
//!
//! - The **ceiling** bounds the permissions, networks and life of issued keys. It applies at issue
//!   and at each verification, so lowering a ceiling also binds keys that were issued before.
//! - The **sealing generation** is a number of the issuer that is written into each key it issues;
//!   only an equal number is valid. It rises when the issuer is disabled or deleted, loses its
//!   issuance limits or gets a new secret, and when all its issued keys are ended at once. So keys
//!   issued before stay dead when the issuer is enabled again.
//!
//! An issued key can never issue.

use serde::Serialize;

use crate::base::id::{KeyId, SealedId};
use crate::base::json::{FromJson, Json, from_json};
use crate::base::secret::Digest;
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::limits::network::Networks;
use crate::credential::limits::permission::Permissions;

/// The bounds on what an issuer may issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ceiling {
    /// Most permissions that an issued key may hold. None is reserved (`claviger:…`).
    pub permissions: Permissions,
    /// Networks of issued keys; empty for anywhere.
    pub networks: Networks,
    /// Longest life of an issued key; `None` if only the issuer's end bounds it.
    pub longest: Option<DurationMs>,
}

from_json!(Ceiling { permissions: required, networks: required, longest: required });

/// The number of times that an issuer's issued keys were ended: see the module documentation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SealingGeneration(pub u32);

from_json!(SealingGeneration(_));

impl SealingGeneration {
    /// Returns the next generation.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The issuing data of a credential that may issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issuing {
    /// Present sealing generation of the issuer.
    pub generation: SealingGeneration,
    /// Bounds on what the issuer may issue.
    pub ceiling: Ceiling,
}

from_json!(Issuing { generation: required, ceiling: required });

/// The data that the edge needs about a service password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServicePassword {
    /// Digest of the password.
    pub digest: Digest,
    /// Ceiling and sealing generation of the service password.
    pub issuing: Issuing,
}

from_json!(ServicePassword { digest: required, issuing: required });

/// The identity of an issuer within its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Issuer {
    /// A key, by its ID.
    Key(KeyId),
    /// The account's service password.
    Service,
}

/// The form is that of an externally tagged enum: `"service"`, or `{"key": <ID>}`.
impl FromJson for Issuer {
    fn from_json(json: Json) -> Option<Self> {
        json.into_variant(SERVICE, "key").map(|data| data.map_or(Self::Service, Self::Key))
    }
}

from_json!(Issuer);

impl Issuer {
    /// Returns the text form: the key's ID, or `service`, which no key has as its ID.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Key(id) => id.as_str(),
            Self::Service => SERVICE,
        }
    }

    /// Parses the text form; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        if text == SERVICE { Some(Self::Service) } else { KeyId::parse(text).map(Self::Key) }
    }
}

const SERVICE: &str = "service";

/// The origin of a key that a program issued, not a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// Issuer of the key.
    pub by: Issuer,
    /// Sealing generation of the issuer at the time of issue.
    pub generation: SealingGeneration,
    /// Time of issue, Unix ms.
    pub at: UnixMs,
}

from_json!(Issued { by: required, generation: required, at: required });

/// A sealed key that was revoked individually.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RevokedSealed {
    /// ID of the sealed key.
    pub id: SealedId,
    /// Time at which it expires anyway, Unix ms; from then on, the entry is not needed.
    pub until: UnixMs,
}

from_json!(RevokedSealed { id: required, until: required });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key_id;

    #[test]
    fn an_issuer_s_text_reads_back_the_same_and_any_other_is_none() {
        for (issuer, text) in
            [(Issuer::Service, "service"), (Issuer::Key(key_id()), "a1B2c3D47Hq0p2Zx9K")]
        {
            assert_eq!((issuer.as_str(), Issuer::parse(text)), (text, Some(issuer)));
        }
        for other in ["", "Service", "service ", "a1B2c3D47Hq0p2Zx9", "a1B2c3D47Hq0p2Zx9_"] {
            assert_eq!(Issuer::parse(other), None, "{other}");
        }
    }
}
