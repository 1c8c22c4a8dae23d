//! The verification of one key against its record: pure, and the only way to a [`Verified`].
//!
//! A key that was issued by a key or by the service password *follows its issuer*: it is `unknown`
//! once the issuer is deleted or has another sealing generation, `disabled` while the issuer is,
//! ends when the issuer does, and does what its own limits and the issuer's ceiling both allow. A
//! sealed key has no record: what it says of itself stands in its place.
//!
//! A verifier may also ask about a key by its ID alone. [`examine`] tells it the same, in another
//! type: nothing that was not presented with its secret can be let through by mistake.

use std::borrow::Cow;

use crate::base::id::{AccountId, AnyKeyId, KeyId};
use crate::base::secret::Digest;
use crate::base::time::UnixMs;
use crate::credential::issuer::{Ceiling, Issuer, SealingGeneration};
use crate::credential::key::MadeKey;
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::network::{ClientAddress, Networks};
use crate::credential::limits::permission::{Permission, Permissions};
use crate::credential::limits::{Interface, Limits};
use crate::credential::sealed::MadeSealed;
use crate::replication::record::{Record, Revision, Standing};
use crate::replication::refresh::AccountState;
use crate::verify::verdict::Denial;

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

impl Facts<'_> {
    /// Whether networks and permissions alone speak for a request.
    pub fn are_within(&self, networks: &Networks, permissions: &Permissions) -> bool {
        networks.allows(self.address) && self.is_granted(permissions)
    }

    fn is_granted(&self, permissions: &Permissions) -> bool {
        match self.demand {
            Demand::AnyKey => true,
            Demand::Permission(permission) => permissions.grants(permission),
        }
    }
}

/// What is true of a key that nothing speaks against. It proves nothing about who asks.
#[derive(Clone, Debug)]
pub struct Valid {
    /// The key.
    pub key: AnyKeyId,
    /// What it may do.
    pub permissions: Permissions,
    /// Until when it is valid.
    pub expires: Expiry,
    /// Revision of the record that says so.
    pub revision: Revision,
}

/// Proof that a key was verified. Only [`verify`] and [`verify_sealed`] make one, so whatever takes
/// it cannot be reached around them.
#[derive(Clone, Debug)]
pub struct Verified(Valid);

impl Verified {
    /// The account that the request acts for.
    pub fn account(&self) -> AccountId {
        self.0.key.account()
    }

