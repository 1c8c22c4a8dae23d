//! Decides what an issuer may issue of a program's request. A request above the issuer's limits is
//! refused, never cut.

use serde::{Deserialize, Serialize};

use crate::base::secret::Digest;
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::issuer::{Ceiling, Issuer};
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::network::Networks;
use crate::credential::limits::permission::Permissions;
use crate::credential::limits::subset::covers_networks;

/// Life of a key if the request names no expiry: long enough to open one connection.
pub const LIFE: DurationMs = DurationMs::from_s(30);

/// Largest accepted difference between the ledger's clock and the clock of an edge that asks it.
pub const CLOCK_SKEW_MAX: DurationMs = DurationMs::from_s(60);

/// The reason why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The key would live longer than the limits or the issuer.
    #[error("the key would live longer than its issuer allows")]
    TooLong,
    /// The key would be usable outside the issuer's networks.
    #[error("the key could be used from outside of its issuer's networks")]
    Outside,
}

/// The limits that a program requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Requested expiry; `None` if the request names none.
    pub expires: Option<Expiry>,
    /// Requested networks; empty for all that the ceiling allows.
    pub networks: Networks,
}

/// An issuer, with the digest of the secret that it presented. The ledger compares the digest
/// again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerProof {
    /// Identity of the issuer within its account.
    pub issuer: Issuer,
    /// Digest of the presented secret.
    pub digest: Digest,
}

/// The limits that the issuer may grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Expiry of the new key.
    pub expires: Expiry,
    /// Networks of the new key; empty for all that the ceiling allows.
    pub networks: Networks,
    /// Permissions of the new key: all that the ceiling allows.
    pub permissions: Permissions,
}

/// Grants a request at the time `at`, for an issuer that itself ends at `expires`.
///
/// # Errors
/// [`GrantError::TooLong`] if the key would outlive the ceiling's longest life or the issuer,
/// [`GrantError::Outside`] if its networks exceed the ceiling's.
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
        // Only a requested expiry can exceed the ceiling. The default life is cut to it.
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
