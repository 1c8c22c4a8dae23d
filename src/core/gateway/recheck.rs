//! Rechecks a refusal with the ledger if the key itself shows that the lease may be stale about its
//! issuer.
//!
//! Once an issue was answered, its key is valid everywhere at once (P2). A lease older than the
//! issue may show the issuer in an earlier state: with another service password or none, disabled,
//! not yet issuable, or with a lower ceiling. The data in an issued key is authentic: a MAC covers
//! the claims of a sealed key, and the ledger itself wrote the record of a stored key. So before
//! the edge refuses such a key, it asks the ledger in two cases:
//! - The key names a higher sealing generation of its issuer than the lease knows, or an issuer
//!   that the lease does not know.
//! - The key was issued later than the lease's `as_of`, less [`SKEW`] for the clock of the isolate
//!   that issued it.
//!
//! The edge asks once per issuer and generation, and once for each key that was issued later than
//! every key it has asked about before. So an old key, or the same key again and again, causes no
//! further call. The edge remembers this for [`ISSUERS_MAX`] issuers, even when their leases end.
//!
//! A service password that seems wrong may be newer than the lease. The edge asks about it at most
//! once per account and [`PASSWORD_PAUSE`], so that guessing cannot flood a ledger. During that
//! pause, it may refuse a password that has just been changed. The last password that the ledger
//! refused is remembered for [`PASSWORD_MEMORY`]: passwords are drawn, so a former one stays wrong.

use std::collections::HashMap;

use crate::base::id::AccountId;
use crate::base::secret::Digest;
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::issuer::{Issued, Issuer, SealingGeneration};
use crate::credential::sealed::MadeSealed;
use crate::gateway::resolve::{Attempt, Missing, ResolvedKey, ask_despite_lease};
use crate::lease::call::{Basis, Fetch};
use crate::lease::isolate::Leases;
use crate::lease::lease::DOCUMENT_LIFE;
use crate::lease::rules::LeaseRules;
use crate::replication::record::{Record, Standing};
use crate::replication::shared::SKEW;
use crate::verify::verification::Facts;

/// Most issuers to remember, at about 60 bytes each. After an eviction, the issuer's next key
/// causes one more call.
const ISSUERS_MAX: usize = 1_024;

/// Most accounts whose passwords are in a pause at a time: as many as there are leases.
const PASSWORDS_MAX: usize = 256;

/// Pause between two ledger calls about wrong passwords of one account.
const PASSWORD_PAUSE: DurationMs = DurationMs::from_s(1);

/// Time for which a refused password causes no further call: the life of a lease without a refresh,
/// 10 T at the default T.
const PASSWORD_MEMORY: DurationMs = DurationMs::from_s(100);

/// The data that an issued key carries about its issue.
#[derive(Clone, Copy, Debug)]
pub(super) struct IssueClaims {
    account: AccountId,
    /// Issuer of the key.
    pub(super) issuer: Issuer,
    /// Sealing generation of the issuer at the time of issue.
    pub(super) generation: SealingGeneration,
    /// Time of issue, Unix ms.
    at: UnixMs,
    /// `true` if the key is a token of its issuer.
    is_token: bool,
}

impl IssueClaims {
    /// Returns the issue of a sealed key; `None` if the key's claims alone refuse it, whatever the
    /// issuer's state.
    pub(super) fn of_sealed(made: &MadeSealed, facts: &Facts<'_>, arrival: UnixMs) -> Option<Self> {
        let claims = made.claims();
        let is_over = claims.expires_at <= arrival;
        let would_do = !is_over && facts.are_within(&claims.networks, &claims.permissions);
        would_do.then_some(Self {
            account: made.account(),
            issuer: claims.issuer,
            generation: claims.id.generation(),
            at: claims.issued_at,
            is_token: claims.is_token,
        })
    }

