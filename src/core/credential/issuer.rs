//! Issuers: what may issue keys by itself, and how far.
//!
//! An *issuer* is a key that is issuable, or an account's service password. What it issues stays
//! tied to it in two ways.
//!
//! - The **ceiling** bounds permissions, networks and life of what it issues: when it issues, and
//!   again whenever such a key is verified, so that lowering a ceiling also binds what was issued
//!   before.
//! - The **sealing generation** is a number of the issuer's that is written into what it issues. It
//!   rises when the issuer is disabled, deleted or given a new secret, and only an equal number is
//!   valid: what was issued before stays dead when the issuer is enabled again.
//!
//! What was issued can never issue.

use serde::{Deserialize, Serialize};

use crate::base::id::{KeyId, SealedId};
use crate::base::secret::Digest;
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::limits::network::Networks;
use crate::credential::limits::permission::Permissions;

/// How far an issuer may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceiling {
    /// What issued keys may do. Never one of Claviger's own powers.
    pub permissions: Permissions,
    /// Where issued keys may be used; empty = anywhere.
    pub networks: Networks,
    /// How long an issued key may live at most; `None` = as long as its issuer.
    pub longest: Option<DurationMs>,
}

/// How often what an issuer issued was ended: see the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealingGeneration(pub u32);

impl SealingGeneration {
    /// The generation after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A credential as an issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuing {
    /// Its sealing generation.
    pub generation: SealingGeneration,
    /// How far it may go.
    pub ceiling: Ceiling,
}

/// The service password, as the edge needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePassword {
    /// Digest of the password.
    pub digest: Digest,
    /// As an issuer.
    pub issuing: Issuing,
}

/// Which issuer, within an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Issuer {
    /// A key.
    Key(KeyId),
    /// The service password.
    Service,
}

impl Issuer {
    /// As text: the key's ID, or `service`, which is none.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Key(id) => id.as_str(),
            Self::Service => SERVICE,
        }
    }

    /// The issuer of this text; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        if text == SERVICE { Some(Self::Service) } else { KeyId::parse(text).map(Self::Key) }
    }
}

const SERVICE: &str = "service";

/// By whom a key was issued that no member issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Its issuer.
    pub by: Issuer,
    /// The issuer's sealing generation at that time.
    pub generation: SealingGeneration,
    /// When.
    pub at: UnixMs,
}

/// A sealed key that was revoked by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedSealed {
    /// Its ID.
    pub id: SealedId,
    /// When it ends in any case, so that it needs no mention any more.
    pub until: UnixMs,
}
