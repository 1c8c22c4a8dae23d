//! Verifies one key against its record. The verification is pure, and the only way to get a
//! [`Verified`].
//!
//! A key that another key or the service password issued *follows its issuer*. It is `unknown` once
//! the issuer is deleted or has another sealing generation, and `disabled` while the issuer is
//! disabled. It ends when the issuer ends, and may do only what both its limits and the issuer's
//! ceiling allow. A sealed key has no record; its claims replace the record. A token follows the
//! key that got it in the same way, but the key's own limits take the place of the ceiling.
//!
//! Where the account demands MFA, the record of a key names the member who answers for it. The key,
//! and all that follows it, is `mfa_off` while the account state does not list that member.
//!
//! Where the account restricts the networks of all its credentials, they apply on top of those of
//! the key and of its issuer, and a request from elsewhere is `network_denied` in the same way.
//!
//! An API user has a secret that the name object checks. The verification compares the version that
//! this secret has with the version in the record. The group decides about permissions: *Normal*
//! holds each one for requests that read, *Admin* holds all. Neither holds one over personal data
//! unless it is granted by name, or a reserved one.
//!
//! A verifier may also ask about a key by its ID alone. [`examine`] gives the same result in
//! another type, so that no caller can accept a key by mistake that was not presented with its
//! secret.

use std::borrow::Cow;

use crate::base::id::{AccountId, AnyKeyId, KeyId, MemberId};
use crate::base::secret::Digest;
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::api_user::{ApiUser, ApiUserGroup, PERSONAL_DATA};
use crate::credential::issuer::{Ceiling, Issuer, SealingGeneration};
use crate::credential::key::MadeKey;
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::network::{ClientAddress, Networks};
use crate::credential::limits::permission::{Permission, Permissions};
use crate::credential::limits::{Interface, Limits};
use crate::credential::sealed::MadeSealed;
use crate::replication::record::{Credential, Record, Standing};
use crate::replication::refresh::AccountState;
use crate::replication::secret_check::ProvenSecret;
use crate::verify::verdict::Denial;

/// The facts of a request that the verification needs.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// IP address of the caller; `None` if no trustworthy source gives it.
    pub address: Option<ClientAddress>,
    /// Interface by which the request arrived.
    pub interface: Interface,
    /// Permission that the request needs. A caller must name [`Demand::AnyKey`] explicitly; there
    /// is no default.
    pub demand: Demand<'a>,
    /// `true` if the request may change something. Only an API user's group depends on it.
    pub may_change: bool,
}

/// The permission that a credential must hold.
#[derive(Clone, Copy, Debug)]
pub enum Demand<'a> {
    /// Any valid key is enough.
    AnyKey,
    /// The key must hold this permission.
    Permission(&'a Permission),
}

impl Facts<'_> {
    /// Returns `true` if the networks and permissions allow the request.
    pub fn are_within(&self, networks: &Networks, permissions: &Permissions) -> bool {
        networks.allows(self.address) && self.is_granted(permissions)
    }

    fn is_granted(&self, permissions: &Permissions) -> bool {
        match self.demand {
            Demand::AnyKey => true,
            Demand::Permission(permission) => permissions.grants(permission),
        }
    }

    /// Returns `true` if the group of an API user allows the request.
    fn is_allowed_to(&self, user: &ApiUser, permissions: &Permissions) -> bool {
        let is_of_group = match user.group {
            ApiUserGroup::Admin => true,
            ApiUserGroup::Normal => !self.may_change,
        };
        let is_named = match self.demand {
            Demand::AnyKey => false,
            Demand::Permission(demanded) => {
                demanded.is_reserved() || demanded.resource() == PERSONAL_DATA
            }
        };
        is_of_group && (!is_named || self.is_granted(permissions))
    }
}

