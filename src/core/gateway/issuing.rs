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
//! - the edge issues nothing while the ledger is out of reach. Only
//!   [`Outage::Grace`](crate::config::terms::Outage) lets it issue by its lease, as it lets it
//!   verify. A better-informed edge may refuse such a key.

use crate::base::http::request::Request;
use crate::base::id::AccountId;
use crate::base::secret::Digest;
use crate::base::time::UnixMs;
use crate::credential::grant::IssuerProof;
use crate::credential::issuer::Issuer;
use crate::credential::limits::Interface;
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::network::ClientAddress;
use crate::gateway::gateway::Gateway;
use crate::gateway::issuance::{Authority, Credentials, Refused, presented};
use crate::gateway::resolve::{Missing, Presented, ResolvedKey};
use crate::lease::call::{Fetch, Lookup};
use crate::lease::rules::Rules;
use crate::replication::record::{Credential, Standing};
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts, verify, verify_sealed};

/// The result of checking an issuer's credentials.
#[derive(Debug)]
pub enum Authorisation {
    /// An issuer or a refusal, and an account whose lease to [refresh](Gateway::renew) in the
    /// background.
    Decided(Box<Result<Authority, Refused>>, Option<AccountId>),
    /// The I/O that is needed first.
    Fetch(Fetch),
    /// Ask the admin Worker first whether both Workers fit, and pass its answer to
    /// [`Gateway::take_fit`].
    AskAdmin,
}

impl Authorisation {
    fn decided(authority: Result<Authority, Refused>, renew: Option<AccountId>) -> Self {
        Self::Decided(Box::new(authority), renew)
    }

    fn lacking(missing: Missing) -> Self {
        match missing {
            Missing::Fetch(need) => Self::Fetch(need),
            Missing::OutOfReach => Self::decided(Err(Refused::Unavailable), None),
        }
    }
}

impl<R: Rules> Gateway<R> {
    /// Checks `Authorization` alone, so that the edge does not wait for a body if Claviger never
    /// made the key.
    ///
    /// # Errors
    /// [`Refused::Ambiguous`] if there are several keys, [`Refused::Issuer`] if the text of the key
    /// is refused.
    pub fn check_issuer(&self, request: &Request<'_>) -> Result<(), Refused> {
        match presented(request, &self.config)? {
            Some(text) => match self.made(text.expose(), request.arrived) {
                // Until the admin Worker has confirmed that both fit, no credential counts as made
                // up.
                Err(Denial::Unknown)
                    if self.wants_word(request.arrived) || self.is_unsure(request.arrived) =>
                {
                    Ok(())
                }
                made => made.map(|_| ()).map_err(Refused::Issuer),
            },
            None => Ok(()),
        }
    }

