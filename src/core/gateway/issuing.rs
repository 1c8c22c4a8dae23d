//! Decides whether a caller of the issuance API may issue: it verifies the credentials like any
//! others, then confirms them with the ledger.
//!
//! **An edge issues only on an answer that the ledger gave after the request arrived**, at any T.
//! An issued key carries the issuer's sealing generation, and only the present generation is valid.
//! An edge that relied on its lease could miss a raise of the generation less than T ago. Other
//! edges would refuse its keys (P2). Nothing could tell these keys from keys issued before the
//! raise, which must stay dead. So
//! - the edge refuses at once whatever the lease refuses: guessing costs the ledger nothing;
//! - the edge asks the ledger about whatever the lease accepts, once per issue, and reads neither
//!   KV nor shared replies;
//! - the edge issues nothing while the ledger is out of reach. Under
//!   [`Outage::Grace`](crate::config::terms::Outage) it may issue from its lease, as it may verify
//!   from it. An edge with a newer lease may refuse such a key.

use crate::base::http::request::Request;
use crate::base::id::AccountId;
use crate::base::secret::Digest;
use crate::base::time::UnixMs;
use crate::credential::grant::IssuerProof;
use crate::credential::issuer::{Ceiling, Issuer, Issuing};
use crate::credential::limits::Interface;
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::network::{ClientAddress, Networks};
use crate::credential::sealed::MadeSealed;
use crate::gateway::check::Attempted;
use crate::gateway::gateway::Gateway;
use crate::gateway::issuance::{Authority, Credentials, Refused, presented};
use crate::gateway::oauth::{OAuthError, client_in_header};
use crate::gateway::presented::Presented;
use crate::gateway::resolve::{
    Attempt, Missing, ResolvedKey, ask_despite_lease, resolve_account, resolve_key, resolve_sealed,
};
use crate::lease::call::{Fetch, Lookup};
use crate::lease::rules::LeaseRules;
use crate::replication::record::Standing;
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts, verify, verify_sealed};

/// The reason for which a caller presents a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To issue keys within the limits of an issuer.
    Issue,
    /// To get a token of the key itself.
    Token,
    /// To revoke such a token. The ledger, which revokes it, checks the key again, so the edge does
    /// not ask it beforehand.
    Revoke,
}

/// The result of checking an issuer's credentials.
#[derive(Debug)]
pub struct Authorised {
    /// The issuer with its authority, or the refusal.
    pub authority: Result<Authority, Refused>,
    /// Account whose lease to refresh in the background.
    pub renew: Option<AccountId>,
}

/// One attempt to check an issuer's credentials.
pub type Authorisation = Attempted<Authorised>;

impl Authorisation {
    fn decided(authority: Result<Authority, Refused>, renew: Option<AccountId>) -> Self {
        Self::Decided(Authorised { authority, renew })
    }
}

impl From<Missing> for Authorisation {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Fetch(need) => Self::Fetch(need),
            Missing::OutOfReach => Self::decided(Err(Refused::Unavailable), None),
        }
    }
}

impl<R: LeaseRules> Gateway<R> {
    /// Checks `Authorization` alone, so that the edge does not wait for a body if Claviger never
    /// made the key.
    ///
    /// # Errors
    /// [`Refused::Ambiguous`] if there are several keys, [`Refused::Issuer`] if the text of the key
    /// is refused.
    pub fn check_issuer(&self, request: &Request<'_>) -> Result<(), Refused> {
        match presented(request, &self.config)? {
            Some(text) => self.check_text(text.expose(), request.arrived).map_err(Refused::Issuer),
            None => Ok(()),
        }
    }

    /// Checks the pair in `Authorization` alone, so that the edge does not wait for a body if
    /// Claviger never made the pair.
    ///
    /// # Errors
    /// Those of [`client_in_header`], and [`OAuthError::Client`] if the pair's text is refused.
    pub fn check_client(&self, request: &Request<'_>) -> Result<(), OAuthError> {
        match client_in_header(request, &self.config)? {
            Some(text) => Ok(self.check_text(text.expose(), request.arrived)?),
            None => Ok(()),
        }
    }

