//! The verification of one key against its record: pure, and the only way to a [`Verified`].
//!
//! A verifier may also ask about a key by its ID alone. [`examine`] tells it the same, in another type: nothing that was not presented with its
//! secret can be let through by mistake.

use crate::expiry::Expiry;
use crate::id::{AccountId, KeyId};
use crate::key::MadeKey;
use crate::network::ClientAddress;
use crate::permission::{Permission, Permissions};
use crate::record::{Interface, Record, Revision, Standing};
use crate::secret::Digest;
use crate::time::UnixMs;
use crate::verdict::Denial;

/// What a request asks of its credential.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Where it comes from; `None` when nothing trustworthy tells.
    pub address: Option<ClientAddress>,
    /// How it comes.
    pub interface: Interface,
    /// What it needs. [`Demand::AnyKey`] is said on purpose, never by leaving something out.
    pub demand: Demand<'a>,
}

/// What a credential must hold.
#[derive(Clone, Copy, Debug)]
pub enum Demand<'a> {
    /// Any valid key will do.
    AnyKey,
    /// This permission.
    Permission(&'a Permission),
}

/// What is true of a key that nothing speaks against. It proves nothing about who asks.
#[derive(Clone, Debug)]
pub struct Valid {
    /// The key.
    pub key: KeyId,
    /// What it may do.
    pub permissions: Permissions,
    /// Until when it is valid.
    pub expires: Expiry,
    /// Revision of the record that says so.
    pub revision: Revision,
}

/// Proof that a key was verified. Only [`verify`] makes one, so whatever takes it cannot be reached around it.
#[derive(Clone, Debug)]
pub struct Verified(Valid);

impl Verified {
    /// The account that the request acts for.
    pub fn account(&self) -> AccountId {
        self.0.key.account()
    }

    /// The key.
    pub fn key(&self) -> KeyId {
        self.0.key
    }

    /// What the key may do.
    pub fn permissions(&self) -> &Permissions {
        &self.0.permissions
    }

    /// Until when the key is valid.
    pub fn expires(&self) -> Expiry {
        self.0.expires
    }

    /// Revision of the record that said so.
    pub fn revision(&self) -> Revision {
        self.0.revision
    }
}

impl From<Verified> for Valid {
    fn from(verified: Verified) -> Self {
        verified.0
    }
}

/// What the edge knows of a key.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Its record; `None`: the ledger knows no such key.
    pub record: Option<&'a Record>,
    /// Whether the operator has suspended its account.
    pub is_account_suspended: bool,
}

/// Decides about `presented`.
///
/// # Errors
/// The first reason, in the order of [`Denial`]. Reasons after `Unknown` are only reached with the right secret.
pub fn verify(
    presented: &MadeKey,
    known: Known<'_>,
    facts: &Facts<'_>,
    now: UnixMs,
) -> Result<Verified, Denial> {
    judge(presented.id(), Some(presented.digest()), known, facts, now).map(Verified)
}

/// Says of a key what [`verify`] would say of its secret's holder. For verifiers: anybody else learns more from it than they should.
///
/// # Errors
/// The first reason, in the order of [`Denial`].
pub fn examine(id: KeyId, known: Known<'_>, facts: &Facts<'_>, now: UnixMs) -> Result<Valid, Denial> {
    judge(id, None, known, facts, now)
}

/// `digest` is that of the secret that was presented, if one was.
fn judge(
    id: KeyId,
    digest: Option<&Digest>,
    known: Known<'_>,
    facts: &Facts<'_>,
    now: UnixMs,
) -> Result<Valid, Denial> {
    let record = known.record.filter(|record| record.id == id).ok_or(Denial::Unknown)?;
    let (credential, enabled) = match &record.standing {
        Standing::Active(credential) => (credential, true),
        Standing::Disabled(credential) => (credential, false),
        Standing::Deleted => return Err(Denial::Unknown),
    };
    // In constant time: see `Digest`.
    if digest.is_some_and(|digest| credential.digest != *digest) {
        return Err(Denial::Unknown);
    }
    if !enabled {
        return Err(Denial::Disabled);
    }
    if known.is_account_suspended {
        return Err(Denial::AccountSuspended);
    }
    let limits = &credential.limits;
    if limits.not_before.is_some_and(|start| now < start) {
        return Err(Denial::NotYetValid);
    }
    if limits.expires.is_past(now) {
        return Err(Denial::Expired);
    }
    if !limits.networks.allows(facts.address) {
        return Err(Denial::NetworkDenied);
    }
    if !limits.interfaces.contains(&facts.interface) {
        return Err(Denial::InterfaceDenied);
    }
    let may = match facts.demand {
        Demand::AnyKey => true,
        Demand::Permission(permission) => limits.permissions.grants(permission),
    };
    if !may {
        return Err(Denial::PermissionDenied);
    }
    Ok(Valid {
        key: record.id,
        permissions: limits.permissions.clone(),
        expires: limits.expires,
        revision: record.revision,
    })
}
