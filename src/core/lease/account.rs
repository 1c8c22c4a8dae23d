//! Keeps an isolate's state per account, for a bounded number of accounts.

use std::collections::HashMap;

use super::call::Basis;
use super::rules::LeaseRules;
use super::usage::Usage;
use crate::base::id::AccountId;
use crate::base::time::UnixMs;
use crate::config::terms::{Freshness, Outage};
use crate::lease::lease::{GIVEN_UP, IN_FLIGHT, Lease, OUTAGE_MEMORY, REFRESH_ATTEMPTS};
use crate::replication::document::Document;
use crate::replication::record::{Epoch, Revision};

/// Most accounts that an isolate keeps at a time. Few isolates see more within T;
/// [`super::isolate`] adds up the memory.
pub const ACCOUNTS_MAX: usize = 256;

/// The state that an isolate keeps for one account.
#[derive(Debug)]
pub(super) struct AccountSlot<R> {
    pub(super) lease: Option<Lease<R>>,
    pub(super) usage: Usage,
    /// Time at which the refresh in flight was sent.
    pub(super) in_flight: Option<UnixMs>,
    /// Time of the last failed call, and number of failures in close succession since the last
    /// answer.
    failed: Option<(UnixMs, u32)>,
    /// Time of the first failed call since the last answer.
    out_since: Option<UnixMs>,
    /// Time at which a request last gave up waiting for the ledger, since the last answer.
    given_up: Option<UnixMs>,
    /// `true` if T was 0 in the ledger's last reply: each request asks the ledger.
    pub(super) is_strict: bool,
    /// Highest document number that the isolate knows of.
    pub(super) document: u64,
    /// An epoch that has ended.
    pub(super) left: Option<Epoch>,
    /// Revision of the last change that was committed through this isolate. The isolate takes no
    /// copy of an earlier revision.
    pub(super) floor: Revision,
    /// Time at which `floor` last rose, Unix ms; `None` if it never did.
    pub(super) changed: Option<UnixMs>,
    /// Sequence number of the last use, for eviction.
    used: u64,
}

impl<R: LeaseRules> AccountSlot<R> {
    /// Returns the lease, unless it has ended.
    pub(super) fn lease(&self, now: UnixMs) -> Option<&Lease<R>> {
        self.lease.as_ref().filter(|lease| !lease.is_over(now))
    }

    /// Keeps a lease. With T = 0 it has ended by now, and no other request may use it.
    pub(super) fn keep(&mut self, lease: Lease<R>, now: UnixMs) {
        self.lease = Some(lease).filter(|lease| !lease.is_over(now));
    }

    /// Returns `true` if the caller must start a background refresh, and marks that refresh as in
    /// flight.
    pub(super) fn renew(&mut self, freshness: Freshness, now: UnixMs) -> bool {
        let is_makeshift =
            |lease: &Lease<R>| freshness == Freshness::Bounded && lease.basis() == Basis::Document;
        let is_due = self
            .lease
            .as_ref()
            .is_some_and(|lease| is_makeshift(lease) || lease.is_renewal_due(now));
        self.begin_if(is_due || self.usage.is_due(now), now)
    }

    /// Returns `true` if the caller must send waiting usage in the background, and marks that call
    /// as in flight.
    pub(super) fn send_uses(&mut self, now: UnixMs) -> bool {
        self.begin_if(self.usage.is_due(now), now)
    }

    fn begin_if(&mut self, is_due: bool, now: UnixMs) -> bool {
        let begins = is_due && !self.is_in_flight(now);
        if begins {
            self.in_flight = Some(now);
        }
        begins
    }

    fn is_in_flight(&self, now: UnixMs) -> bool {
        self.in_flight.is_some_and(|sent| now.since(sent).is_some_and(|age| age < IN_FLIGHT))
    }

    /// Returns `true` if the ledger is out of reach: [`REFRESH_ATTEMPTS`] calls or more have failed
    /// within [`OUTAGE_MEMORY`] of each other.
    pub(super) fn is_ledger_away(&self, now: UnixMs) -> bool {
        self.recent_failures(now) >= REFRESH_ATTEMPTS
    }

    /// Returns `true` if another request has given up waiting for the ledger within [`GIVEN_UP`].
    pub(super) fn has_given_up(&self, now: UnixMs) -> bool {
        self.given_up.is_some_and(|at| now.since(at).is_some_and(|age| age < GIVEN_UP))
    }

    /// Returns `true` if a document may serve a request that arrived at `arrival`, while the ledger
    /// is out of reach.
    pub(super) fn is_in_grace(&self, outage: Outage, arrival: UnixMs) -> bool {
        let within = |more| self.out_since.is_some_and(|since| R::is_usable(since, arrival, more));
        !self.is_strict && outage.grace().is_some_and(within)
    }

    fn recent_failures(&self, now: UnixMs) -> u32 {
        match self.failed {
            Some((at, count)) if now.since(at).is_some_and(|age| age < OUTAGE_MEMORY) => count,
            _ => 0,
        }
    }

    /// Records that the ledger answered a call that was sent at `sent`.
    pub(super) fn answered(&mut self, sent: UnixMs) {
        self.in_flight = self.in_flight.filter(|mark| *mark != sent);
        // A call sent before the last failure says nothing about the present, even if it is
        // answered now.
        self.failed = self.failed.filter(|(failed, _)| *failed > sent);
        self.given_up = None;
        self.out_since = self.failed.map(|(failed, _)| failed);
    }

