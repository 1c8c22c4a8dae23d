//! Tests each sentence of the rules with an isolate whose time, ledger and KV are values of the
//! test.

mod copies;
mod instants;
mod kv;
mod late;
mod memory;
mod outage;

use crate::base::id::{AccountId, KeyId};
use crate::base::time::{DurationMs, UnixMs};
use crate::config::terms::{Freshness, Outage, Terms};
use crate::lease::cached_key::CachedKey;
use crate::lease::call::{Fetch, Finding, Found, KvRead, Lookup, RefreshCall, Source};
use crate::lease::isolate::Leases;
use crate::lease::rules::ProductionRules;
use crate::replication::edge_call::RefreshReply;
use crate::replication::record::{Epoch, Record, Revision, Standing};
use crate::replication::refresh::{AccountState, Delta, Mark, Refresh, RefreshAnswer, Unsettled};
use crate::testing::{account, none_superseded, record};

/// Start time of the tests, Unix ms.
const T0: i64 = 1_800_000_000_000;
/// T of the account, in milliseconds.
const T: i64 = 10_000;
/// The account of every test that has one.
const ACCOUNT: &str = "a1B2c3D4";

/// Returns the instant `ms` milliseconds after the start.
fn at(ms: i64) -> UnixMs {
    UnixMs::from_ms(T0 + ms)
}

/// Returns one of the account's keys.
fn key(letter: char) -> KeyId {
    KeyId::parse(&format!("{ACCOUNT}000000000{letter}")).unwrap()
}

fn epoch() -> Epoch {
    Epoch::new(1)
}

/// Returns an active record of a key in the present epoch.
fn active(id: KeyId, revision: u64) -> Record {
    let Standing::Active(credential) = record(Standing::Active).standing else { panic!() };
    Record::new(epoch(), Revision(revision), id, Standing::Active(credential))
}

fn mark(id: KeyId, revision: u64) -> Mark {
    Mark { id, revision: Revision(revision) }
}

fn state(freshness_ms: i64) -> AccountState {
    AccountState {
        revision: Revision(1),
        freshness_ms: freshness_ms.try_into().unwrap(),
        ..AccountState::default()
    }
}

/// Returns a reply at `revision` without changes, unsettled keys or answers, and with the first
/// state.
fn reply(revision: u64) -> Refresh {
    Refresh {
        epoch: epoch(),
        revision: Revision(revision),
        delta: Delta::Changes(Vec::new()),
        unsettled: Unsettled::Set(Vec::new()),
        state: Some(state(T)),
        answers: Vec::new(),
        document: 0,
        superseded: none_superseded(),
    }
}

fn with_record(mut reply: Refresh, record: Record) -> Refresh {
    reply.answers.push(RefreshAnswer { id: record.id, record: Some(record) });
    reply
}

fn without_record(mut reply: Refresh, id: KeyId) -> Refresh {
    reply.answers.push(RefreshAnswer { id, record: None });
    reply
}

fn with_changes<const N: usize>(reply: Refresh, marks: [Mark; N]) -> Refresh {
    Refresh { delta: Delta::Changes(marks.into()), ..reply }
}

fn with_unsettled<const N: usize>(reply: Refresh, marks: [Mark; N]) -> Refresh {
    Refresh { unsettled: Unsettled::Set(marks.into()), ..reply }
}

fn overflow(reply: Refresh) -> Refresh {
    Refresh { unsettled: Unsettled::Overflow, ..reply }
}

fn json(record: &Record) -> String {
    serde_json::to_string(record).unwrap()
}

/// One isolate under test.
struct Isolate(Leases<ProductionRules>);

impl Isolate {
    fn new() -> Self {
        Self::with(Outage::Deny)
    }

    fn with(outage: Outage) -> Self {
        Self(Leases::new(7, Terms { freshness: Freshness::Bounded, outage }))
    }

    /// Returns an isolate with a lease at `revision` from the start on.
    fn leased(revision: u64) -> Self {
        let mut isolate = Self::new();
        isolate.refresh(0, reply(revision));
        isolate
    }

