//! Who may issue: the credentials of the issuance API, checked like any other, and then confirmed
//! by the ledger.
//!
//! **An edge issues only on its ledger's word of after the request arrived**, whatever T is. What
//! is issued carries the issuer's sealing generation, and only the present one is valid. An edge
//! that went by its lease could not know of a rise less than T ago: what it issued would be refused
//! elsewhere (P2), and nothing could tell it from what had been issued before the rise, which must
//! stay dead. So
//! - what the lease refuses is refused at once: guessing costs a ledger nothing;
//! - what it lets through is asked about, once for each issue, without a look at KV or a
//!   neighbour's reply;
//! - where the ledger is out of reach nothing is issued. Only
//!   [`Outage::Grace`](crate::config::terms::Outage) lets an edge issue by what it knows, as it
//!   lets it verify; what it issues then may be refused by whoever knows more.

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
use crate::gateway::resolve::{Knowledge, Lack, Presented};
use crate::lease::call::{Lookup, Need};
use crate::lease::rules::Rules;
use crate::replication::record::{Credential, Standing};
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts, verify, verify_sealed};

/// What came of the credentials.
#[derive(Debug)]
pub enum Authorisation {
    /// An issuer, or why it is none; and whose lease to [renew](Gateway::renew) meanwhile.
    Decided(Box<Result<Authority, Refused>>, Option<AccountId>),
    /// First find this out.
    Need(Need),
    /// First ask the admin Worker whether this edge fits it, and tell [`Gateway::take_fit`].
    AskAdmin,
}

impl Authorisation {
    fn decided(authority: Result<Authority, Refused>, renew: Option<AccountId>) -> Self {
        Self::Decided(Box::new(authority), renew)
    }

    fn lacking(lack: Lack) -> Self {
        match lack {
            Lack::Need(need) => Self::Need(need),
            Lack::OutOfReach => Self::decided(Err(Refused::Unavailable), None),
        }
    }
}

impl<R: Rules> Gateway<R> {
    /// What `Authorization` alone refuses of who wants to issue: for a key that Claviger never made
    /// nobody waits for a body.
    ///
    /// # Errors
    /// [`Refused::Ambiguous`], [`Refused::Issuer`].
    pub fn check_issuer(&self, request: &Request<'_>) -> Result<(), Refused> {
        match presented(request, &self.config)? {
            Some(text) => match self.made(text.expose(), request.arrived) {
                // Before the admin Worker has said that both fit, nothing is called made up.
                Err(Denial::Unknown) if self.fit.wants_word(request.arrived) => Ok(()),
                made => made.map(|_| ()).map_err(Refused::Issuer),
            },
            None => Ok(()),
        }
    }

    /// Checks the credentials of who wants to issue. A right key that is presented here counts as
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
                Err(Denial::Unknown) if self.fit.refuses(now) => {
                    Authorisation::decided(Err(Refused::Unavailable), None)
                }
                Err(denial) => Authorisation::decided(Err(Refused::Issuer(denial)), None),
                Ok(Presented::Sealed(made)) => {
                    let known = match self.known_of_sealed(&made, arrival, now, lookup) {
                        Ok(known) => known,
                        Err(lack) => return Authorisation::lacking(lack),
                    };
                    // What could not even be used is told first.
                    let verdict = verify_sealed(&made, known.borrow(), &facts, arrival);
                    let refused = verdict.map_or_else(Refused::Issuer, |_| Refused::Issued);
                    Authorisation::decided(Err(refused), known.renew())
                }
                Ok(Presented::Key(made)) => {
                    let need = Need::Ledger(made.id());
                    let known = match self.known_of(made.id(), arrival, now, lookup) {
                        Ok(known) => known,
                        Err(lack) => {
                            let lack = self.without_shelves(lack, need, (arrival, now), lookup);
                            return Authorisation::lacking(lack);
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
                        && let Some(lack) = self.unconfirmed(need, (arrival, now), lookup)
                    {
                        return Authorisation::lacking(lack);
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
        let need = Need::State(account);
        let known = match self.known_of_account(account, arrival, now, lookup) {
            Ok(known) => known,
            Err(lack) => {
                return Authorisation::lacking(self.without_shelves(
                    lack,
                    need,
                    (arrival, now),
                    lookup,
                ));
            }
        };
        let state = known.borrow().state;
        // In constant time: see `Digest`.
        let service = state.service.as_ref().filter(|service| service.digest == digest);
        if service.is_none()
            && let Some(lack) = self.doubt_password(account, &known, arrival, now, lookup)
        {
            return Authorisation::lacking(lack);
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
            && let Some(lack) = self.unconfirmed(need, (arrival, now), lookup)
        {
            return Authorisation::lacking(lack);
        }
        Authorisation::decided(authority, known.renew())
    }

    /// What is lacking before who may issue by what the lease knows does issue; `None`: nothing.
    fn unconfirmed(
        &mut self,
        need: Need,
        (arrival, now): (UnixMs, UnixMs),
        lookup: &Lookup,
    ) -> Option<Lack> {
        if R::may_issue(lookup.has_heard(need)) {
            return None;
        }
        match self.ask_all_the_same(need, arrival, now, lookup) {
            Lack::OutOfReach if self.config.terms.outage.grace().is_some() => None,
            lack => Some(lack),
        }
    }

    /// Who issues waits for the ledger in any case: no copy spares it the call, while it can be
    /// made.
    fn without_shelves(
        &mut self,
        lack: Lack,
        need: Need,
        (arrival, now): (UnixMs, UnixMs),
        lookup: &Lookup,
    ) -> Lack {
        match lack {
            Lack::Need(Need::Kv(_) | Need::Copy(..))
                if !lookup.has_failed() && !lookup.has_heard(need) =>
            {
                match self.ask_all_the_same(need, arrival, now, lookup) {
                    Lack::OutOfReach => lack,
                    ask => ask,
                }
            }
            lack => lack,
        }
    }
}

/// What a key that is valid may issue.
fn authority(
    known: &Knowledge,
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