    /// Checks the credentials of a caller that wants to issue. A valid key presented here counts as
    /// used.
    pub fn authorise_issue(
        &mut self,
        credentials: &Credentials,
        address: Option<ClientAddress>,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Authorisation {
        let facts = Facts { address, interface: Interface::Http, demand: Demand::AnyKey };
        match credentials {
            Credentials::Service { account, digest } => {
                self.authorise_service(*account, *digest, arrival, now, lookup)
            }
            Credentials::Key(text) => match self.made(text.expose(), arrival) {
                Err(Denial::Unknown) if self.fit.wants_word(now) => Authorisation::AskAdmin,
                Err(Denial::Unknown) if self.is_unsure(now) => {
                    Authorisation::decided(Err(Refused::Unavailable), None)
                }
                Err(denial) => Authorisation::decided(Err(Refused::Issuer(denial)), None),
                Ok(Presented::Sealed(made)) => {
                    let known = match self.known_of_sealed(&made, arrival, now, lookup) {
                        Ok(known) => known,
                        Err(missing) => return Authorisation::lacking(missing),
                    };
                    // A verdict against the sealed key itself is more useful to the caller, so it
                    // comes first.
                    let verdict = verify_sealed(&made, known.borrow(), &facts, arrival);
                    let refused = verdict.map_or_else(Refused::Issuer, |_| Refused::Issued);
                    Authorisation::decided(Err(refused), known.renew())
                }
                Ok(Presented::Key(made)) => {
                    let need = Fetch::Ledger(made.id());
                    let known = match self.known_of(made.id(), arrival, now, lookup) {
                        Ok(known) => known,
                        Err(missing) => {
                            let missing =
                                self.without_copies(missing, need, (arrival, now), lookup);
                            return Authorisation::lacking(missing);
                        }
                    };
                    let verdict = verify(&made, known.borrow(), &facts, arrival);
                    let proof =
                        IssuerProof { issuer: Issuer::Key(made.id()), digest: *made.digest() };
                    let authority = match &verdict {
                        Ok(_) => authority(&known, made.id().account(), proof),
                        Err(denial) => Err(Refused::Issuer(*denial)),
                    };
                    if authority.is_ok()
                        && let Some(missing) = self.unconfirmed(need, (arrival, now), lookup)
                    {
                        return Authorisation::lacking(missing);
                    }
                    self.count(made.id(), &verdict, known.is_counted, &facts, now);
                    Authorisation::decided(authority, known.renew())
                }
            },
        }
    }

    fn authorise_service(
        &mut self,
        account: AccountId,
        digest: Digest,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Authorisation {
        let need = Fetch::State(account);
        let known = match self.known_of_account(account, arrival, now, lookup) {
            Ok(known) => known,
            Err(missing) => {
                return Authorisation::lacking(self.without_copies(
                    missing,
                    need,
                    (arrival, now),
                    lookup,
                ));
            }
        };
        let state = known.borrow().state;
        // `Digest` compares in constant time.
        let service = state.service.as_ref().filter(|service| service.digest == digest);
        if service.is_none()
            && let Some(missing) = self.recheck_password(account, &known, arrival, now, lookup)
        {
            return Authorisation::lacking(missing);
        }
        let authority = match service {
            None => Err(Refused::UnknownService),
            Some(_) if state.suspended => Err(Refused::Issuer(Denial::AccountSuspended)),
            Some(service) => Ok(Authority {
                account,
                proof: IssuerProof { issuer: Issuer::Service, digest },
                issuing: service.issuing.clone(),
                expires: Expiry::Never,
            }),
        };
        if authority.is_ok()
            && let Some(missing) = self.unconfirmed(need, (arrival, now), lookup)
        {
            return Authorisation::lacking(missing);
        }
        Authorisation::decided(authority, known.renew())
    }

    /// Returns what to fetch before a caller may issue whom the lease accepts; `None` if it may
    /// issue now.
    fn unconfirmed(
        &mut self,
        need: Fetch,
        (arrival, now): (UnixMs, UnixMs),
        lookup: &Lookup,
    ) -> Option<Missing> {
        if R::may_issue(lookup.is_answered(need)) {
            return None;
        }
        match self.ask_despite_lease(need, arrival, now, lookup) {
            Missing::OutOfReach if self.config.terms.outage.grace().is_some() => None,
            missing => Some(missing),
        }
    }

    /// Replaces a read of KV or a copy by a ledger call, while that call is possible. An issue
    /// waits for the ledger anyway, so a copy would save nothing.
    fn without_copies(
        &mut self,
        missing: Missing,
        need: Fetch,
        (arrival, now): (UnixMs, UnixMs),
        lookup: &Lookup,
    ) -> Missing {
        match missing {
            Missing::Fetch(Fetch::Kv(_) | Fetch::Copy(..))
                if !lookup.has_failed() && !lookup.is_answered(need) =>
            {
                match self.ask_despite_lease(need, arrival, now, lookup) {
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
) -> Result<Authority, Refused> {
    let Some(Standing::Active(Credential { issuing, issued, limits, .. })) =
        known.borrow().record.map(|record| &record.standing)
    else {
        return Err(Refused::NotIssuable);
    };
    if issued.is_some() {
        return Err(Refused::Issued);
    }
    let issuing = issuing.clone().ok_or(Refused::NotIssuable)?;
    Ok(Authority { account, proof, issuing, expires: limits.expires })
}