/// The data of a key that passes every check. It proves nothing about the caller.
#[derive(Clone, Debug)]
pub struct Valid {
    /// ID of the key.
    pub key: AnyKeyId,
    /// Permissions of the key, within its issuer's ceiling.
    pub permissions: Permissions,
    /// Effective end of the key: the earliest bound of the key and its issuer.
    pub expires: Expiry,
    /// Effective begin of the key, the latest of the key and its issuer, Unix ms; `None` if neither
    /// has one.
    pub not_before: Option<UnixMs>,
    /// Issuer of the key; `None` if a member issued it.
    pub issuer: Option<Issuer>,
    /// Time at which that issuer issued the key, Unix ms; `None` if a member issued it.
    pub issued_at: Option<UnixMs>,
    /// Settings of an API user; `None` for a key.
    pub user: Option<ApiUser>,
}

/// Proof that a key was verified. Only [`verify`], [`verify_sealed`] and [`verify_user`] create
/// one, so code that needs it cannot be reached without a verification.
#[derive(Clone, Debug)]
pub struct Verified {
    valid: Valid,
    is_operator: bool,
}

impl Verified {
    /// Returns the account that the request acts for.
    pub fn account(&self) -> AccountId {
        self.valid.key.account()
    }

    /// Returns the ID of the key.
    pub fn key(&self) -> AnyKeyId {
        self.valid.key
    }

    /// Returns the permissions of the key.
    pub fn permissions(&self) -> &Permissions {
        &self.valid.permissions
    }

    /// Returns the settings of the API user; `None` for a key.
    pub fn user(&self) -> Option<&ApiUser> {
        self.valid.user.as_ref()
    }

    /// Returns `true` if the key belongs to the operator's account.
    pub fn is_operator(&self) -> bool {
        self.is_operator
    }
}

impl From<Verified> for Valid {
    fn from(verified: Verified) -> Self {
        verified.valid
    }
}

/// The edge's data about a key.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Record of the key; `None` if the ledger knows no such key, or if the key is sealed.
    pub record: Option<&'a Record>,
    /// Record of the key that issued it; `None` if none did, or if the ledger knows no such key.
    pub issuer: Option<&'a Record>,
    /// State of the account as a whole.
    pub state: &'a AccountState,
}

/// Verifies the key `presented`.
///
/// # Errors
/// The first reason that applies, in the order of [`Denial`]. Only a caller with the right secret
/// gets a reason after `Unknown`.
pub fn verify(
    presented: &MadeKey,
    known: Known<'_>,
    facts: &Facts<'_>,
    now: UnixMs,
) -> Result<Verified, Denial> {
    let valid = judge(presented.id(), Some(presented.digest()), known, facts, now)?;
    Ok(Verified { valid, is_operator: known.state.operator })
}

/// Verifies the API user whose secret the name object has found right.
///
/// # Errors
/// The first reason that applies, in the order of [`Denial`]. It is [`Denial::Unknown`] if the
/// secret's version is not the record's.
pub fn verify_user(
    proven: &ProvenSecret,
    known: Known<'_>,
    facts: &Facts<'_>,
    now: UnixMs,
) -> Result<Verified, Denial> {
    let record = known.record.filter(|record| record.id == proven.id).ok_or(Denial::Unknown)?;
    let (Standing::Active(credential) | Standing::Disabled(credential)) = &record.standing else {
        return Err(Denial::Unknown);
    };
    let is_its_secret = |user: &&ApiUser| user.name == proven.name && user.secret == proven.version;
    let user = credential.user.as_ref().filter(is_its_secret).ok_or(Denial::Unknown)?;
    let is_enabled = matches!(record.standing, Standing::Active(_));
    let valid = terms_of(record.id, credential, is_enabled, Some(user)).judge(
        None,
        known.state,
        facts,
        now,
    )?;
    // A name and secret that a person chose grant nothing over other accounts.
    Ok(Verified { valid, is_operator: false })
}

