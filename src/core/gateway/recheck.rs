//! Doubts: what an issued key tells of its issuer before the lease does.
//!
//! A key whose issue was answered is valid everywhere at once (P2). An isolate whose lease is older
//! than the issue may know its issuer as it was before: another service password or none, disabled,
//! not issuable yet, with a lower ceiling. What an issued key says is authentic (a sealed key's
//! claims are under a MAC, a stored key's record is the ledger's own), so that before it is refused
//! the ledger is asked
//! - where it names a higher sealing generation of its issuer than the lease knows, or an issuer
//!   that the lease knows nothing of;
//! - where it was issued later than what the lease knows, less [`SKEW`] for the clock of who issued
//!   it.
//!
//! That is once for an issuer and generation, and once for each key that was issued later than all
//! that were asked about: an old key, or the same again and again, costs nothing more. What was
//! asked is remembered for [`ISSUERS_MAX`] issuers, whatever becomes of the leases.
//!
//! A wrong service password may be the one that came after the one that the lease knows. It is
//! asked about once per account and [`PASSWORD_PAUSE`]: whoever guesses cannot hammer a ledger. A
//! password that was changed less than that ago may meanwhile be refused.

use std::collections::HashMap;

use crate::base::id::AccountId;
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::issuer::{Issuer, SealingGeneration};
use crate::credential::sealed::MadeSealed;
use crate::gateway::gateway::Gateway;
use crate::gateway::resolve::{Knowledge, Lack};
use crate::lease::call::{Basis, Found, Lookup, Need};
use crate::lease::lease::DOCUMENT_LIFE;
use crate::lease::rules::Rules;
use crate::replication::record::{Record, Standing};
use crate::replication::shared::SKEW;
use crate::verify::verdict::Denial;
use crate::verify::verification::Facts;

/// Most issuers that are remembered; of one that gives way the next key is asked about again. About
/// 60 bytes each.
const ISSUERS_MAX: usize = 1_024;

/// Most accounts whose passwords are asked about at a time: as many as there are leases.
const PASSWORDS_MAX: usize = 256;

/// How long nobody asks about another password of an account.
const PASSWORD_PAUSE: DurationMs = DurationMs::from_s(1);

/// What an issued key says of its issue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Issue {
    account: AccountId,
    /// By whom.
    pub(super) issuer: Issuer,
    /// The issuer's sealing generation then.
    pub(super) generation: SealingGeneration,
    /// When.
    at: UnixMs,
}

impl Issue {
    /// Of a sealed key; `None`: it is refused by its own claims, whatever its issuer is.
    pub(super) fn of_sealed(made: &MadeSealed, facts: &Facts<'_>, arrival: UnixMs) -> Option<Self> {
        let claims = made.claims();
        let is_over = claims.expires_at <= arrival;
        let would_do = !is_over && facts.are_within(&claims.networks, &claims.permissions);
        would_do.then_some(Self {
            account: made.account(),
            issuer: claims.issuer,
            generation: claims.id.generation(),
            at: claims.issued_at,
        })
    }

    /// Of a stored key; `None`: no issuer issued it, or it is refused whatever its issuer is.
    pub(super) fn of_stored(record: &Record, facts: &Facts<'_>, arrival: UnixMs) -> Option<Self> {
        let Standing::Active(credential) = &record.standing else { return None };
        let limits = &credential.limits;
        let would_do = !limits.expires.is_past(arrival)
            && facts.are_within(&limits.networks, &limits.permissions);
        let issued = credential.issued.filter(|_| would_do)?;
        let (account, issuer) = (record.id.account(), issued.by);
        Some(Self { account, issuer, generation: issued.generation, at: issued.at })
    }

    fn need(&self) -> Need {
        match self.issuer {
            Issuer::Key(id) => Need::Issuer(id),
            Issuer::Service => Need::State(self.account),
        }
    }
}

/// What was asked already.
#[derive(Debug)]
pub(super) struct Doubts {
    issuers: HashMap<(AccountId, Issuer), Asked>,
    passwords: HashMap<AccountId, UnixMs>,
    /// The latest time seen.
    latest: UnixMs,
}

/// What was asked of one issuer.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// The highest generation that a key named.
    generation: SealingGeneration,
    /// The latest issue of a key.
    issued: UnixMs,
    /// When it was asked last.
    at: UnixMs,
}

