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
    /// Time as of which T was 0, Unix ms; `None` if a later reply says otherwise. While T is 0,
    /// each request asks the ledger.
    strict: Option<UnixMs>,
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

    /// Keeps a lease that a reply has just renewed. With T = 0, no other request may use it. Then
    /// no lease remains, so a reply from before may still arrive and look like a cold start's.
    pub(super) fn keep(&mut self, lease: Lease<R>, now: UnixMs) {
        self.strict = match lease.state().freshness_ms {
            0 => self.strict.max(Some(lease.as_of())),
            _ => self.strict.filter(|strict| *strict >= lease.as_of()),
        };
        self.lease = Some(lease).filter(|lease| !self.is_strict() && !lease.is_over(now));
    }

    /// Returns `true` if T is 0: each request asks the ledger.
    pub(super) fn is_strict(&self) -> bool {
        self.strict.is_some()
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
        !self.is_strict() && outage.grace().is_some_and(within)
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
        // T is still 0, and the next reply may say otherwise.
        self.strict = self.strict.map(|_| UnixMs::from_ms(i64::MIN));
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
            strict: None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::DurationMs;
    use crate::credential::limits::network::ClientAddress;
    use crate::lease::rules::ProductionRules;
    use crate::testing::{account, at, key_id};

    const GRACE: Outage = Outage::Grace(DurationMs::from_ms(1_000));

    fn slot() -> AccountSlot<ProductionRules> {
        let mut accounts = Accounts::new();
        accounts.admit(account(), at(0));
        accounts.map.remove(&account()).unwrap()
    }

    /// Returns the last instant of the grace; `None` without an outage.
    fn end_of_grace(slot: &AccountSlot<ProductionRules>) -> Option<i64> {
        (0..20_000).rev().find(|ms| slot.is_in_grace(GRACE, at(*ms)))
    }

    #[test]
    fn an_answer_ends_an_outage_only_if_its_call_was_sent_after_the_last_failure() {
        for (sent, is_away, end) in [
            (99, true, Some(1_200)),
            (199, true, Some(1_200)),
            (200, false, None),
            (201, false, None),
        ] {
            let mut slot = slot();
            slot.failed(false, at(100));
            slot.failed(true, at(200));
            assert!(slot.is_ledger_away(at(200)) && slot.has_given_up(at(200)));
            assert_eq!(end_of_grace(&slot), Some(1_100), "it counts from the first failure");
            slot.answered(at(sent));
            assert_eq!(slot.is_ledger_away(at(200)), is_away, "{sent}");
            assert_eq!(end_of_grace(&slot), end, "{sent}");
            assert!(!slot.has_given_up(at(200)), "{sent}");
        }
    }

    #[test]
    fn the_answer_to_another_isolate_ends_the_grace_unless_the_outage_began_later() {
        for (as_of, end) in [(99, Some(1_100)), (100, None), (101, None)] {
            let mut slot = slot();
            slot.failed(false, at(100));
            slot.failed(false, at(200));
            slot.answered_others(at(as_of));
            assert_eq!(end_of_grace(&slot), end, "{as_of}");
            assert!(slot.is_ledger_away(at(200)), "this isolate has no answer: {as_of}");
        }
    }

    #[test]
    fn only_failures_in_close_succession_add_up() {
        let memory = i64::try_from(OUTAGE_MEMORY.as_ms()).unwrap();
        for (pause, is_away) in [(memory - 1, true), (memory, false)] {
            let mut slot = slot();
            slot.failed(false, at(0));
            assert!(!slot.is_ledger_away(at(0)));
            slot.failed(false, at(pause));
            assert_eq!(slot.is_ledger_away(at(pause)), is_away, "{pause}");
            // The memory counts from the last failure.
            slot.failed(false, at(2 * pause));
            let end = 2 * pause + memory;
            assert_eq!(slot.is_ledger_away(at(end - 1)), is_away, "{pause}");
            assert!(!slot.is_ledger_away(at(end)), "{pause}");
        }
    }

    #[test]
    fn with_t_0_there_is_no_grace() {
        let mut slot = slot();
        slot.failed(false, at(100));
        slot.strict = Some(at(0));
        assert_eq!(end_of_grace(&slot), None);
    }

    /// A time from before the step lies in the future, and would count again once the clock is
    /// there.
    #[test]
    fn nothing_from_before_a_clock_step_counts_when_the_clock_is_there_again() {
        let mut slot = slot();
        slot.failed(false, at(9_000));
        slot.failed(true, at(9_000));
        assert!(slot.usage.count(key_id(), Ok(()), None, at(0)));
        let late = at(90_000);
        assert!(slot.send_uses(late) && !slot.send_uses(late));
        assert!(slot.usage.start_timer(late) && !slot.usage.start_timer(late));
        slot.forget_times();
        assert!(!slot.is_ledger_away(at(9_000)) && !slot.has_given_up(at(9_000)));
        assert_eq!(end_of_grace(&slot), None);
        assert!(slot.send_uses(late) && slot.usage.start_timer(late));
    }

    #[test]
    fn a_change_of_a_lower_revision_does_not_lower_the_floor() {
        let mut slot = slot();
        slot.note_change(Revision(6), at(1));
        slot.note_change(Revision(4), at(2));
        assert_eq!((slot.floor, slot.changed), (Revision(6), Some(at(2))));
    }

    #[test]
    fn an_ended_epoch_counts_as_ended_until_a_reply_is_of_it_again() {
        let (first, second, mut slot) = (Epoch::new(1), Epoch::new(2), slot());
        slot.leave_epoch(Some(&first), &first);
        slot.leave_epoch(None, &first);
        assert_eq!(slot.left, None);
        slot.leave_epoch(Some(&first), &second);
        assert_eq!(slot.left, Some(first.clone()));
        slot.leave_epoch(Some(&second), &second);
        slot.leave_epoch(None, &second);
        assert_eq!(slot.left, Some(first.clone()));
        slot.leave_epoch(None, &first);
        assert_eq!(slot.left, None, "it was restored");
    }

    /// Returns the ID of a sample account.
    fn other(number: usize) -> AccountId {
        AccountId::parse(&format!("{number:0>8}")).unwrap()
    }

    #[test]
    fn the_time_of_the_latest_evicted_change_stays_whichever_account_goes_first() {
        let mut accounts = Accounts::<ProductionRules>::new();
        accounts.admit(other(0), at(0)).0.note_change(Revision(1), at(5_000));
        accounts.admit(other(1), at(0)).0.note_change(Revision(1), at(6_000));
        accounts.find(other(0));
        let mut copies_from = Vec::new();
        for number in 2..ACCOUNTS_MAX + 3 {
            let (_, evicted) = accounts.admit(other(number), at(7_000));
            if evicted.accounts > 0 {
                copies_from.push(accounts.copies_from());
            }
        }
        // The third evicted account never had a change.
        assert_eq!(copies_from, [at(6_000); 3]);
        assert!(accounts.peek(other(2)).is_none() && accounts.peek(other(3)).is_some());
    }

    #[test]
    fn an_account_with_waiting_usage_makes_room_last_and_what_is_lost_is_counted() {
        let mut accounts = Accounts::<ProductionRules>::new();
        let (used, _) = accounts.admit(other(0), at(0));
        let address = ClientAddress::parse("203.0.113.7");
        assert!(used.usage.count(key_id(), Ok(()), address, at(0)));
        assert!(used.usage.hand_out(1, &mut 0, at(0)).is_some());
        assert!(used.usage.count(key_id(), Err("expired"), address, at(0)));
        for number in 1..=ACCOUNTS_MAX {
            accounts.admit(other(number), at(0));
        }
        assert!(accounts.peek(other(0)).is_some() && accounts.peek(other(1)).is_none());
        for number in 2..=ACCOUNTS_MAX {
            accounts.map.remove(&other(number));
        }
        assert_eq!(accounts.evict(), Evicted { accounts: 1, uses: 2 });
        assert_eq!(accounts.evict(), Evicted::default());
    }
}