    /// The key.
    pub fn key(&self) -> AnyKeyId {
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
    /// Its record; `None`: the ledger knows no such key, or it is sealed.
    pub record: Option<&'a Record>,
    /// The record of the key that issued it; `None`: none did, or the ledger knows no such key.
    pub issuer: Option<&'a Record>,
    /// What holds for the whole account.
    pub state: &'a AccountState,
}

/// Decides about `presented`.
///
/// # Errors
/// The first reason, in the order of [`Denial`]. Reasons after `Unknown` are only reached with the
/// right secret.
pub fn verify(
    presented: &MadeKey,
    known: Known<'_>,
    facts: &Facts<'_>,
    now: UnixMs,
) -> Result<Verified, Denial> {
    judge(presented.id(), Some(presented.digest()), known, facts, now).map(Verified)
}

/// Decides about a sealed key that was presented.
///
/// # Errors
/// The first reason, in the order of [`Denial`].
pub fn verify_sealed(
    presented: &MadeSealed,
    known: Known<'_>,
    facts: &Facts<'_>,
    now: UnixMs,
) -> Result<Verified, Denial> {
    let claims = presented.claims();
    if known.state.revoked_sealed.iter().any(|revoked| revoked.id == claims.id) {
        return Err(Denial::Unknown);
    }
    let followed = follow(claims.issuer, claims.id.generation(), &known).ok_or(Denial::Unknown)?;
    let terms = Terms {
        key: AnyKeyId::Sealed(claims.id),
        is_enabled: true,
        not_before: None,
        expires: Expiry::At(claims.expires_at),
        networks: &claims.networks,
        // What it was issued for is what its issuer may do.
        interfaces: followed.interfaces(),
        permissions: &claims.permissions,
        revision: followed.revision,
    };
    terms.judge(Some((followed, claims.issued_at)), known.state, facts, now).map(Verified)
}

/// Says of a key what [`verify`] would say of its secret's holder. For verifiers: anybody else
/// learns more from it than they should.
///
/// # Errors
/// The first reason, in the order of [`Denial`].
pub fn examine(
    id: KeyId,
    known: Known<'_>,
    facts: &Facts<'_>,
    now: UnixMs,
) -> Result<Valid, Denial> {
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
    let followed = match &credential.issued {
        None => None,
        Some(issued) => {
            Some((follow(issued.by, issued.generation, &known).ok_or(Denial::Unknown)?, issued.at))
        }
    };
    let limits = &credential.limits;
    let terms = Terms {
        key: AnyKeyId::Key(record.id),
        is_enabled: enabled,
        not_before: limits.not_before,
        expires: limits.expires,
        networks: &limits.networks,
        interfaces: &limits.interfaces,
        permissions: &limits.permissions,
        revision: record.revision,
    };
    terms.judge(followed, known.state, facts, now)
}

/// What a key says of itself, wherever it says it.
struct Terms<'a> {
    key: AnyKeyId,
    is_enabled: bool,
    not_before: Option<UnixMs>,
    expires: Expiry,
    networks: &'a Networks,
    interfaces: &'a [Interface],
    permissions: &'a Permissions,
    revision: Revision,
}

/// What an issuer says of what it has issued.
#[derive(Clone, Copy)]
struct Followed<'a> {
    ceiling: &'a Ceiling,
    is_enabled: bool,
    /// The issuer's own; `None`: it is the service password, which has none.
    limits: Option<&'a Limits>,
    revision: Revision,
}

/// The interfaces of a key that the service password issued.
const SERVICE_INTERFACES: &[Interface] = &[Interface::Http];

impl<'a> Followed<'a> {
    fn interfaces(&self) -> &'a [Interface] {
        self.limits.map_or(SERVICE_INTERFACES, |limits| &limits.interfaces)
    }
}

/// The issuer of a key that it issued in its sealing generation `generation`; `None`: it has none
/// that it could follow.
fn follow<'a>(
    issuer: Issuer,
    generation: SealingGeneration,
    known: &Known<'a>,
) -> Option<Followed<'a>> {
    let id = match issuer {
        Issuer::Service => {
            let issuing = &known.state.service.as_ref()?.issuing;
            let revision = known.state.revision;
            let followed =
                Followed { ceiling: &issuing.ceiling, is_enabled: true, limits: None, revision };
            return (issuing.generation == generation).then_some(followed);
        }
        Issuer::Key(id) => id,
    };
    let record = known.issuer.filter(|record| record.id == id)?;
    let (credential, is_enabled) = match &record.standing {
        Standing::Active(credential) => (credential, true),
        Standing::Disabled(credential) => (credential, false),
        Standing::Deleted => return None,
    };
    let issuing = credential.issuing.as_ref()?;
    // Disabling raises the generation by one: what that ended is told from what had ended before.
    let is_current = issuing.generation == if is_enabled { generation } else { generation.next() };
    let followed = Followed {
        ceiling: &issuing.ceiling,
        is_enabled,
        limits: Some(&credential.limits),
        revision: record.revision,
    };
    (is_current && credential.issued.is_none()).then_some(followed)
}