    fn find(&mut self, id: KeyId, ms: i64) -> Found {
        self.0.find(id, at(ms), at(ms), &Lookup::alone())
    }

    fn renew(&mut self, ms: i64) -> RefreshCall {
        self.0.renew(account(), at(ms))
    }

    fn take(&mut self, call: &RefreshCall, ms: i64, reply: Refresh) -> bool {
        self.0.take_refresh(call, &RefreshReply::Refreshed(reply), at(ms), None)
    }

    /// Makes a whole refresh that takes no time.
    fn refresh(&mut self, ms: i64, reply: Refresh) {
        let call = self.renew(ms);
        assert!(self.take(&call, ms, reply));
    }

    /// Makes a whole read of KV that takes no time. Returns the request's results.
    fn read_kv(&mut self, id: KeyId, ms: i64, record: Option<&Record>) -> Lookup {
        let read = self.0.ask_kv(id, at(ms));
        self.kv(&read, ms, record)
    }

    fn kv(&mut self, read: &KvRead, ms: i64, record: Option<&Record>) -> Lookup {
        let mut lookup = Lookup::alone();
        self.0.take_kv(read, record.map(json).as_deref(), at(ms), &mut lookup);
        lookup
    }

    /// Returns the revision of a key's record in memory.
    fn memory(&mut self, id: KeyId, ms: i64) -> Option<u64> {
        match self.find(id, ms) {
            Found::Finding(Finding { cached: CachedKey::Record(record), .. }, _) => {
                Some(record.revision.0)
            }
            _ => None,
        }
    }

    fn need(&mut self, id: KeyId, ms: i64) -> Option<Fetch> {
        need(&self.find(id, ms))
    }

    fn known(&self, ms: i64) -> Option<u64> {
        self.0.lease(account(), at(ms)).map(|lease| lease.known().0)
    }

    fn as_of(&self, ms: i64) -> Option<i64> {
        self.0.lease(account(), at(ms)).map(|lease| lease.as_of().as_ms() - T0)
    }
}

fn need(found: &Found) -> Option<Fetch> {
    match found {
        Found::Fetch(need) => Some(*need),
        _ => None,
    }
}

fn renewal(found: &Found) -> Option<AccountId> {
    match found {
        Found::Finding(_, renew) => *renew,
        other => panic!("{other:?}"),
    }
}

fn finding(found: Found) -> Finding {
    match found {
        Found::Finding(finding, _) => finding,
        other => panic!("{other:?}"),
    }
}

// -------------------------------------------------------------------------------------------------
// rule 1

#[test]
fn a_request_may_use_a_lease_iff_it_was_asked_for_at_most_t_before_it_arrived() {
    let mut isolate = Isolate::new();
    isolate.refresh(0, with_record(reply(5), active(key('a'), 5)));
    for (ms, memory) in [(0, Some(5)), (T - 1, Some(5)), (T, Some(5)), (T + 1, None)] {
        assert_eq!(isolate.memory(key('a'), ms), memory, "{ms}");
    }
    assert_eq!(isolate.need(key('a'), T + 1), Some(Fetch::Ledger(key('a'))));
}

#[test]
fn what_counts_is_when_the_request_arrived_and_when_the_refresh_was_sent() {
    let mut isolate = Isolate::new();
    let call = isolate.renew(0);
    isolate.take(&call, 1_900, with_record(reply(5), active(key('a'), 5)));
    assert_eq!(isolate.as_of(1_900), Some(0));
    // The request has waited since its arrival, and may still use the lease.
    assert!(matches!(
        isolate.0.find(key('a'), at(T), at(T + 500), &Lookup::alone()),
        Found::Finding(..)
    ));
    assert_eq!(isolate.need(key('a'), T + 501), Some(Fetch::Ledger(key('a'))));
}