    /// Returns `true` if a document is behind the isolate: it has a lower number than one known, it
    /// belongs to an ended epoch, or it is older than a change committed through this isolate.
    pub(super) fn is_behind(&self, document: &Document) -> bool {
        R::is_behind(document.number, self.document)
            || self.left.as_ref() == Some(&document.epoch)
            || R::is_before_change(document.revision, self.floor)
    }

    /// Records that the ledger answered another isolate's call of `as_of` or later.
    pub(super) fn answered_others(&mut self, as_of: UnixMs) {
        self.out_since = self.out_since.filter(|since| *since > as_of);
    }

    /// Records that a change with this revision was committed through this isolate.
    pub(super) fn note_change(&mut self, revision: Revision, now: UnixMs) {
        self.floor = R::floor(self.floor, revision);
        self.changed = Some(now);
    }

    /// Records that the newest reply is of `epoch`: the lease's epoch has ended if it differs.
    pub(super) fn leave_epoch(&mut self, lease: Option<&Epoch>, epoch: &Epoch) {
        if let Some(lease) = lease.filter(|lease| *lease != epoch) {
            self.left = Some(lease.clone());
        }
        // An operator can restore a ledger to an epoch that had ended.
        self.left = self.left.take().filter(|left| left != epoch);
    }

    /// Records a failed call; `is_last` marks the caller's last attempt. The in-flight mark stays
    /// until it expires, so no request starts another background refresh before that.
    pub(super) fn failed(&mut self, is_last: bool, now: UnixMs) {
        self.failed = Some((now, self.recent_failures(now).saturating_add(1)));
        self.out_since = Some(R::grace_from(self.out_since, now));
        if is_last {
            self.given_up = Some(now);
        }
    }

    /// Drops all state that depends on time stamps, after the clock stepped back.
    pub(super) fn forget_times(&mut self) {
        (self.lease, self.in_flight, self.failed) = (None, None, None);
        self.usage.forget_timer();
        (self.out_since, self.given_up) = (None, None);
    }
}

/// The accounts of an isolate.
#[derive(Debug)]
pub(super) struct Accounts<R> {
    map: HashMap<AccountId, AccountSlot<R>>,
    /// Counter that rises with each use of an account.
    uses: u64,
    /// Latest time of a change that was committed through this isolate and whose account was then
    /// evicted, Unix ms. The isolate takes no shared reply from before, because it no longer knows
    /// the revision.
    copies_from: UnixMs,
}

/// The state that was dropped to make room for another account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Evicted {
    /// Number of evicted accounts.
    pub(super) accounts: u64,
    /// Number of requests whose usage is lost.
    pub(super) uses: u64,
}

impl<R: LeaseRules> Accounts<R> {
    pub(super) fn new() -> Self {
        Self { map: HashMap::new(), uses: 0, copies_from: UnixMs::from_ms(i64::MIN) }
    }

    /// Returns a known account, without marking it as used.
    pub(super) fn peek(&self, account: AccountId) -> Option<&AccountSlot<R>> {
        self.map.get(&account)
    }

    /// Returns a known account, and marks it as used.
    pub(super) fn find(&mut self, account: AccountId) -> Option<&mut AccountSlot<R>> {
        self.uses = self.uses.saturating_add(1);
        let found = self.map.get_mut(&account)?;
        found.used = self.uses;
        Some(found)
    }

    /// Returns the account, and evicts another one if there is no room for a new one. An evicted
    /// lease takes its incarnation with it, so no late reply can reach the next lease.
    pub(super) fn admit(
        &mut self,
        account: AccountId,
        now: UnixMs,
    ) -> (&mut AccountSlot<R>, Evicted) {
        let is_full = self.map.len() >= ACCOUNTS_MAX && !self.map.contains_key(&account);
        let evicted = if is_full { self.evict() } else { Evicted::default() };
        self.uses = self.uses.saturating_add(1);
        let admitted = self.map.entry(account).or_insert_with(|| AccountSlot {
            lease: None,
            usage: Usage::new(now),
            in_flight: None,
            failed: None,
            out_since: None,
            given_up: None,
            is_strict: false,
            document: 0,
            left: None,
            floor: Revision::default(),
            changed: None,
            used: 0,
        });
        admitted.used = self.uses;
        (admitted, evicted)
    }

    /// Evicts the least recently used account. Accounts with waiting usage go last.
    fn evict(&mut self) -> Evicted {
        let rank = |account: &AccountSlot<R>| (!account.usage.is_empty(), account.used);
        let last = self.map.iter().min_by_key(|(_, account)| rank(account)).map(|(id, _)| *id);
        match last.and_then(|id| self.map.remove(&id)) {
            Some(account) => {
                self.copies_from =
                    self.copies_from.max(account.changed.unwrap_or(self.copies_from));
                Evicted { accounts: 1, uses: account.usage.waiting() }
            }
            None => Evicted::default(),
        }
    }

    /// Returns the time before which the isolate takes no shared reply of any account, Unix ms.
    pub(super) fn copies_from(&self) -> UnixMs {
        self.copies_from
    }

    /// Iterates over all accounts.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (AccountId, &mut AccountSlot<R>)> {
        self.map.iter_mut().map(|(id, account)| (*id, account))
    }
}