impl Terms<'_> {
    /// The verdict; `followed` is the issuer, and when it issued the key.
    fn judge(
        &self,
        followed: Option<(Followed<'_>, UnixMs)>,
        state: &AccountState,
        facts: &Facts<'_>,
        now: UnixMs,
    ) -> Result<Valid, Denial> {
        let (issuer, issued_at) = followed.unzip();
        let ceiling = issuer.map(|issuer| issuer.ceiling);
        let issuers_limits = issuer.and_then(|issuer| issuer.limits);
        if !self.is_enabled || issuer.is_some_and(|issuer| !issuer.is_enabled) {
            return Err(Denial::Disabled);
        }
        if state.suspended {
            return Err(Denial::AccountSuspended);
        }
        let begins = self.not_before.max(issuers_limits.and_then(|limits| limits.not_before));
        if begins.is_some_and(|start| now < start) {
            return Err(Denial::NotYetValid);
        }
        let longest = ceiling.and_then(|ceiling| ceiling.longest).zip(issued_at);
        let longest =
            longest.map_or(Expiry::Never, |(longest, at)| Expiry::At(at.saturating_add(longest)));
        let issuers_end = issuers_limits.map_or(Expiry::Never, |limits| limits.expires);
        let expires = self.expires.earlier(longest).earlier(issuers_end);
        if expires.is_past(now) {
            return Err(Denial::Expired);
        }
        let is_allowed = |networks: &Networks| networks.allows(facts.address);
        if !is_allowed(self.networks)
            || ceiling.is_some_and(|ceiling| !is_allowed(&ceiling.networks))
        {
            return Err(Denial::NetworkDenied);
        }
        let is_for = |interfaces: &[Interface]| interfaces.contains(&facts.interface);
        if !is_for(self.interfaces) || issuer.is_some_and(|issuer| !is_for(issuer.interfaces())) {
            return Err(Denial::InterfaceDenied);
        }
        let permissions = match ceiling {
            None => Cow::Borrowed(self.permissions),
            Some(ceiling) => Cow::Owned(self.permissions.within(&ceiling.permissions)),
        };
        if !facts.is_granted(&permissions) {
            return Err(Denial::PermissionDenied);
        }
        let permissions = permissions.into_owned();
        Ok(Valid { key: self.key, permissions, expires, revision: self.revision })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::issuer::{Issued, Issuing};
    use crate::replication::record::{Credential, Epoch};
    use crate::testing::{key_id, limits};

    const NOW: UnixMs = UnixMs::from_ms(0);

    fn another() -> KeyId {
        KeyId::parse("a1B2c3D47Hq0p2Zx9L").unwrap()
    }

    fn record(id: KeyId, issued: Option<Issued>) -> Record {
        let ceiling = Ceiling {
            permissions: limits().permissions,
            networks: Networks::anywhere(),
            longest: None,
        };
        let issuing =
            issued.is_none().then_some(Issuing { generation: SealingGeneration(0), ceiling });
        let credential = Credential { digest: Digest::of(b"x"), limits: limits(), issuing, issued };
        Record::new(Epoch::new(1), Revision(1), id, Standing::Active(credential))
    }

    fn asked(record: Option<&Record>, issuer: Option<&Record>) -> Result<(), Denial> {
        let state = AccountState::default();
        let address = ClientAddress::parse("10.0.0.1");
        let facts = Facts { address, interface: Interface::Http, demand: Demand::AnyKey };
        examine(key_id(), Known { record, issuer, state: &state }, &facts, NOW).map(|_| ())
    }

    #[test]
    fn the_record_of_another_key_speaks_for_none() {
        assert_eq!(asked(Some(&record(key_id(), None)), None), Ok(()));
        assert_eq!(asked(Some(&record(another(), None)), None), Err(Denial::Unknown));
        let issued =
            Issued { by: Issuer::Key(another()), generation: SealingGeneration(0), at: NOW };
        let issued = record(key_id(), Some(issued));
        let stranger = KeyId::parse("a1B2c3D47Hq0p2Zx9M").unwrap();
        assert_eq!(asked(Some(&issued), Some(&record(another(), None))), Ok(()));
        for issuer in [None, Some(record(stranger, None))] {
            assert_eq!(asked(Some(&issued), issuer.as_ref()), Err(Denial::Unknown));
        }
    }
}