impl Doubts {
    pub(super) fn new() -> Self {
        Self {
            issuers: HashMap::new(),
            passwords: HashMap::new(),
            latest: UnixMs::from_ms(i64::MIN),
        }
    }

    /// Whether nobody has asked yet what a key of this issue makes doubtful.
    fn is_open(&self, issue: &Issue, known: &Knowledge) -> bool {
        let asked = self.issuers.get(&(issue.account, issue.issuer));
        let is_before = known.is_before(issue.issuer, issue.generation);
        let slack = match known.basis() {
            Basis::Ledger => SKEW,
            // When it was read says nothing about its age.
            Basis::Document => DOCUMENT_LIFE,
        };
        let is_late = issue.at.saturating_add(slack) > known.as_of();
        let is_new_generation =
            is_before && asked.is_none_or(|asked| asked.generation < issue.generation);
        is_new_generation || (is_late && asked.is_none_or(|asked| asked.issued < issue.at))
    }

    /// Notes that the ledger has answered for a key of this issue.
    fn note(&mut self, issue: &Issue, now: UnixMs) {
        self.observe(now);
        let place = (issue.account, issue.issuer);
        if self.issuers.len() >= ISSUERS_MAX && !self.issuers.contains_key(&place) {
            let oldest =
                self.issuers.iter().min_by_key(|(_, asked)| asked.at).map(|(place, _)| *place);
            oldest.map(|place| self.issuers.remove(&place));
        }
        let fresh = Asked { generation: issue.generation, issued: issue.at, at: now };
        let asked = self.issuers.entry(place).or_insert(fresh);
        asked.generation = asked.generation.max(issue.generation);
        asked.issued = asked.issued.max(issue.at);
        asked.at = now;
    }

    /// Whether another password of the account may be asked about. If so, it is taken for asked.
    fn may_ask_password(&mut self, account: AccountId, now: UnixMs) -> bool {
        self.observe(now);
        self.passwords.retain(|_, at| now.since(*at).is_some_and(|age| age < PASSWORD_PAUSE));
        let may_ask =
            self.passwords.len() < PASSWORDS_MAX && !self.passwords.contains_key(&account);
        if may_ask {
            self.passwords.insert(account, now);
        }
        may_ask
    }

    /// Forgets everything when time goes back: what was issued by the wrong clock would keep later
    /// keys from being asked about.
    fn observe(&mut self, now: UnixMs) {
        if now < self.latest {
            self.issuers.clear();
            self.passwords.clear();
        }
        self.latest = now;
    }
}

impl<R: Rules> Gateway<R> {
    /// What is lacking before a key of this issue may be refused; `None`: nothing.
    pub(super) fn doubt(
        &mut self,
        issue: &Issue,
        known: &Knowledge,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Option<Lack> {
        if lookup.has_heard(issue.need()) {
            self.doubts.note(issue, now);
            return None;
        }
        if !self.doubts.is_open(issue, known) {
            return None;
        }
        Some(self.ask_all_the_same(issue.need(), arrival, now, lookup))
    }

    /// The same for a key with this verdict, which is stored.
    pub(super) fn doubt_stored<V>(
        &mut self,
        verdict: &Result<V, Denial>,
        known: &Knowledge,
        (facts, arrival): (&Facts<'_>, UnixMs),
        now: UnixMs,
        lookup: &Lookup,
    ) -> Option<Lack> {
        let record = known.record().filter(|_| verdict.is_err())?;
        self.doubt(&Issue::of_stored(record, facts, arrival)?, known, arrival, now, lookup)
    }

    /// The same before a service password may be refused.
    pub(super) fn doubt_password(
        &mut self,
        account: AccountId,
        known: &Knowledge,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Option<Lack> {
        let need = Need::State(account);
        let is_old = !lookup.has_heard(need)
            && (known.as_of() < arrival || known.basis() == Basis::Document);
        // Who has asked in vain does not know more for it.
        let may_ask = is_old && (lookup.has_failed() || self.doubts.may_ask_password(account, now));
        may_ask.then(|| self.ask_all_the_same(need, arrival, now, lookup))
    }

    /// The ledger is to be asked although there is a lease that may be used.
    pub(super) fn ask_all_the_same(
        &mut self,
        need: Need,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Lack {
        match self.leases.ask_all_the_same(need, arrival, now, lookup) {
            Found::Need(need) => Lack::Need(need),
            Found::Finding(..) | Found::OutOfReach => Lack::OutOfReach,
        }
    }
}
