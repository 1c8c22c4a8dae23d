//! What an isolate keeps of each account, for as many accounts as there is room.

use std::collections::HashMap;

use super::call::Basis;
use super::rules::Rules;
use super::usage::Usage;
use crate::base::id::AccountId;
use crate::base::time::UnixMs;
use crate::config::terms::{Freshness, Outage};
use crate::lease::lease::{GIVEN_UP, IN_FLIGHT, Lease, OUTAGE_MEMORY, REFRESH_ATTEMPTS};
use crate::replication::document::Document;
use crate::replication::record::{Epoch, Revision};

/// Most accounts that an isolate knows at a time. Few isolates ever see so many within T; see
/// [`super::isolate`] for their memory.
pub const ACCOUNTS_MAX: usize = 256;

/// What an isolate keeps of one account.
#[derive(Debug)]
pub(super) struct Account<R> {
    pub(super) lease: Option<Lease<R>>,
    pub(super) usage: Usage,
    /// When the refresh was sent that is in flight.
    pub(super) in_flight: Option<UnixMs>,
    /// When a call last failed, and how many have since the last answer, one soon after the other.
    failed: Option<(UnixMs, u32)>,
    /// The first call that failed since the last answer.
    out_since: Option<UnixMs>,
    /// When a request last gave up waiting for the ledger, since the last answer.
    given_up: Option<UnixMs>,
    /// T was 0 when the ledger last said: every request asks.
    pub(super) is_strict: bool,
    /// The highest number of a document that is known of.
    pub(super) document: u64,
    /// A history that is over.
    pub(super) left: Option<Epoch>,
    /// The last change that was committed through this isolate: no copy of the ledger's word from
    /// before it is taken.
    pub(super) floor: Revision,
    /// Its place in the order of use.
    used: u64,
}

impl<R: Rules> Account<R> {
    /// The lease, unless it has ended.
    pub(super) fn lease(&self, now: UnixMs) -> Option<&Lease<R>> {
        self.lease.as_ref().filter(|lease| !lease.is_over(now))
    }

    /// Keeps a lease. With T = 0 it is over by now, and nobody else may use it.
    pub(super) fn keep(&mut self, lease: Lease<R>, now: UnixMs) {
        self.lease = Some(lease).filter(|lease| !lease.is_over(now));
    }

    /// Whether a request that uses the lease is to have it refreshed in the background. If so, it
    /// is taken for begun.
    pub(super) fn renew(&mut self, freshness: Freshness, now: UnixMs) -> bool {
        let is_makeshift =
            |lease: &Lease<R>| freshness == Freshness::Bounded && lease.basis() == Basis::Document;
        let is_due = self
            .lease
            .as_ref()
            .is_some_and(|lease| is_makeshift(lease) || lease.is_renewal_due(now));
        self.begin_if(is_due || self.usage.is_due(now), now)
    }

    /// Whether its uses are to be sent off in the background. If so, it is taken for begun.
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

    /// Whether the ledger was found out of reach just now, by as many calls as anybody makes.
    pub(super) fn is_ledger_away(&self, now: UnixMs) -> bool {
        self.recent_failures(now) >= REFRESH_ATTEMPTS
    }

    /// Whether another request has just waited for the ledger in vain.
    pub(super) fn has_given_up(&self, now: UnixMs) -> bool {
        self.given_up.is_some_and(|at| now.since(at).is_some_and(|age| age < GIVEN_UP))
    }

    /// Whether a document may serve a request that arrived at `arrival`, while the ledger is out of
    /// reach.
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

    /// The ledger answered a call that was sent at `sent`.
    pub(super) fn answered(&mut self, sent: UnixMs) {
        self.in_flight = self.in_flight.filter(|mark| *mark != sent);
        // An answer to a question from before the last failure says nothing about now.
        self.failed = self.failed.filter(|(failed, _)| *failed > sent);
        self.given_up = None;
        self.out_since = self.failed.map(|(failed, _)| failed);
    }

