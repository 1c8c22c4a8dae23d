//! The grant: what an issuer may issue of what a program asks for. What lies above the issuer's
//! limits is refused and never cut.

use serde::{Deserialize, Serialize};

use crate::base::secret::Digest;
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::issuer::{Ceiling, Issuer};
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::network::Networks;
use crate::credential::limits::permission::Permissions;
use crate::credential::limits::subset::covers_networks;

/// How long a key lives when nothing is said: long enough to open one connection.
pub const LIFE: DurationMs = DurationMs::from_s(30);

/// How far the clock of who asks a ledger may be from the ledger's own.
pub const CLOCK_SKEW_MAX: DurationMs = DurationMs::from_s(60);

/// Why nothing is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The key would live longer than the limits or the issuer.
    #[error("the key would live longer than its issuer allows")]
    TooLong,
    /// The key could be used from outside of the issuer's networks.
    #[error("the key could be used from outside of its issuer's networks")]
    Outside,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Until when; `None`: nothing was said.
    pub expires: Option<Expiry>,
    /// From where; empty: from wherever the ceiling allows.
    pub networks: Networks,
}

/// An issuer with the proof that it was presented: what the ledger compares again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerProof {
    /// Which.
    pub issuer: Issuer,
    /// Digest of its secret.
    pub digest: Digest,
}

/// What is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Until when.
    pub expires: Expiry,
    /// From where; empty: from wherever the ceiling allows.
    pub networks: Networks,
    /// What for: all that the ceiling allows.
    pub permissions: Permissions,
}

/// Grants what is wanted at the time `at` of an issuer that ends at `expires`.
///
/// # Errors
/// [`GrantError::TooLong`], [`GrantError::Outside`]: it lies above the ceiling.
pub fn grant(
    wanted: Wanted,
    ceiling: &Ceiling,
    expires: Expiry,
    at: UnixMs,
) -> Result<Granted, GrantError> {
    let longest =
        ceiling.longest.map_or(Expiry::Never, |longest| Expiry::At(at.saturating_add(longest)));
    let latest = expires.earlier(longest);
    let ends = match wanted.expires {
        // What nobody has asked for is not above anything.
        None => Expiry::At(at.saturating_add(LIFE)).earlier(latest),
        Some(ends) if ends.earlier(latest) == ends => ends,
        Some(_) => return Err(GrantError::TooLong),
    };
    if !wanted.networks.is_unrestricted() && !covers_networks(&ceiling.networks, &wanted.networks) {
        return Err(GrantError::Outside);
    }
    Ok(Granted {
        expires: ends,
        networks: wanted.networks,
        permissions: ceiling.permissions.clone(),
    })
}