#[test]
fn between_t_half_and_t_one_request_refreshes_in_the_background() {
    let mut isolate = Isolate::new();
    isolate.refresh(0, with_record(reply(5), active(key('a'), 5)));
    assert_eq!(renewal(&isolate.find(key('a'), T / 2 - 1)), None);
    // With the largest jitter, the refresh is due at 3/4 of T.
    assert_eq!(renewal(&isolate.find(key('a'), T * 3 / 4)), Some(account()));
    // A refresh is in flight.
    assert_eq!(renewal(&isolate.find(key('a'), T * 3 / 4 + 999)), None);
    assert_eq!(isolate.0.counters().hits, 3);
}

#[test]
fn the_jitter_spreads_refreshes_over_the_third_quarter_of_t() {
    for (jitter, due) in [(0, 5_000), (255, 7_295)] {
        let mut isolate = Isolate::leased(5);
        let call = isolate.renew(0);
        let mut lease: super::Lease<ProductionRules> = super::Lease::begin(
            1,
            call.provenance::<ProductionRules>(at(0)),
            &reply(5),
            std::sync::Arc::new(state(T)),
            None,
        );
        lease.set_renewal(jitter);
        assert!(!lease.is_renewal_due(at(due - 1)) && lease.is_renewal_due(at(due)), "{jitter}");
    }
    let due: std::collections::BTreeSet<i64> = (0..20)
        .map(|number| {
            let mut leases: Leases<ProductionRules> =
                Leases::new(number, Terms { freshness: Freshness::Bounded, outage: Outage::Deny });
            let call = leases.renew(account(), at(0));
            leases.take_refresh(&call, &RefreshReply::Refreshed(reply(1)), at(0), None);
            let lease = leases.lease(account(), at(0)).unwrap();
            (0..T).find(|ms| lease.is_renewal_due(at(*ms))).unwrap()
        })
        .collect();
    assert!(due.len() > 15 && due.iter().all(|ms| (T / 2..T * 3 / 4).contains(ms)), "{due:?}");
}

// -------------------------------------------------------------------------------------------------
// rule 2

#[test]
fn a_cold_start_asks_the_ledger_for_the_key_and_not_kv() {
    let mut isolate = Isolate::new();
    assert_eq!(isolate.need(key('a'), 0), Some(Fetch::Ledger(key('a'))));
    let call = isolate.0.ask_ledger(key('a'), at(0));
    assert_eq!((&*call.request().ask, &call.request().epoch), (&[key('a')][..], &None));
    let mut lookup = Lookup::alone();
    let refreshed = RefreshReply::Refreshed(with_record(reply(5), active(key('a'), 3)));
    assert!(isolate.0.take_refresh(&call, &refreshed, at(30), Some(&mut lookup)));
    let found = finding(isolate.0.find(key('a'), at(0), at(30), &lookup));
    assert_eq!((found.source, found.as_of), (Source::Ledger, at(0)));
    // From here on, memory answers.
    assert_eq!(isolate.memory(key('a'), 31), Some(3));
    let counters = isolate.0.counters();
    assert_eq!(
        (counters.kv_reads, counters.ledger_calls, counters.refreshes, counters.hits),
        (0, 1, 1, 1)
    );
}

// -------------------------------------------------------------------------------------------------
// rule 3

#[test]
fn under_a_lease_memory_then_kv_then_the_ledger() {
    let mut isolate = Isolate::leased(5);
    let id = key('a');
    assert_eq!(isolate.need(id, 1), Some(Fetch::Kv(id)));
    let lookup = isolate.read_kv(id, 1, Some(&active(id, 3)));
    let found = finding(isolate.0.find(id, at(1), at(1), &lookup));
    assert_eq!((found.source, found.as_of), (Source::Kv, at(0)));
    assert_eq!(isolate.memory(id, 2), Some(3));

    let lookup = isolate.read_kv(key('b'), 3, None);
    assert_eq!(
        need(&isolate.0.find(key('b'), at(3), at(3), &lookup)),
        Some(Fetch::Ledger(key('b')))
    );
}

