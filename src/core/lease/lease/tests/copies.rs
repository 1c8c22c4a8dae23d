//! Tests documents and shared replies, which replace the ledger's own reply.

mod renewing;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::super::{DOCUMENT_LIFE, REFRESH_ATTEMPTS};
use super::*;
use crate::lease::call::{Basis, CopyRead, CopySource, RenewalStep};
use crate::lease::usage::USAGE_PAUSE;
use crate::replication::document::Document;
use crate::replication::shared::Shared;
use crate::replication::superseded::SupersededFilter;

const S: i64 = DOCUMENT_LIFE.as_ms() as i64;

pub(super) fn none() -> Option<SupersededFilter> {
    Some(SupersededFilter::default())
}

fn terms(freshness: Freshness, outage: Outage) -> Isolate {
    Isolate(Leases::new(7, Terms { freshness, outage }))
}

pub(super) fn eventual() -> Isolate {
    terms(Freshness::Eventual, Outage::Deny)
}

/// Returns an isolate under `bounded` freshness with a grace of `s` seconds.
pub(super) fn graceful(s: u64) -> Isolate {
    terms(Freshness::Bounded, Outage::Grace(DurationMs::from_s(s)))
}

/// Returns the document of a reply; it names all changes after `base`.
pub(super) fn document(number: u64, base: u64, reply: Refresh) -> Document {
    Document::new(account(), number, reply, Revision(base)).unwrap()
}

impl Isolate {
    /// Reads a document, from the start of the read to its end.
    fn look(&mut self, from: i64, to: i64, document: Option<Document>) -> Lookup {
        let read = self.0.ask_copy(account(), CopySource::Kv, at(from));
        self.looked(&read, to, document)
    }

    fn looked(&mut self, read: &CopyRead, ms: i64, document: Option<Document>) -> Lookup {
        let mut lookup = Lookup::alone();
        self.0.take_document(read, document, at(ms), Some(&mut lookup));
        lookup
    }

    /// Reads a shared reply.
    fn neighbour(&mut self, ms: i64, shared: Shared, is_background: bool) -> Lookup {
        let read = match is_background {
            true => self.0.ask_copy_in_background(account(), CopySource::Cache, at(ms)),
            false => self.0.ask_copy(account(), CopySource::Cache, at(ms)),
        };
        let mut lookup = Lookup::default();
        self.0.take_shared(&read, Some(shared), at(ms), Some(&mut lookup));
        lookup
    }

    fn fail(&mut self, ms: i64) -> Lookup {
        let mut lookup = Lookup::alone();
        for _ in 0..REFRESH_ATTEMPTS {
            let call = self.0.ask_ledger(key('a'), at(ms));
            self.0.take_refresh(&call, &RefreshReply::Failed, at(ms), Some(&mut lookup));
        }
        lookup
    }

    fn find_by(&mut self, id: KeyId, ms: i64, lookup: &Lookup) -> Found {
        self.0.find(id, at(ms), at(ms), lookup)
    }
}

fn copy() -> Option<Fetch> {
    Some(Fetch::Copy(account(), CopySource::Kv))
}

// -------------------------------------------------------------------------------------------------
// eventual

#[test]
fn a_document_begins_a_lease_and_kv_does_the_rest() {
    let mut isolate = eventual();
    assert_eq!(isolate.need(key('a'), 0), copy());
    let lookup = isolate.look(0, 30, Some(document(9, 0, reply(5))));
    assert_eq!(need(&isolate.find_by(key('a'), 30, &lookup)), Some(Fetch::Kv(key('a'))));
    let lookup = isolate.read_kv(key('a'), 30, Some(&active(key('a'), 3)));
    let found = finding(isolate.find_by(key('a'), 60, &lookup));
    assert_eq!((found.basis, found.source, found.as_of), (Basis::Document, Source::Kv, at(0)));
    assert_eq!(isolate.memory(key('a'), T), Some(3));
    assert_eq!(isolate.0.counters().ledger_calls, 0);
    assert_eq!(isolate.need(key('a'), T + 1), copy(), "older than T");
}