    /// Whether a document tells of less than is known of here: of an older one, a history that is
    /// over, or what was before a change that this isolate has had committed.
    pub(super) fn is_behind(&self, document: &Document) -> bool {
        R::is_behind(document.number, self.document)
            || self.left.as_ref() == Some(&document.epoch)
            || document.revision < self.floor
    }

    /// It is known that the ledger answered somebody as late as at `as_of`.
    pub(super) fn answered_others(&mut self, as_of: UnixMs) {
        self.out_since = self.out_since.filter(|since| *since > as_of);
    }

    /// What came was of the history `epoch`: any other is over.
    pub(super) fn leave(&mut self, lease: Option<&Epoch>, epoch: &Epoch) {
        if let Some(lease) = lease.filter(|lease| *lease != epoch) {
            self.left = Some(lease.clone());
        }
        // A ledger may be told to go on in a history again.
        self.left = self.left.take().filter(|left| left != epoch);
    }

    /// A call failed, the last that anybody makes if `is_last`. Its mark stays: for as long as it
    /// lives, no request begins another in the background.
    pub(super) fn failed(&mut self, is_last: bool, now: UnixMs) {
        self.failed = Some((now, self.recent_failures(now).saturating_add(1)));
        self.out_since = self.out_since.or(Some(now));
        if is_last {
            self.given_up = Some(now);
        }
    }

    /// Forgets whatever a time stamp goes with.
    pub(super) fn lose_time(&mut self) {
        (self.lease, self.in_flight, self.failed) = (None, None, None);
        (self.out_since, self.given_up) = (None, None);
    }
}

/// The accounts of an isolate.
#[derive(Debug)]
pub(super) struct Accounts<R> {
    map: HashMap<AccountId, Account<R>>,
    /// Rises with each use of an account.
    uses: u64,
}

/// What it cost to make room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Evicted {
    /// Accounts.
    pub(super) accounts: u64,
    /// Requests whose use is lost.
    pub(super) uses: u64,
}

impl<R: Rules> Accounts<R> {
    pub(super) fn new() -> Self {
        Self { map: HashMap::new(), uses: 0 }
    }

    /// An account that is known, without using it.
    pub(super) fn peek(&self, account: AccountId) -> Option<&Account<R>> {
        self.map.get(&account)
    }

    /// An account that is known.
    pub(super) fn find(&mut self, account: AccountId) -> Option<&mut Account<R>> {
        self.uses = self.uses.saturating_add(1);
        let found = self.map.get_mut(&account)?;
        found.used = self.uses;
        Some(found)
    }

    /// An account, made room for if it is new. A lease that goes takes its incarnation with it: no
    /// late reply can reach the next one.
    pub(super) fn admit(&mut self, account: AccountId, now: UnixMs) -> (&mut Account<R>, Evicted) {
        let is_full = self.map.len() >= ACCOUNTS_MAX && !self.map.contains_key(&account);
        let evicted = if is_full { self.evict() } else { Evicted::default() };
        self.uses = self.uses.saturating_add(1);
        let admitted = self.map.entry(account).or_insert_with(|| Account {
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
            used: 0,
        });
        admitted.used = self.uses;
        (admitted, evicted)
    }

    /// Drops the account that was used longest ago. Those whose uses wait go last.
    fn evict(&mut self) -> Evicted {
        let rank = |account: &Account<R>| (!account.usage.is_empty(), account.used);
        let last = self.map.iter().min_by_key(|(_, account)| rank(account)).map(|(id, _)| *id);
        match last.and_then(|id| self.map.remove(&id)) {
            Some(account) => Evicted { accounts: 1, uses: account.usage.waiting() },
            None => Evicted::default(),
        }
    }

    /// All of them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (AccountId, &mut Account<R>)> {
        self.map.iter_mut().map(|(id, account)| (*id, account))
    }
}