#[test]
fn a_negative_answer_is_a_record_too() {
    let mut isolate = Isolate::leased(5);
    let call = isolate.0.ask_ledger(key('a'), at(1));
    isolate.take(&call, 1, without_record(reply(5), key('a')));
    assert_eq!(finding(isolate.find(key('a'), 2)).cached, CachedKey::NoSuchKey);
    // KV cannot contradict a negative answer.
    isolate.read_kv(key('a'), 2, Some(&active(key('a'), 4)));
    assert_eq!(finding(isolate.find(key('a'), 3)).cached, CachedKey::NoSuchKey);
    // A creation that the ledger reports can.
    isolate.refresh(4, with_changes(reply(6), [mark(key('a'), 6)]));
    assert_eq!(isolate.need(key('a'), 4), Some(Fetch::Kv(key('a'))));
}

#[test]
fn an_unsettled_key_is_asked_of_the_ledger() {
    let mut isolate = Isolate::new();
    isolate.refresh(0, with_unsettled(reply(5), [mark(key('a'), 4)]));
    assert_eq!(isolate.need(key('a'), 1), Some(Fetch::Ledger(key('a'))));
    assert_eq!(isolate.need(key('b'), 1), Some(Fetch::Kv(key('b'))));
    let call = isolate.0.ask_ledger(key('a'), at(1));
    let refreshed = with_unsettled(with_record(reply(5), active(key('a'), 4)), [mark(key('a'), 4)]);
    isolate.take(&call, 1, refreshed);
    assert_eq!(isolate.memory(key('a'), 2), Some(4));
    // The key changes again.
    let marks = [mark(key('a'), 6)];
    isolate.refresh(3, with_unsettled(with_changes(reply(6), marks), marks));
    assert_eq!(isolate.need(key('a'), 3), Some(Fetch::Ledger(key('a'))));
    // The change has settled: KV is right by now.
    isolate.refresh(4, reply(6));
    assert_eq!(isolate.need(key('a'), 4), Some(Fetch::Kv(key('a'))));
}

#[test]
fn in_overflow_kv_counts_for_nothing_and_what_is_cached_still_counts() {
    let mut isolate = Isolate::leased(5);
    isolate.read_kv(key('a'), 1, Some(&active(key('a'), 3)));
    isolate.refresh(2, overflow(reply(6)));
    assert_eq!(isolate.memory(key('a'), 3), Some(3));
    assert_eq!(isolate.need(key('b'), 3), Some(Fetch::Ledger(key('b'))));
    isolate.refresh(4, overflow(reply(6)));
    assert_eq!(isolate.need(key('b'), 4), Some(Fetch::Ledger(key('b'))));
    isolate.refresh(5, reply(6));
    assert_eq!(isolate.need(key('b'), 5), Some(Fetch::Kv(key('b'))));
}

#[test]
fn a_record_in_kv_of_another_epoch_is_a_miss() {
    let mut isolate = Isolate::leased(5);
    let mut foreign = active(key('a'), 900);
    foreign.epoch = Epoch::new(2);
    let lookup = isolate.read_kv(key('a'), 1, Some(&foreign));
    assert_eq!(
        need(&isolate.0.find(key('a'), at(1), at(1), &lookup)),
        Some(Fetch::Ledger(key('a')))
    );
}

// -------------------------------------------------------------------------------------------------
// rule 6

#[test]
fn whoever_would_wait_sends_its_own_and_a_mark_is_dead_after_a_second() {
    let mut isolate = Isolate::new();
    isolate.refresh(0, with_record(reply(5), active(key('a'), 5)));
    // A request starts a refresh, and is cancelled before the reply.
    assert_eq!(renewal(&isolate.find(key('a'), 8_000)), Some(account()));
    isolate.renew(8_000);
    assert_eq!(renewal(&isolate.find(key('a'), 8_999)), None);
    assert_eq!(renewal(&isolate.find(key('a'), 9_000)), Some(account()));
    // Past T, every request asks the ledger itself, whatever is in flight.
    for ms in [T + 1, T + 2] {
        assert_eq!(isolate.need(key('a'), ms), Some(Fetch::Ledger(key('a'))));
        isolate.0.ask_ledger(key('a'), at(ms));
    }
}

