//! Decides which source a request without a usable lease tries next, and what a background refresh
//! does. The sources are the ledger, its documents in KV, and replies shared by other isolates.
//!
//! | setting | a request without a usable lease | a background refresh |
//! | --- | --- | --- |
//! | `bounded` | cache ▸ ledger, twice ▸ with grace: document | cache, unless usage must be sent ▸ ledger, twice ▸ with grace: document |
//! | `eventual` | document ▸ ledger, twice | ledger if usage must be sent, else document ▸ ledger, twice |
//! | T = 0 | ledger, twice | ledger, twice, if usage must be sent |
//!
//! A request takes each step at most once, so the sequence always ends.

use super::account::AccountSlot;
use super::call::{Basis, CopySource, Fetch, Lookup, ReadOutcome};
use super::rules::LeaseRules;
use crate::base::id::AccountId;
use crate::base::time::{DurationMs, UnixMs};
use crate::config::terms::{Freshness, Terms};
use crate::lease::lease::{Lease, REFRESH_ATTEMPTS};

/// The ways to reach an account's ledger or a copy, as one request sees them.
#[derive(Clone, Copy, Debug)]
pub(super) struct LedgerAvailability {
    terms: Terms,
    /// `true` if T is 0: each request asks the ledger.
    is_strict: bool,
    /// `true` if the ledger is known to be out of reach.
    is_away: bool,
    /// `true` if a call to the ledger has failed so recently that this request should not wait for
    /// another.
    has_given_up: bool,
    /// `true` if a document may replace the ledger's reply.
    is_in_grace: bool,
}

impl LedgerAvailability {
    /// Returns the availability for an account that the isolate knows nothing about.
    pub(super) fn of_unknown(terms: Terms) -> Self {
        // Without a lease or a grace, it makes no difference whether the ledger is away.
        let is_away = false;
        Self { terms, is_strict: false, is_away, has_given_up: false, is_in_grace: false }
    }

    /// Returns the availability for a known account and a request that arrived at `arrival`.
    pub(super) fn of<R: LeaseRules>(
        account: &AccountSlot<R>,
        terms: Terms,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Self {
        Self {
            terms,
            is_strict: account.is_strict(),
            is_away: lookup.failures >= REFRESH_ATTEMPTS || account.is_ledger_away(now),
            has_given_up: account.has_given_up(now),
            is_in_grace: account.is_in_grace(terms.outage, arrival),
        }
    }

    /// Returns `true` if the request may use the lease under the normal rules, without an outage.
    pub(super) fn is_fresh<R: LeaseRules>(&self, lease: &Lease<R>, arrival: UnixMs) -> bool {
        let no_more = DurationMs::default();
        match self.terms.freshness {
            Freshness::Bounded => lease.is_usable(arrival, no_more),
            Freshness::Eventual => lease.is_usable_by_document(arrival, no_more),
        }
    }

    /// Returns `true` if the request may use a lease that is not fresh, because the ledger is out
    /// of reach and `OUTAGE` grants a grace.
    pub(super) fn may_use_stale<R: LeaseRules>(&self, lease: &Lease<R>, arrival: UnixMs) -> bool {
        let Some(more) = self.terms.outage.grace().filter(|_| self.is_away) else { return false };
        match (self.terms.freshness, lease.basis()) {
            (Freshness::Bounded, Basis::Ledger) => lease.is_usable(arrival, more),
            (Freshness::Bounded, Basis::Document) => self.is_in_grace,
            (Freshness::Eventual, _) => lease.is_usable_by_document(arrival, more),
        }
    }
}

/// The next step of a request that cannot be answered from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaseMiss {
    /// Fetch this, then decide again.
    Fetch(Fetch),
    /// Refuse: this request has called the ledger without an answer.
    OutOfReach,
    /// Refuse: another request has just called the ledger without an answer.
    RefusedAtOnce,
}

/// Returns the next step of a request without a usable lease; `need` is the question for the
/// ledger.
pub(super) fn missing(
    account: AccountId,
    need: Fetch,
    lookup: &Lookup,
    availability: &LedgerAvailability,
) -> LeaseMiss {
    let may_copy = |outcome| !availability.is_strict && outcome == ReadOutcome::NotAsked;
    let document = LeaseMiss::Fetch(Fetch::Copy(account, CopySource::Kv));
    if availability.terms.freshness == Freshness::Eventual {
        return if may_copy(lookup.document) {
            document
        } else {
            ask_ledger(need, lookup, availability)
        };
    }
    if may_copy(lookup.shared) && lookup.failures == 0 {
        return LeaseMiss::Fetch(Fetch::Copy(account, CopySource::Cache));
    }
    if availability.is_away && availability.is_in_grace && may_copy(lookup.document) {
        return document;
    }
    ask_ledger(need, lookup, availability)
}

/// Returns the next step of a request that only the ledger can answer.
pub(super) fn ask_ledger(
    need: Fetch,
    lookup: &Lookup,
    availability: &LedgerAvailability,
) -> LeaseMiss {
    match lookup.failures {
        0 if availability.has_given_up => LeaseMiss::RefusedAtOnce,
        0..REFRESH_ATTEMPTS => LeaseMiss::Fetch(need),
        _ => LeaseMiss::OutOfReach,
    }
}