#[test]
fn without_a_document_the_ledger_is_asked_and_what_it_says_counts_for_t() {
    let mut isolate = eventual();
    let lookup = isolate.look(0, 5, None);
    assert_eq!(need(&isolate.find_by(key('a'), 5, &lookup)), Some(Fetch::Ledger(key('a'))));
    isolate.refresh(5, with_record(reply(5), active(key('a'), 5)));
    let found = finding(isolate.find(key('a'), 5 + T));
    assert_eq!((found.basis, found.as_of), (Basis::Ledger, at(5)));
    assert_eq!(isolate.need(key('a'), 6 + T), copy());
}

#[test]
fn what_a_document_says_kv_may_have_wrong_only_the_ledger_can_tell() {
    let mut isolate = eventual();
    isolate.look(0, 0, Some(document(9, 0, with_unsettled(reply(5), [mark(key('b'), 5)]))));
    assert_eq!(isolate.need(key('b'), 1), Some(Fetch::Ledger(key('b'))));
    assert_eq!(isolate.need(key('a'), 1), Some(Fetch::Kv(key('a'))));
    let lookup = isolate.read_kv(key('a'), 1, None);
    assert_eq!(need(&isolate.find_by(key('a'), 1, &lookup)), Some(Fetch::Ledger(key('a'))));
    let mut isolate = eventual();
    isolate.look(0, 0, Some(document(9, 0, overflow(reply(5)))));
    assert_eq!(isolate.need(key('a'), 1), Some(Fetch::Ledger(key('a'))));
}

#[test]
fn a_change_that_a_document_names_drops_the_record_and_one_below_the_base_all() {
    for (base, kept) in [(5, Some(2)), (6, None)] {
        let mut isolate = eventual();
        isolate.look(0, 0, Some(document(9, 0, reply(5))));
        for id in [key('a'), key('b')] {
            isolate.read_kv(id, 0, Some(&active(id, 2)));
        }
        let change = with_changes(reply(9), [mark(key('a'), 8)]);
        isolate.look(10, 10, Some(document(10, base, change)));
        assert_eq!(
            (isolate.memory(key('a'), 10), isolate.memory(key('b'), 10)),
            (None, kept),
            "{base}"
        );
    }
}

/// The lease misses no change, even one that has long settled and that it saw in no document.
#[test]
fn a_change_that_settled_between_two_looks_is_not_missed() {
    let mut isolate = eventual();
    isolate.look(0, 0, Some(document(9, 0, reply(5))));
    isolate.read_kv(key('a'), 0, Some(&active(key('a'), 2)));
    let later = with_changes(reply(30), [mark(key('a'), 6), mark(key('b'), 30)]);
    isolate.look(S - 1, S - 1, Some(document(90, 5, later)));
    assert_eq!(isolate.need(key('a'), S - 1), Some(Fetch::Kv(key('a'))));
}

#[test]
fn an_older_document_is_not_taken_but_the_lease_may_be_used_on() {
    let mut isolate = eventual();
    let suspended = || AccountState { suspended: true, ..state(T) };
    isolate.look(0, 0, Some(document(10, 0, Refresh { state: Some(suspended()), ..reply(7) })));
    isolate.read_kv(key('a'), 0, Some(&active(key('a'), 2)));
    let lookup = isolate.look(T + 1, T + 1, Some(document(9, 0, reply(5))));
    let found = finding(isolate.find_by(key('a'), T + 1, &lookup));
    assert!(
        found.state.suspended && found.as_of == at(0) && !found.is_stale,
        "as old as what was read"
    );
    // One read per T is enough; the lease ends S after the last document that was no older.
    assert!(finding(isolate.find(key('a'), 2 * T)).state.suspended);
    isolate.look(S - 1, S - 1, Some(document(9, 0, reply(5))));
    assert!(finding(isolate.find(key('a'), S - 1)).state.suspended);
    let lookup = isolate.look(S, S, Some(document(9, 0, reply(5))));
    assert_eq!(need(&isolate.find_by(key('a'), S, &lookup)), Some(Fetch::Ledger(key('a'))));
    assert_eq!(isolate.known(S), None, "the number outlives the lease");
    // The same number again counts as no older.
    let lookup = isolate.look(S, S, Some(document(10, 0, reply(7))));
    assert_eq!(need(&isolate.find_by(key('a'), S, &lookup)), Some(Fetch::Kv(key('a'))));
}