/// Verifies a presented sealed key.
///
/// # Errors
/// The first reason that applies, in the order of [`Denial`].
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
    let followed = follow(claims.issuer, claims.id.generation(), claims.is_token, &known)
        .ok_or(Denial::Unknown)?;
    let terms = IssuedTerms {
        key: AnyKeyId::Sealed(claims.id),
        is_enabled: true,
        not_before: None,
        expires: Expiry::At(claims.expires_at),
        networks: &claims.networks,
        // A sealed key is valid for its issuer's interfaces.
        interfaces: followed.interfaces(),
        permissions: &claims.permissions,
        member: None,
        user: None,
    };
    let valid = terms.judge(Some((followed, claims.issued_at)), known.state, facts, now)?;
    // A sealed key never holds a reserved permission, so it needs no rights over other accounts.
    Ok(Verified { valid, is_operator: false })
}

/// Returns what [`verify`] would return to the holder of the key's secret. It is only for
/// verifiers; any other caller would learn too much.
///
/// # Errors
/// The first reason that applies, in the order of [`Denial`].
pub fn examine(
    id: KeyId,
    known: Known<'_>,
    facts: &Facts<'_>,
    now: UnixMs,
) -> Result<Valid, Denial> {
    judge(id, None, known, facts, now)
}

/// Decides about a stored key. `digest` is the digest of the presented secret; `None` for a check
/// by ID.
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
    // `Digest` compares in constant time. No key's text stands for an API user.
    let is_wrong = |digest: &Digest| credential.digest != *digest || credential.user.is_some();
    if digest.is_some_and(is_wrong) {
        return Err(Denial::Unknown);
    }
    let followed = match &credential.issued {
        None => None,
        Some(issued) => {
            let followed = follow(issued.by, issued.generation, false, &known);
            Some((followed.ok_or(Denial::Unknown)?, issued.at))
        }
    };
    terms_of(record.id, credential, enabled, credential.user.as_ref()).judge(
        followed,
        known.state,
        facts,
        now,
    )
}

fn terms_of<'a>(
    id: KeyId,
    credential: &'a Credential,
    is_enabled: bool,
    user: Option<&'a ApiUser>,
) -> IssuedTerms<'a> {
    let limits = &credential.limits;
    IssuedTerms {
        key: AnyKeyId::Key(id),
        is_enabled,
        not_before: limits.not_before,
        expires: limits.expires,
        networks: &limits.networks,
        interfaces: &limits.interfaces,
        permissions: &limits.permissions,
        member: credential.member,
        user,
    }
}

/// The key's own limits, from its record or its claims.
struct IssuedTerms<'a> {
    key: AnyKeyId,
    is_enabled: bool,
    not_before: Option<UnixMs>,
    expires: Expiry,
    networks: &'a Networks,
    interfaces: &'a [Interface],
    permissions: &'a Permissions,
    /// Member whose MFA the key depends on.
    member: Option<MemberId>,
    user: Option<&'a ApiUser>,
}

/// The bounds that an issuer sets on a key that it issued, or on its token.
#[derive(Clone, Copy)]
struct Followed<'a> {
    issuer: Issuer,
    permissions: &'a Permissions,
    networks: &'a Networks,
    longest: Option<DurationMs>,
    is_enabled: bool,
    /// Limits of the issuing key itself; `None` for the service password, which has none.
    limits: Option<&'a Limits>,
    /// Member whose MFA the issuer depends on, and with it all that it issued.
    member: Option<MemberId>,
}

/// Interfaces of a key that the service password issued.
const SERVICE_INTERFACES: &[Interface] = &[Interface::Http];

impl<'a> Followed<'a> {
    fn interfaces(&self) -> &'a [Interface] {
        self.limits.map_or(SERVICE_INTERFACES, |limits| &limits.interfaces)
    }
}