    /// Returns the issue of a stored key; `None` if no issuer issued it, or if its record alone
    /// refuses it.
    pub(super) fn of_stored(record: &Record, facts: &Facts<'_>, arrival: UnixMs) -> Option<Self> {
        let Standing::Active(credential) = &record.standing else { return None };
        let limits = &credential.limits;
        let would_do = !limits.expires.is_past(arrival)
            && facts.are_within(&limits.networks, &limits.permissions);
        let issued = credential.issued.filter(|_| would_do)?;
        let (account, issuer) = (record.id.account(), issued.by);
        let Issued { generation, at, .. } = issued;
        Some(Self { account, issuer, generation, at, is_token: false })
    }

    fn need(&self) -> Fetch {
        match self.issuer {
            Issuer::Key(id) => Fetch::Issuer(id),
            Issuer::Service => Fetch::State(self.account),
        }
    }
}

/// The memory of which questions the ledger has already answered.
#[derive(Debug)]
pub(super) struct Rechecks {
    issuers: HashMap<(AccountId, Issuer), LastRecheck>,
    passwords: HashMap<AccountId, LastPassword>,
    /// Latest time seen, Unix ms.
    latest: UnixMs,
}

/// The last recheck of one issuer.
#[derive(Clone, Copy, Debug)]
struct LastRecheck {
    /// Highest sealing generation that a key named.
    generation: SealingGeneration,
    /// Latest issue time of a key, Unix ms.
    issued: UnixMs,
    /// Time of the last recheck, Unix ms.
    at: UnixMs,
}

/// The last recheck of one account's service password.
#[derive(Clone, Copy, Debug)]
struct LastPassword {
    /// Time of the last recheck, Unix ms.
    at: UnixMs,
    /// Password that the ledger refused last.
    refused: Option<Digest>,
}

impl Rechecks {
    pub(super) fn new() -> Self {
        Self {
            issuers: HashMap::new(),
            passwords: HashMap::new(),
            latest: UnixMs::from_ms(i64::MIN),
        }
    }

    /// Returns what to fetch before the edge may refuse a key of this issue; `None` if it may
    /// refuse now.
    pub(super) fn recheck<R: LeaseRules>(
        &mut self,
        issue: &IssueClaims,
        known: &ResolvedKey,
        leases: &mut Leases<R>,
        attempt: Attempt<'_>,
    ) -> Option<Missing> {
        if attempt.lookup.is_answered(issue.need()) {
            self.note(issue, attempt.now);
            return None;
        }
        self.is_open(issue, known).then(|| ask_despite_lease(leases, issue.need(), attempt))
    }

    /// Returns what to fetch before the edge may refuse a service password that seems wrong; `None`
    /// if it may refuse now.
    pub(super) fn recheck_password<R: LeaseRules>(
        &mut self,
        (account, digest): (AccountId, Digest),
        known: &ResolvedKey,
        leases: &mut Leases<R>,
        attempt: Attempt<'_>,
    ) -> Option<Missing> {
        let need = Fetch::State(account);
        let Attempt { arrival, now, lookup } = attempt;
        if lookup.is_answered(need) {
            if let Some(last) = self.passwords.get_mut(&account) {
                last.refused = Some(digest);
            }
            return None;
        }
        let is_old = known.as_of() < arrival || known.basis() == Basis::Document;
        // A request whose call has failed must not fall back to the older answer.
        let may_ask =
            is_old && (lookup.has_failed() || self.may_ask_password(account, digest, now));
        may_ask.then(|| ask_despite_lease(leases, need, attempt))
    }

    /// Returns `true` if this issue casts doubt on the lease, and no earlier recheck covers it.
    fn is_open(&self, issue: &IssueClaims, known: &ResolvedKey) -> bool {
        let last = self.issuers.get(&(issue.account, issue.issuer));
        let is_before = known.is_before(issue.issuer, issue.generation, issue.is_token);
        let slack = match known.basis() {
            Basis::Ledger => SKEW,
            // The read time of a document says nothing about its age.
            Basis::Document => DOCUMENT_LIFE,
        };
        let is_late = issue.at.saturating_add(slack) > known.as_of();
        let is_new_generation =
            is_before && last.is_none_or(|last| last.generation < issue.generation);
        is_new_generation || (is_late && last.is_none_or(|last| last.issued < issue.at))
    }