#[test]
fn a_document_of_another_history_begins_a_new_lease_and_the_old_one_is_over() {
    let other =
        |number, epoch| document(number, 0, Refresh { epoch: Epoch::new(epoch), ..reply(3) });
    let mut isolate = eventual();
    isolate.look(0, 0, Some(other(9, 1)));
    isolate.read_kv(key('a'), 0, Some(&active(key('a'), 2)));
    isolate.look(1, 1, Some(other(10, 2)));
    assert_eq!((isolate.memory(key('a'), 1), isolate.known(1)), (None, Some(3)));
    isolate.look(2, 2, Some(other(9, 1)));
    isolate.look(2, 2, Some(other(11, 1)));
    assert_eq!(isolate.0.lease(account(), at(2)).unwrap().epoch(), Some(&Epoch::new(2)));

    // The ledger's reply, and a change committed here, also end an epoch, although no document says
    // so.
    for is_change in [false, true] {
        let mut isolate = eventual();
        isolate.look(0, 0, Some(other(9, 1)));
        if is_change {
            let Standing::Active(credential) = record(Standing::Active).standing else { panic!() };
            let record =
                Record::new(Epoch::new(2), Revision(4), key('a'), Standing::Active(credential));
            isolate.0.take_change(record, at(1));
        } else {
            isolate.refresh(1, Refresh { epoch: Epoch::new(2), delta: Delta::Reset, ..reply(3) });
        }
        let lookup = isolate.look(T + 2, T + 2, Some(other(9, 1)));
        assert!(matches!(isolate.find_by(key('a'), T + 2, &lookup), Found::Fetch(_)));
        let epoch = isolate.0.lease(account(), at(T + 2)).and_then(|lease| lease.epoch().cloned());
        assert_ne!(epoch, Some(Epoch::new(1)), "{is_change}");
    }
}

/// An isolate that never knew the old epoch learns from the reply which documents belong to it.
#[test]
fn a_reply_says_which_documents_are_older_than_its_history() {
    let mut isolate = eventual();
    isolate.refresh(0, Refresh { epoch: Epoch::new(2), document: 10, ..reply(3) });
    isolate.look(T, T, Some(document(9, 0, reply(30))));
    assert_eq!(isolate.known(T), Some(3));
    isolate.look(T, T, Some(document(10, 0, Refresh { epoch: Epoch::new(2), ..reply(4) })));
    assert_eq!(isolate.known(T), Some(4));
}

#[test]
fn what_has_settled_is_dropped_by_a_later_document_only() {
    let unsettled = || with_unsettled(reply(5), [mark(key('a'), 5)]);
    let mut isolate = eventual();
    isolate.look(0, 0, Some(document(9, 0, unsettled())));
    isolate.look(1, 1, Some(document(10, 0, reply(5))));
    assert_eq!(isolate.need(key('a'), 1), Some(Fetch::Kv(key('a'))));
    // After the ledger's reply at the same revision, only a certainly later document counts.
    for (taken, number, expected) in [(9, 9, Fetch::Ledger(key('a'))), (9, 10, Fetch::Kv(key('a')))]
    {
        let mut isolate = eventual();
        isolate.refresh(0, Refresh { document: taken, ..unsettled() });
        isolate.look(1, 1, Some(document(number, 0, reply(5))));
        assert_eq!(isolate.need(key('a'), 1), Some(expected), "{number}");
    }
}

#[test]
fn a_document_is_read_beside_a_request_from_half_t_on_and_uses_go_once_a_minute() {
    let mut isolate = eventual();
    isolate.look(0, 0, Some(document(9, 0, reply(5))));
    isolate.read_kv(key('a'), 0, Some(&active(key('a'), 2)));
    isolate.0.count_use(key('a'), Ok(()), None, at(0));
    assert_eq!(renewal(&isolate.find(key('a'), T / 2 - 1)), None);
    assert_eq!(renewal(&isolate.find(key('a'), T * 3 / 4)), Some(account()));
    let renewal_step = |isolate: &mut Isolate, ms, lookup: &Lookup| {
        isolate.0.renewal_step(account(), at(ms), lookup)
    };
    assert_eq!(
        renewal_step(&mut isolate, T, &Lookup::default()),
        Some(RenewalStep::Copy(CopySource::Kv))
    );
    let done = isolate.look(T, T, Some(document(9, 0, reply(5))));
    assert_eq!(renewal_step(&mut isolate, T, &done), None);
    let absent = isolate.look(T, T, None);
    assert_eq!(renewal_step(&mut isolate, T, &absent), Some(RenewalStep::Refresh));
    let pause = USAGE_PAUSE.as_ms() as i64;
    assert_eq!(
        renewal_step(&mut isolate, pause - 1, &Lookup::default()),
        Some(RenewalStep::Copy(CopySource::Kv))
    );
    assert_eq!(renewal_step(&mut isolate, pause, &Lookup::default()), Some(RenewalStep::Refresh));
    let call = isolate.renew(pause);
    assert!(call.request().usage.is_some());
    let mut lookup = Lookup::default();
    let refreshed = RefreshReply::Refreshed(Refresh { state: None, ..reply(5) });
    assert!(isolate.0.take_refresh(&call, &refreshed, at(pause), Some(&mut lookup)));
    assert_eq!(renewal_step(&mut isolate, pause, &lookup), None, "and it has renewed the lease");
}