/// Returns the issuer of a key that was issued in the sealing generation `generation`; `None` if
/// the key follows no valid issuer. A token is bounded by the limits of its issuer, any other key
/// by the issuer's ceiling.
fn follow<'a>(
    issuer: Issuer,
    generation: SealingGeneration,
    is_token: bool,
    known: &Known<'a>,
) -> Option<Followed<'a>> {
    let id = match issuer {
        Issuer::Service => {
            let issuing = &known.state.service.as_ref()?.issuing;
            let Ceiling { permissions, networks, longest } = &issuing.ceiling;
            let longest = *longest;
            let is_current = issuing.generation == generation && !is_token;
            return is_current.then_some(Followed {
                issuer,
                permissions,
                networks,
                longest,
                is_enabled: true,
                limits: None,
                member: None,
            });
        }
        Issuer::Key(id) => id,
    };
    let record = known.issuer.filter(|record| record.id == id)?;
    let (credential, is_enabled) = match &record.standing {
        Standing::Active(credential) => (credential, true),
        Standing::Disabled(credential) => (credential, false),
        Standing::Deleted => return None,
    };
    let present = credential.generation(is_token)?;
    // Disabling raises the generation by one. So a disabled issuer's present keys carry the number
    // before, and any lower number was already dead.
    let is_current = present == if is_enabled { generation } else { generation.next() };
    let limits = &credential.limits;
    let (permissions, networks, longest) = if is_token {
        (&limits.permissions, &limits.networks, None)
    } else {
        let Ceiling { permissions, networks, longest } = &credential.issuing.as_ref()?.ceiling;
        (permissions, networks, *longest)
    };
    let (limits, member) = (Some(limits), credential.member);
    let followed = Followed { issuer, permissions, networks, longest, is_enabled, limits, member };
    (is_current && credential.issued.is_none()).then_some(followed)
}

impl IssuedTerms<'_> {
    /// Returns the verdict; `followed` is the issuer and the time of issue.
    fn judge(
        &self,
        followed: Option<(Followed<'_>, UnixMs)>,
        state: &AccountState,
        facts: &Facts<'_>,
        now: UnixMs,
    ) -> Result<Valid, Denial> {
        let (issuer, issued_at) = followed.unzip();
        let issuers_limits = issuer.and_then(|issuer| issuer.limits);
        if !self.is_enabled || issuer.is_some_and(|issuer| !issuer.is_enabled) {
            return Err(if self.user.is_some() { Denial::Locked } else { Denial::Disabled });
        }
        if state.suspended {
            return Err(Denial::AccountSuspended);
        }
        let lacks_mfa = |member: Option<MemberId>| member.is_some_and(|id| !state.has_mfa(id));
        if lacks_mfa(self.member) || lacks_mfa(issuer.and_then(|issuer| issuer.member)) {
            return Err(Denial::MfaOff);
        }
        let not_before = self.not_before.max(issuers_limits.and_then(|limits| limits.not_before));
        if not_before.is_some_and(|start| now < start) {
            return Err(Denial::NotYetValid);
        }
        let longest = issuer.and_then(|issuer| issuer.longest).zip(issued_at);
        let longest =
            longest.map_or(Expiry::Never, |(longest, at)| Expiry::At(at.saturating_add(longest)));
        let issuers_end = issuers_limits.map_or(Expiry::Never, |limits| limits.expires);
        let expires = self.expires.earlier(longest).earlier(issuers_end);
        if expires.is_past(now) {
            return Err(Denial::Expired);
        }
        let is_allowed = |networks: &Networks| networks.allows(facts.address);
        if !state.opens(facts.interface, facts.address)
            || !is_allowed(self.networks)
            || issuer.is_some_and(|issuer| !is_allowed(issuer.networks))
        {
            return Err(Denial::NetworkDenied);
        }
        let is_for = |interfaces: &[Interface]| interfaces.contains(&facts.interface);
        if !is_for(self.interfaces) || issuer.is_some_and(|issuer| !is_for(issuer.interfaces())) {
            return Err(Denial::InterfaceDenied);
        }
        let permissions = match issuer {
            None => Cow::Borrowed(self.permissions),
            Some(issuer) => Cow::Owned(self.permissions.within(issuer.permissions)),
        };
        let is_granted = match self.user {
            Some(user) => facts.is_allowed_to(user, &permissions),
            None => facts.is_granted(&permissions),
        };
        if !is_granted {
            return Err(Denial::PermissionDenied);
        }
        let permissions = permissions.into_owned();
        let issuer = issuer.map(|issuer| issuer.issuer);
        let user = self.user.cloned();
        Ok(Valid { key: self.key, permissions, expires, not_before, issuer, issued_at, user })
    }
}

#[cfg(test)]
mod tests;