#[test]
fn an_answer_takes_its_own_mark_away_and_no_other() {
    let mut isolate = Isolate::new();
    isolate.refresh(
        0,
        Refresh { state: Some(state(1_000)), ..with_record(reply(5), active(key('a'), 5)) },
    );
    assert_eq!(renewal(&isolate.find(key('a'), 800)), Some(account()));
    let calls = [isolate.renew(800), isolate.renew(900)];
    isolate.take(&calls[0], 910, reply(5));
    assert_eq!(renewal(&isolate.find(key('a'), 1_700)), None);
    isolate.take(&calls[1], 1_710, reply(5));
    assert_eq!(renewal(&isolate.find(key('a'), 1_720)), Some(account()));
}

// -------------------------------------------------------------------------------------------------
// changes of T

#[test]
fn a_lowered_t_counts_from_the_refresh_that_tells_of_it() {
    let mut isolate = Isolate::new();
    isolate.refresh(0, with_record(reply(5), active(key('a'), 5)));
    let lower = AccountState { revision: Revision(6), ..state(1_000) };
    isolate.refresh(1, Refresh { state: Some(lower), ..reply(6) });
    assert_eq!(isolate.memory(key('a'), 1_001), Some(5));
    assert_eq!(isolate.memory(key('a'), 1_002), None);
}

#[test]
fn an_older_state_never_comes_back() {
    let mut isolate = Isolate::leased(5);
    let call = isolate.renew(1);
    let lower = AccountState { revision: Revision(6), suspended: true, ..state(1_000) };
    isolate.refresh(2, Refresh { state: Some(lower), ..reply(6) });
    isolate.take(&call, 3, reply(5));
    let lease = isolate.0.lease(account(), at(3)).unwrap();
    assert_eq!((lease.state().freshness_ms, lease.state().suspended), (1_000, true));
}

#[test]
fn with_t_0_every_request_asks_and_shares_nothing() {
    let mut isolate = Isolate::new();
    let unshared =
        || Refresh { state: Some(state(0)), ..with_record(reply(5), active(key('a'), 5)) };
    for _ in 0..3 {
        // All of this happens in one millisecond.
        assert_eq!(isolate.need(key('a'), 0), Some(Fetch::Ledger(key('a'))));
        let call = isolate.0.ask_ledger(key('a'), at(0));
        let mut lookup = Lookup::alone();
        isolate.0.take_refresh(
            &call,
            &RefreshReply::Refreshed(unshared()),
            at(0),
            Some(&mut lookup),
        );
        let found = finding(isolate.0.find(key('a'), at(0), at(0), &lookup));
        assert_eq!(found.source, Source::Ledger);
    }
    assert_eq!(isolate.known(0), None);
    // T is lowered to 0 while a lease exists.
    let mut isolate = Isolate::leased(5);
    let none = AccountState { revision: Revision(6), ..state(0) };
    isolate.refresh(1, Refresh { state: Some(none), ..reply(6) });
    assert_eq!(isolate.known(1), None);
}

#[test]
fn an_extreme_t_overflows_nothing() {
    let mut isolate = Isolate::new();
    let eternal = AccountState { freshness_ms: u64::MAX, ..state(0) };
    isolate
        .refresh(0, Refresh { state: Some(eternal), ..with_record(reply(5), active(key('a'), 5)) });
    assert_eq!(isolate.memory(key('a'), i64::MAX - T0), Some(5));
}

#[test]
fn a_suspended_account_is_told_from_memory_and_by_the_ledger() {
    let mut isolate = Isolate::new();
    let suspended = AccountState { suspended: true, ..state(T) };
    let call = isolate.0.ask_ledger(key('a'), at(0));
    let mut lookup = Lookup::alone();
    let refreshed =
        Refresh { state: Some(suspended), ..with_record(reply(5), active(key('a'), 5)) };
    isolate.0.take_refresh(&call, &RefreshReply::Refreshed(refreshed), at(0), Some(&mut lookup));
    assert!(finding(isolate.0.find(key('a'), at(0), at(0), &lookup)).state.suspended);
    assert!(finding(isolate.find(key('a'), 1)).state.suspended);
}