#[test]
fn a_change_that_was_made_here_is_not_undone_by_a_document_from_before_it() {
    let mut isolate = eventual();
    isolate.0.take_change(active(key('a'), 6), at(0));
    let lookup = isolate.look(1, 1, Some(document(9, 0, reply(5))));
    assert_eq!(need(&isolate.find_by(key('a'), 1, &lookup)), Some(Fetch::Ledger(key('a'))));
    let lookup = isolate.look(2, 2, Some(document(10, 0, reply(6))));
    assert_eq!(need(&isolate.find_by(key('a'), 2, &lookup)), Some(Fetch::Kv(key('a'))));
}

/// The reply to a call from before the change has a lower revision, but says nothing of a restored
/// ledger: copies from before the change stay out.
#[test]
fn a_change_that_was_made_here_is_not_undone_after_a_late_reply_from_before_it() {
    let mut isolate = eventual();
    isolate.refresh(0, reply(5));
    let call = isolate.renew(1);
    isolate.0.take_change(active(key('a'), 6), at(2));
    assert!(isolate.take(&call, 3, reply(5)));
    isolate.0.end_all();
    let lookup = isolate.look(4, 4, Some(document(9, 0, reply(5))));
    assert_eq!(need(&isolate.find_by(key('a'), 4, &lookup)), Some(Fetch::Ledger(key('a'))));
}

#[test]
fn a_change_that_was_made_here_does_not_stand_for_those_before_it_that_the_lease_missed() {
    let mut isolate = eventual();
    isolate.look(0, 0, Some(document(9, 0, reply(5))));
    isolate.0.take_change(active(key('b'), 7), at(1));
    let lookup = isolate.look(T + 2, T + 2, Some(document(9, 0, reply(5))));
    assert_eq!(
        need(&isolate.find_by(key('a'), T + 2, &lookup)),
        Some(Fetch::Kv(key('a'))),
        "nothing was missed"
    );
    let lookup = isolate.look(2 * T + 4, 2 * T + 4, Some(document(10, 0, reply(6))));
    assert_eq!(need(&isolate.find_by(key('a'), 2 * T + 4, &lookup)), Some(Fetch::Ledger(key('a'))));
    let lookup = isolate.look(2 * T + 5, 2 * T + 5, Some(document(11, 0, reply(7))));
    assert_eq!(need(&isolate.find_by(key('a'), 2 * T + 5, &lookup)), Some(Fetch::Kv(key('a'))));
}

#[test]
fn with_t_0_every_request_asks_the_ledger_and_the_document_is_read_once() {
    let mut isolate = eventual();
    let lookup =
        isolate.look(0, 0, Some(document(9, 0, Refresh { state: Some(state(0)), ..reply(5) })));
    assert_eq!(need(&isolate.find_by(key('a'), 0, &lookup)), Some(Fetch::Ledger(key('a'))));
    assert_eq!(isolate.need(key('a'), 1), Some(Fetch::Ledger(key('a'))));
}

#[test]
fn a_document_that_comes_after_the_clock_went_back_is_not_taken() {
    let mut isolate = eventual();
    let read = isolate.0.ask_copy(account(), CopySource::Kv, at(100));
    isolate.find(key('a'), 50);
    isolate.looked(&read, 60, Some(document(9, 0, reply(5))));
    assert_eq!(isolate.known(60), None);
    assert_eq!(isolate.0.counters().discarded, 1);
}