    /// Checks the text of a credential alone, as far as the edge may refuse it by its text.
    ///
    /// # Errors
    /// [`Denial::Malformed`] or [`Denial::Unknown`].
    pub(super) fn check_text(&self, text: &str, arrived: UnixMs) -> Result<(), Denial> {
        match Presented::authenticate(text, &self.config, arrived) {
            // Until the admin Worker has confirmed that both fit, no credential counts as made up.
            Err(_) if self.fit.must_confirm(arrived) || self.fit.is_unsure(arrived) => Ok(()),
            made => made.map(|_| ()),
        }
    }

    /// Checks the credentials of a caller that wants to issue. A valid key presented here counts as
    /// used. A service password is counted, whether it is right or wrong.
    pub fn authorise_issue(
        &mut self,
        credentials: &Credentials,
        address: Option<ClientAddress>,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Authorisation {
        let attempt = Attempt { arrival, now, lookup };
        match credentials {
            Credentials::Service { account, digest } => {
                self.authorise_service(*account, *digest, address, attempt)
            }
            Credentials::Key(text) => {
                self.authorise_key(text.expose(), Purpose::Issue, address, attempt)
            }
        }
    }

    /// Checks the key pair of an OAuth client, given as the text of its key. A valid key counts as
    /// used.
    pub fn authorise_client(
        &mut self,
        text: &str,
        purpose: Purpose,
        address: Option<ClientAddress>,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Authorisation {
        self.authorise_key(text, purpose, address, Attempt { arrival, now, lookup })
    }

    /// Returns the sealed key with this text, if Claviger sealed it. It may have ended since.
    pub fn made_sealed(&self, text: &str, now: UnixMs) -> Option<MadeSealed> {
        match Presented::authenticate(text, &self.config, now) {
            Ok(Presented::Sealed(made)) => Some(made),
            Ok(Presented::Key(_)) | Err(_) => None,
        }
    }

    fn authorise_key(
        &mut self,
        text: &str,
        purpose: Purpose,
        address: Option<ClientAddress>,
        attempt: Attempt<'_>,
    ) -> Authorisation {
        let Attempt { arrival, now, .. } = attempt;
        let facts = Facts {
            address,
            interface: Interface::Http,
            demand: Demand::AnyKey,
            may_change: false,
        };
        let made = match Presented::authenticate(text, &self.config, arrival) {
            Err(_) if self.fit.must_confirm(now) => return Authorisation::AskAdmin,
            Err(_) if self.fit.is_unsure(now) => {
                return Authorisation::decided(Err(Refused::Unavailable), None);
            }
            Err(denial) => return Authorisation::decided(Err(Refused::Issuer(denial)), None),
            Ok(Presented::Sealed(made)) => {
                let known = match resolve_sealed(&mut self.leases, &made, attempt) {
                    Ok(known) => known,
                    Err(missing) => return missing.into(),
                };
                // A verdict against the sealed key itself is more useful to the caller, so it
                // comes first.
                let verdict = verify_sealed(&made, known.borrow(), &facts, arrival);
                let refused = verdict.map_or_else(Refused::Issuer, |_| Refused::Issued);
                return Authorisation::decided(Err(refused), known.renew());
            }
            Ok(Presented::Key(made)) => made,
        };
        let need = Fetch::Ledger(made.id());
        let known = match resolve_key(&mut self.leases, made.id(), attempt) {
            Ok(known) => known,
            Err(missing) => {
                return self.without_copies(missing, need, attempt).into();
            }
        };
        let verdict = verify(&made, known.borrow(), &facts, arrival);
        let proof = IssuerProof { issuer: Issuer::Key(made.id()), digest: *made.digest() };
        let authority = match &verdict {
            Ok(_) => authority(&known, made.id().account(), proof, purpose),
            Err(denial) => Err(Refused::Issuer(*denial)),
        };
        if authority.is_ok()
            && purpose != Purpose::Revoke
            && let Some(missing) = self.unconfirmed(need, attempt)
        {
            return missing.into();
        }
        if verdict.err().is_none_or(Denial::is_of_a_known_key) {
            let outcome = authority.as_ref().map(|_| ()).map_err(Refused::code);
            self.leases.count_use(made.id(), outcome, address, now);
        }
        Authorisation::decided(authority, known.renew())
    }

    fn authorise_service(
        &mut self,
        account: AccountId,
        digest: Digest,
        address: Option<ClientAddress>,
        attempt: Attempt<'_>,
    ) -> Authorisation {
        let need = Fetch::State(account);
        let known = match resolve_account(&mut self.leases, account, attempt) {
            Ok(known) => known,
            Err(missing) => {
                return self.without_copies(missing, need, attempt).into();
            }
        };
        let state = known.borrow().state;
        // `Digest` compares in constant time.
        let service = state.service.as_ref().filter(|service| service.digest == digest);
        if service.is_none()
            && let Some(missing) =
                self.rechecks.recheck_password((account, digest), &known, &mut self.leases, attempt)
        {
            return missing.into();
        }
        let authority = match service {
            None => Err(Refused::UnknownService),
            Some(_) if state.suspended => Err(Refused::Issuer(Denial::AccountSuspended)),
            Some(_) if !state.opens(Interface::Http, address) => {
                Err(Refused::Issuer(Denial::NetworkDenied))
            }
            Some(service) => Ok(Authority {
                account,
                proof: IssuerProof { issuer: Issuer::Service, digest },
                issuing: service.issuing.clone(),
                expires: Expiry::Never,
                is_token: false,
            }),
        };
        if authority.is_ok()
            && let Some(missing) = self.unconfirmed(need, attempt)
        {
            return missing.into();
        }
        // The ledger records attempts with a wrong password.
        if authority.is_ok() || matches!(authority, Err(Refused::UnknownService)) {
            self.leases.count_service(account, authority.is_ok(), address, attempt.now);
        }
        Authorisation::decided(authority, known.renew())
    }

    /// Returns the call that must confirm an issuer, which the lease accepts, before it may issue.
    /// `None` if it may issue now: the call was answered, or it failed and `OUTAGE` grants a grace.
    fn unconfirmed(&mut self, need: Fetch, attempt: Attempt<'_>) -> Option<Missing> {
        if R::may_issue(attempt.lookup.is_answered(need)) {
            return None;
        }
        match ask_despite_lease(&mut self.leases, need, attempt) {
            Missing::OutOfReach if self.config.terms.outage.grace().is_some() => None,
            missing => Some(missing),
        }
    }

    /// Replaces a read of KV or a copy by a ledger call, while that call is possible. An issue
    /// waits for the ledger anyway, so a copy would save nothing.
    fn without_copies(&mut self, missing: Missing, need: Fetch, attempt: Attempt<'_>) -> Missing {
        let lookup = attempt.lookup;
        match missing {
            Missing::Fetch(Fetch::Kv(_) | Fetch::Copy(..))
                if !lookup.has_failed() && !lookup.is_answered(need) =>
            {
                match ask_despite_lease(&mut self.leases, need, attempt) {
                    Missing::OutOfReach => missing,
                    ask => ask,
                }
            }
            missing => missing,
        }
    }
}

/// Returns the authority of a valid key to issue.
fn authority(
    known: &ResolvedKey,
    account: AccountId,
    proof: IssuerProof,
    purpose: Purpose,
) -> Result<Authority, Refused> {
    let Some(Standing::Active(credential)) = known.borrow().record.map(|record| &record.standing)
    else {
        return Err(Refused::NotIssuable);
    };
    if credential.issued.is_some() {
        return Err(Refused::Issued);
    }
    let is_token = purpose != Purpose::Issue;
    let own = || {
        let permissions = credential.limits.permissions.unreserved();
        // The networks of the pair are checked at each use, so a token names none.
        let ceiling = Ceiling { permissions, networks: Networks::anywhere(), longest: None };
        Some(Issuing { generation: credential.generation(true)?, ceiling })
    };
    let issuing = if is_token { own() } else { credential.issuing.clone() };
    let issuing = issuing.ok_or(Refused::NotIssuable)?;
    Ok(Authority { account, proof, issuing, expires: credential.limits.expires, is_token })
}