    /// Records that the ledger has answered for a key of this issue.
    fn note(&mut self, issue: &IssueClaims, now: UnixMs) {
        self.observe(now);
        let place = (issue.account, issue.issuer);
        if self.issuers.len() >= ISSUERS_MAX && !self.issuers.contains_key(&place) {
            let oldest =
                self.issuers.iter().min_by_key(|(_, last)| last.at).map(|(place, _)| *place);
            oldest.map(|place| self.issuers.remove(&place));
        }
        let fresh = LastRecheck { generation: issue.generation, issued: issue.at, at: now };
        let last = self.issuers.entry(place).or_insert(fresh);
        last.generation = last.generation.max(issue.generation);
        last.issued = last.issued.max(issue.at);
        last.at = now;
    }

    /// Returns `true` if the edge may ask the ledger about a service password that seems wrong. If
    /// so, it also starts the account's [`PASSWORD_PAUSE`].
    fn may_ask_password(&mut self, account: AccountId, digest: Digest, now: UnixMs) -> bool {
        self.observe(now);
        let is_within =
            |last: &LastPassword, time| now.since(last.at).is_some_and(|age| age < time);
        let last = self.passwords.get(&account).copied();
        let refused = last.filter(|last| is_within(last, PASSWORD_MEMORY));
        let refused = refused.and_then(|last| last.refused);
        if last.is_some_and(|last| is_within(&last, PASSWORD_PAUSE)) || refused == Some(digest) {
            return false;
        }
        if self.passwords.len() >= PASSWORDS_MAX {
            self.passwords.retain(|_, last| is_within(last, PASSWORD_PAUSE));
        }
        let may_ask = self.passwords.len() < PASSWORDS_MAX;
        if may_ask {
            self.passwords.insert(account, LastPassword { at: now, refused });
        }
        may_ask
    }

    /// Drops everything when the clock steps back. Otherwise, an issue time from the wrong clock
    /// would keep later keys from a recheck.
    fn observe(&mut self, now: UnixMs) {
        if now < self.latest {
            self.issuers.clear();
            self.passwords.clear();
        }
        self.latest = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    fn account(number: i64) -> AccountId {
        AccountId::parse(&format!("{number:08}")).unwrap()
    }

    #[test]
    fn the_issuer_that_was_asked_about_longest_ago_makes_room() {
        let mut rechecks = Rechecks::new();
        let mut note = |number, now| {
            let (issuer, generation) = (Issuer::Service, SealingGeneration(1));
            let (account, at_issue) = (account(number), at(0));
            let issue = IssueClaims { account, issuer, generation, is_token: false, at: at_issue };
            rechecks.note(&issue, at(now));
            rechecks.issuers.len()
        };
        let all = i64::try_from(ISSUERS_MAX).unwrap();
        for number in 0..all {
            note(number, number);
        }
        // The first is asked about again, so the second is now the oldest.
        assert_eq!((note(0, all), note(all, all)), (ISSUERS_MAX, ISSUERS_MAX));
        let is_held = |number| rechecks.issuers.contains_key(&(account(number), Issuer::Service));
        assert_eq!([0, 1, 2, all].map(is_held), [true, false, true, true]);
    }

    #[test]
    fn an_account_makes_room_for_another_s_password_once_its_pause_is_over() {
        let mut rechecks = Rechecks::new();
        let mut may_ask =
            |number, now| rechecks.may_ask_password(account(number), Digest::of(b"x"), at(now));
        let all = i64::try_from(PASSWORDS_MAX).unwrap();
        assert!((0..all).all(|number| may_ask(number, 0)));
        assert!(!may_ask(all, 999) && may_ask(all, 1_000));
    }
}