// -------------------------------------------------------------------------------------------------
// grace

#[test]
fn in_grace_a_cold_isolate_goes_by_the_document_until_it_is_over() {
    let mut isolate = graceful(30);
    let failed = isolate.fail(0);
    assert_eq!(need(&isolate.find_by(key('a'), 0, &failed)), copy());
    isolate.look(0, 10, Some(document(9, 0, reply(5))));
    assert_eq!(isolate.need(key('a'), 10), Some(Fetch::Kv(key('a'))));
    let lookup = isolate.read_kv(key('a'), 10, Some(&active(key('a'), 2)));
    let found = finding(isolate.find_by(key('a'), 10, &lookup));
    assert_eq!((found.is_stale, found.basis, found.source), (true, Basis::Document, Source::Kv));
    // Another read does not extend the grace.
    for ms in [10_000, 20_000, 30_000] {
        let failed = isolate.fail(ms);
        isolate.look(ms, ms, Some(document(9, 0, reply(5))));
        assert!(finding(isolate.find_by(key('a'), ms, &failed)).is_stale, "{ms}");
    }
    let failed = isolate.fail(30_001);
    assert!(matches!(isolate.find_by(key('a'), 30_001, &failed), Found::OutOfReach));
    isolate.look(30_001, 30_001, Some(document(10, 0, reply(6))));
    assert!(matches!(isolate.find_by(key('a'), 30_001, &failed), Found::OutOfReach));
}

#[test]
fn an_answer_ends_the_grace_and_the_next_outage_has_its_own() {
    let mut isolate = graceful(30);
    isolate.fail(0);
    isolate.look(0, 0, Some(document(9, 0, reply(5))));
    isolate.read_kv(key('a'), 0, Some(&active(key('a'), 2)));
    let call = isolate.renew(29_000);
    isolate.take(
        &call,
        29_050,
        with_changes(Refresh { state: None, ..reply(6) }, [mark(key('b'), 6)]),
    );
    let found = finding(isolate.find(key('a'), 29_050));
    assert_eq!((found.is_stale, found.basis, found.as_of), (false, Basis::Ledger, at(29_000)));
    let second = 29_000 + 10 * T;
    let failed = isolate.fail(second);
    assert_eq!(need(&isolate.find_by(key('a'), second, &failed)), copy());
}

#[test]
fn a_document_never_makes_a_bounded_lease_fresh() {
    let mut isolate = graceful(30);
    isolate.fail(0);
    isolate.look(0, 0, Some(document(9, 0, reply(5))));
    isolate.read_kv(key('a'), 0, Some(&active(key('a'), 2)));
    // The isolate has forgotten the failures: the next request waits for the ledger again.
    let mut lookup = Lookup::alone();
    assert_eq!(need(&isolate.find_by(key('a'), 6_000, &lookup)), Some(Fetch::Ledger(key('a'))));
    // A reply requested before the document was read tells the lease's real age.
    let call = isolate.0.ask_ledger(key('b'), at(6_000));
    isolate.look(6_500, 6_600, Some(document(9, 0, reply(5))));
    let refreshed =
        RefreshReply::Refreshed(without_record(Refresh { state: None, ..reply(5) }, key('b')));
    isolate.0.take_refresh(&call, &refreshed, at(7_000), Some(&mut lookup));
    assert_eq!(finding(isolate.find(key('a'), 7_000)).as_of, at(6_000));
}

#[test]
fn without_grace_or_with_t_0_no_document_is_read() {
    let mut isolate = Isolate::new();
    let failed = isolate.fail(0);
    assert!(matches!(isolate.find_by(key('a'), 0, &failed), Found::OutOfReach));
    let mut isolate = graceful(30);
    isolate.refresh(0, Refresh { state: Some(state(0)), ..reply(5) });
    let failed = isolate.fail(0);
    assert!(matches!(isolate.find_by(key('a'), 0, &failed), Found::OutOfReach));
}

// -------------------------------------------------------------------------------------------------
// shared replies

/// Returns the shared reply of an isolate that asked at `sent` and knew all changes up to `known`.
pub(super) fn shared(sent: i64, known: u64, reply: &Refresh) -> Shared {
    Shared::new(account(), at(sent), Revision(known), reply, &state(T), none())
}

#[test]
fn a_cold_isolate_looks_at_its_neighbours_first_and_begins_with_what_they_know() {
    let mut isolate = Isolate::new();
    let found = isolate.0.find(key('a'), at(5_000), at(5_000), &Lookup::default());
    assert_eq!(need(&found), Some(Fetch::Copy(account(), CopySource::Cache)));
    let lookup = isolate.neighbour(5_000, shared(2_000, 4, &reply(5)), false);
    assert_eq!(need(&isolate.find_by(key('a'), 5_000, &lookup)), Some(Fetch::Kv(key('a'))));
    let lookup = isolate.read_kv(key('a'), 5_000, Some(&active(key('a'), 2)));
    let found = finding(isolate.find_by(key('a'), 5_000, &lookup));
    assert_eq!((found.as_of, found.basis), (at(1_000), Basis::Ledger), "a second for the clocks");
    assert_eq!(isolate.memory(key('a'), 1_000 + T), Some(2));
    assert_eq!(isolate.0.counters().ledger_calls, 0);
    assert!(isolate.0.find(key('a'), at(1_001 + T), at(1_001 + T), &Lookup::default()).is_need());
}

/// With the account the isolate forgets the revision of its own change, but not when it was.
#[test]
fn an_own_change_outlives_the_eviction_of_its_account() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    for (sent, is_taken) in [(5_000, false), (6_999, false), (7_000, true)] {
        let mut isolate = Isolate::new();
        isolate.0.end_lease(account(), Revision(6), at(6_000));
        for _ in 0..crate::lease::account::ACCOUNTS_MAX {
            isolate.0.renew(AccountId::random(&mut rng), at(6_001));
        }
        assert_eq!(isolate.0.counters().evictions, 1);
        let lookup = isolate.neighbour(8_000, shared(sent, 4, &reply(5)), false);
        let expected = if is_taken { Fetch::Kv(key('a')) } else { Fetch::Ledger(key('a')) };
        assert_eq!(need(&isolate.find_by(key('a'), 8_000, &lookup)), Some(expected), "{sent}");
    }
}

#[test]
fn what_is_too_old_or_from_the_future_or_of_no_use_is_refused() {
    // It is as new as can be.
    let strict = Shared::new(account(), at(6_000), Revision(4), &reply(5), &state(0), none());
    for (what, shared) in [
        ("replayed", shared(5_000 - T, 4, &reply(5))),
        ("from the future", shared(6_001, 4, &reply(5))),
        ("of T = 0", strict),
    ] {
        let mut isolate = Isolate::new();
        let lookup = isolate.neighbour(5_000, shared, false);
        assert_eq!(
            need(&isolate.find_by(key('a'), 5_000, &lookup)),
            Some(Fetch::Ledger(key('a'))),
            "{what}"
        );
        assert_eq!(isolate.known(5_000), None, "{what}");
        assert_eq!(isolate.0.counters().shared_taken, 0, "{what}");
    }
    // A background refresh has no use for a reply older than T/2.
    for (sent, is_of_use) in [(10_999, false), (11_000, true)] {
        let mut isolate = Isolate::leased(5);
        let lookup = isolate.neighbour(15_000, shared(sent, 5, &reply(5)), true);
        let next = isolate.0.renewal_step(account(), at(15_000), &lookup);
        assert_eq!(next, if is_of_use { None } else { Some(RenewalStep::Refresh) }, "{sent}");
    }
    // The shared reply is older than the lease.
    let mut isolate = Isolate::leased(5);
    isolate.neighbour(500, shared(1_000, 5, &reply(6)), false);
    assert_eq!(isolate.known(500), Some(5));
}

#[test]
fn what_a_neighbour_says_from_the_future_costs_nobody_the_lease() {
    let mut isolate = Isolate::leased(5);
    isolate.neighbour(5_000, shared(6_001, 4, &reply(6)), true);
    assert_eq!((isolate.known(5_000), isolate.as_of(5_000)), (Some(5), Some(0)));
}

#[test]
fn what_neighbours_share_is_not_taken_after_the_clock_went_back() {
    let mut isolate = Isolate::new();
    let read = isolate.0.ask_copy(account(), CopySource::Cache, at(100));
    isolate.find(key('a'), 50);
    isolate.0.take_shared(&read, Some(shared(1_050, 4, &reply(5))), at(60), None);
    assert_eq!((isolate.known(60), isolate.0.counters().discarded), (None, 1));
}

#[test]
fn an_isolate_below_the_base_drops_its_records_and_one_above_takes_the_changes() {
    for (known, kept) in [(4, Some(2)), (5, Some(2)), (6, None)] {
        let mut isolate = Isolate::leased(5);
        for id in [key('a'), key('b')] {
            isolate.read_kv(id, 0, Some(&active(id, 2)));
        }
        let refreshed = with_changes(reply(8), [mark(key('a'), 8)]);
        isolate.neighbour(5_000, shared(4_000, known, &refreshed), false);
        assert_eq!(
            (isolate.memory(key('a'), 5_000), isolate.memory(key('b'), 5_000)),
            (None, kept)
        );
        assert_eq!(isolate.0.lease(account(), at(5_000)).unwrap().as_of(), at(3_000));
    }
}

#[test]
fn another_history_is_not_taken_from_a_neighbour() {
    let mut isolate = Isolate::leased(5);
    let other = Refresh { epoch: Epoch::new(2), ..reply(8) };
    isolate.neighbour(5_000, shared(4_000, 4, &other), false);
    assert_eq!(isolate.0.lease(account(), at(5_000)).unwrap().epoch(), Some(&epoch()));
    // A shared reply of an ended epoch is useless too, even without a lease.
    isolate.refresh(5_000, Refresh { delta: Delta::Reset, ..other });
    let gone = 5_000 + 10 * T;
    isolate.neighbour(gone, shared(gone, 4, &reply(9)), false);
    assert_eq!(isolate.known(gone), None);
}

#[test]
fn what_a_neighbour_was_told_settles_nothing_at_the_same_revision() {
    let mut isolate = Isolate::new();
    isolate.refresh(0, with_unsettled(reply(5), [mark(key('a'), 5)]));
    isolate.neighbour(5_000, shared(4_000, 5, &reply(5)), false);
    assert_eq!(isolate.need(key('a'), 5_000), Some(Fetch::Ledger(key('a'))));
    isolate.neighbour(6_000, shared(5_500, 5, &reply(6)), false);
    assert_eq!(isolate.need(key('a'), 6_000), Some(Fetch::Kv(key('a'))));
}

#[test]
fn with_t_0_nothing_is_shared_or_looked_for() {
    let mut isolate = Isolate::new();
    let call = isolate.renew(0);
    let strict = RefreshReply::Refreshed(Refresh { state: Some(state(0)), ..reply(5) });
    assert!(call.to_share(&strict, none(), at(1)).is_none());
    isolate.0.take_refresh(&call, &strict, at(1), None);
    let found = isolate.0.find(key('a'), at(2), at(2), &Lookup::default());
    assert_eq!(need(&found), Some(Fetch::Ledger(key('a'))));
}

#[test]
fn a_reply_is_shared_without_its_answers_and_not_when_the_clock_went_back() {
    let mut isolate = Isolate::leased(5);
    let call = isolate.renew(1_000);
    let refreshed = with_record(
        with_changes(Refresh { state: None, ..reply(6) }, [mark(key('a'), 6)]),
        active(key('a'), 6),
    );
    let refreshed = RefreshReply::Refreshed(refreshed);
    let shared = call.to_share(&refreshed, none(), at(1_100)).unwrap();
    isolate.0.note_shared();
    assert_eq!(isolate.0.counters().shared_puts, 1);
    assert_eq!((shared.base, shared.as_of), (Revision(5), at(0)));
    assert_eq!((shared.reply.answers.len(), shared.reply.state), (0, Some(state(T))));
    assert_eq!(call.to_share(&refreshed, none(), at(999)), None);
    assert_eq!(call.to_share(&RefreshReply::Failed, none(), at(1_100)), None);
    assert_eq!(call.to_share(&RefreshReply::Gone, none(), at(1_100)), None);
    assert_eq!(
        call.to_share(&RefreshReply::Refreshed(reply(4)), none(), at(1_100)),
        None,
        "no answer at all"
    );
}

impl Found {
    fn is_need(&self) -> bool {
        matches!(self, Self::Fetch(_))
    }
}
