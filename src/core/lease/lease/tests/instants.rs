//! Tests by which moment a fact is dated, where time passes between a question and its answer, and
//! which facts a later but weaker one must not undo.

use super::super::{GIVEN_UP, OUTAGE_MEMORY, REFRESH_ATTEMPTS};
use super::copies::{document, eventual, graceful, none, shared};
use super::*;
use crate::lease::call::{CopySource, RenewalStep};
use crate::replication::refresh::SETTLE_MS;

fn ms(span: DurationMs) -> i64 {
    span.as_ms().try_into().unwrap()
}

impl Isolate {
    /// Calls the ledger in vain. The call is sent at `sent` and fails at `failed`.
    fn in_vain(&mut self, sent: i64, failed: i64, lookup: &mut Lookup) {
        let call = self.0.ask_ledger(key('a'), at(sent));
        self.0.take_refresh(&call, &RefreshReply::Failed, at(failed), Some(lookup));
    }

    fn is_ledger_away(&self, ms: i64) -> bool {
        self.0.accounts.peek(account()).unwrap().is_ledger_away(at(ms))
    }

    fn is_in_grace(&self, ms: i64) -> bool {
        let outage = Outage::Grace(DurationMs::from_s(30));
        self.0.accounts.peek(account()).unwrap().is_in_grace(outage, at(ms))
    }

    /// Reads a document, from the start of the read to its end.
    fn read_document(&mut self, from: i64, to: i64, number: u64, reply: Refresh) {
        let read = self.0.ask_copy(account(), CopySource::Kv, at(from));
        self.0.take_document(&read, Some(document(number, 0, reply)), at(to), None);
    }

    fn read_shared(&mut self, ms: i64, sent: i64, reply: &Refresh) {
        let read = self.0.ask_copy(account(), CopySource::Cache, at(ms));
        self.0.take_shared(&read, Some(shared(sent, 5, reply)), at(ms), None);
    }
}

// -------------------------------------------------------------------------------------------------
// failures

#[test]
fn a_failure_counts_from_the_moment_at_which_the_call_failed() {
    let mut isolate = Isolate::new();
    let mut lookup = Lookup::alone();
    isolate.in_vain(0, 2_000, &mut lookup);
    isolate.in_vain(2_000, 4_000, &mut lookup);
    assert!(matches!(isolate.find(key('b'), 4_000 + ms(GIVEN_UP) - 1), Found::OutOfReach));
    assert_eq!(isolate.need(key('b'), 4_000 + ms(GIVEN_UP)), Some(Fetch::Ledger(key('b'))));
    assert!(isolate.is_ledger_away(4_000 + ms(OUTAGE_MEMORY) - 1));
    assert!(!isolate.is_ledger_away(4_000 + ms(OUTAGE_MEMORY)));
    assert!(isolate.is_in_grace(32_000) && !isolate.is_in_grace(32_001));
}

#[test]
fn a_late_answer_to_a_call_from_before_the_failures_does_not_end_the_outage() {
    for (sent, is_away) in [(0, true), (2_001, false)] {
        let mut isolate = Isolate::leased(5);
        let early = isolate.renew(sent.min(0));
        let mut lookup = Lookup::alone();
        isolate.in_vain(1, 1_000, &mut lookup);
        isolate.in_vain(1_000, 2_000, &mut lookup);
        let call = if sent == 0 { early } else { isolate.renew(sent) };
        assert!(isolate.take(&call, 2_500, reply(5)));
        assert_eq!(isolate.is_ledger_away(2_500), is_away, "{sent}");
        assert_eq!(isolate.is_in_grace(2_500), is_away, "{sent}");
    }
}

#[test]
fn the_first_of_several_attempts_does_not_make_others_give_up() {
    let mut isolate = Isolate::new();
    isolate.in_vain(0, 10, &mut Lookup::alone());
    assert_eq!(isolate.need(key('b'), 11), Some(Fetch::Ledger(key('b'))));
}

#[test]
fn a_reply_to_another_isolate_ends_an_outage_that_began_before_its_call() {
    for (failed, is_ended) in [(19_499, true), (19_500, true), (19_501, false)] {
        let mut isolate = graceful(30);
        isolate.in_vain(failed - 1, failed, &mut Lookup::alone());
        // It holds as of 19,500, and is read later.
        isolate.read_shared(20_000, 20_500, &reply(5));
        assert_eq!(isolate.as_of(20_000), Some(19_500));
        assert_eq!(isolate.is_in_grace(20_000), !is_ended, "{failed}");
    }
}

// -------------------------------------------------------------------------------------------------
// copies

#[test]
fn a_document_dates_a_lease_from_the_start_of_its_read_whether_it_is_newer_or_older() {
    for number in [9, 10, 11] {
        let mut isolate = eventual();
        isolate.read_document(0, 0, 10, reply(5));
        isolate.read_kv(key('b'), 0, Some(&active(key('b'), 2)));
        isolate.read_document(2_000, 4_000, number, reply(5));
        assert_eq!(renewal(&isolate.find(key('b'), 1_999 + T / 2)), None, "{number}");
        let due = renewal(&isolate.find(key('b'), 2_000 + T * 3 / 4));
        assert_eq!(due, Some(account()), "{number}");
        assert_eq!(isolate.need(key('a'), 2_000 + T), Some(Fetch::Kv(key('a'))), "{number}");
        let copy = Some(Fetch::Copy(account(), CopySource::Kv));
        assert_eq!(isolate.need(key('a'), 2_001 + T), copy, "{number}");
    }
    // A read that began earlier and ends later does not make the lease older.
    let mut isolate = eventual();
    isolate.read_document(0, 0, 10, reply(5));
    let [early, late] =
        [1_000, 2_000].map(|from| isolate.0.ask_copy(account(), CopySource::Kv, at(from)));
    for read in [late, early] {
        isolate.0.take_document(&read, Some(document(9, 0, reply(4))), at(3_000), None);
    }
    assert_eq!(isolate.need(key('a'), 2_000 + T), Some(Fetch::Kv(key('a'))));
}

/// Reads of documents that are all older than the lease renew no lease. It lives for S: each change
/// stays unsettled for as long, so every document of that time names it.
#[test]
fn a_lease_ends_with_the_life_of_its_last_document_however_often_older_ones_are_read() {
    let mut isolate = eventual();
    let life = SETTLE_MS as i64;
    isolate.read_document(0, 0, 10, reply(5));
    for from in (T..life).step_by(5_000) {
        isolate.read_document(from, from, 9, reply(5));
    }
    assert_eq!((isolate.known(life - 1), isolate.known(life)), (Some(5), None));
}

#[test]
fn a_shared_reply_counts_from_its_first_to_its_last_instant() {
    for (sent, is_taken) in [
        // It holds as of 1 s before: exactly T old, then a millisecond too old.
        (21_000 - T, true),
        (20_999 - T, false),
        // It holds as of now, then as of a millisecond from now.
        (21_000, true),
        (21_001, false),
    ] {
        let mut isolate = Isolate::new();
        isolate.read_shared(20_000, sent, &reply(5));
        assert_eq!(isolate.known(20_000), is_taken.then_some(5), "{sent}");
    }
    // A reply as old as the lease brings nothing.
    for (sent, known) in [(1_000, 5), (1_001, 6)] {
        let mut isolate = Isolate::leased(5);
        isolate.read_shared(500, sent, &reply(6));
        assert_eq!(isolate.known(500), Some(known), "{sent}");
    }
}

#[test]
fn a_copy_of_the_revision_of_an_own_change_is_taken_and_one_below_is_not() {
    for (revision, is_taken) in [(5, false), (6, true)] {
        let mut isolate = Isolate::new();
        isolate.0.end_lease(account(), Revision(6), at(0));
        isolate.read_shared(5_000, 5_500, &reply(revision));
        assert_eq!(isolate.known(5_000), is_taken.then_some(revision));
        let mut isolate = eventual();
        isolate.0.end_lease(account(), Revision(6), at(0));
        isolate.read_document(5_000, 5_000, 9, reply(revision));
        assert_eq!(isolate.known(5_000), is_taken.then_some(revision));
    }
}

/// The reply to a call that was sent before the change is not behind; it is early. One that was sent
/// after it, even in the same millisecond, is behind.
#[test]
fn a_reply_that_was_asked_for_before_an_own_change_does_not_make_room_for_older_copies() {
    let gone = 10 * T + 10;
    for (sent, is_forgotten) in [(0, false), (1, true), (2, true)] {
        let mut isolate = eventual();
        isolate.refresh(0, Refresh { document: 9, ..reply(5) });
        let early = isolate.renew(0);
        isolate.0.take_change(active(key('a'), 6), at(1));
        let call = if sent == 0 { early } else { isolate.renew(sent) };
        assert!(isolate.take(&call, 3, Refresh { document: 9, ..reply(5) }));
        assert_eq!(isolate.known(gone), None);
        isolate.read_document(gone, gone, 9, reply(5));
        assert_eq!(isolate.known(gone), is_forgotten.then_some(5), "{sent}");
    }
    // The ledger's own reply at the revision of the change keeps the bound.
    let mut isolate = eventual();
    isolate.0.take_change(active(key('a'), 6), at(1));
    isolate.refresh(2, Refresh { document: 9, ..reply(6) });
    isolate.read_document(gone, gone, 9, reply(5));
    assert_eq!(isolate.known(gone), None);
}

#[test]
fn a_lower_document_number_in_a_later_reply_does_not_let_older_documents_in() {
    let mut isolate = eventual();
    isolate.refresh(0, Refresh { document: 9, ..reply(5) });
    isolate.refresh(1, Refresh { document: 0, ..reply(5) });
    let gone = 10 * T + 1;
    isolate.read_document(gone, gone, 8, reply(7));
    assert_eq!(isolate.known(gone), None);
    isolate.read_document(gone, gone, 9, reply(7));
    assert_eq!(isolate.known(gone), Some(7));
    // Nor does it make a document of the same number newer than the lease.
    let unsettled = || with_unsettled(reply(5), [mark(key('a'), 5)]);
    let mut isolate = eventual();
    isolate.refresh(0, Refresh { document: 9, ..unsettled() });
    isolate.refresh(1, Refresh { document: 0, ..unsettled() });
    isolate.read_document(2, 2, 9, reply(5));
    assert_eq!(isolate.need(key('a'), 2), Some(Fetch::Ledger(key('a'))));
}

#[test]
fn an_own_change_does_not_end_an_overflow() {
    let mut isolate = Isolate::leased(5);
    isolate.refresh(1, overflow(reply(6)));
    isolate.0.take_change(active(key('b'), 7), at(2));
    assert_eq!(isolate.need(key('a'), 2), Some(Fetch::Ledger(key('a'))));
    isolate.refresh(3, reply(6));
    assert_eq!(isolate.need(key('a'), 3), Some(Fetch::Kv(key('a'))));
}

// -------------------------------------------------------------------------------------------------
// T = 0

/// With T = 0 no lease remains, so nothing but its time shows that an answer is earlier.
#[test]
fn what_was_asked_before_t_was_0_begins_no_lease_after_it() {
    let strict = || {
        let state = AccountState { revision: Revision(6), ..state(0) };
        Refresh { state: Some(state), ..reply(6) }
    };
    let mut isolate = eventual();
    let early = isolate.0.ask_ledger(key('a'), at(0));
    let read = isolate.0.ask_copy(account(), CopySource::Kv, at(0));
    isolate.refresh(1, strict());
    assert!(isolate.take(&early, 2, with_record(reply(5), active(key('a'), 5))));
    isolate.0.take_document(&read, Some(document(9, 0, reply(5))), at(3), None);
    assert_eq!(isolate.known(3), None);
    assert_eq!(isolate.need(key('a'), 3), Some(Fetch::Ledger(key('a'))), "and no copy");
    // T rises again: an answer that was asked for at the same time may be from before.
    let raised = || {
        let state = AccountState { revision: Revision(7), ..state(T) };
        Refresh { state: Some(state), ..reply(7) }
    };
    for order in [[0, 1], [1, 0]] {
        for (asked, known) in [(0, None), (1, None), (2, Some(7))] {
            let mut isolate = Isolate::new();
            let calls = [1, 2, 3].map(|ms| [isolate.renew(ms), isolate.renew(ms)]);
            for strictly in order {
                assert!(isolate.take(&calls[strictly][0], 4, strict()));
            }
            assert!(isolate.take(&calls[asked][1], 5, raised()));
            assert_eq!(isolate.known(5), known, "{order:?} {asked}");
        }
    }
}

/// The time of the last reply with T = 0 lies in the future after the step.
#[test]
fn after_a_clock_step_the_next_reply_says_what_t_is() {
    let mut isolate = Isolate::new();
    isolate.refresh(100_000, Refresh { state: Some(state(0)), ..reply(5) });
    assert_eq!(isolate.need(key('a'), 0), Some(Fetch::Ledger(key('a'))));
    let lookup = Lookup::default();
    let found = isolate.0.find(key('a'), at(0), at(0), &lookup);
    assert_eq!(need(&found), Some(Fetch::Ledger(key('a'))), "T is still 0");
    isolate.refresh(1, reply(6));
    assert_eq!(isolate.known(1), Some(6));
}

// -------------------------------------------------------------------------------------------------
// numbers and results of an earlier attempt

type Event = fn(&mut Isolate);
const EVENTS: [(&str, Event); 3] = [
    ("the clock steps back", |isolate| assert!(isolate.need(key('a'), 50).is_some())),
    ("all leases end", |isolate| isolate.0.end_all()),
    ("the lease ends", |isolate| isolate.0.end_lease(account(), Revision(5), at(100))),
];

#[test]
fn no_number_begins_again_and_nothing_from_before_is_taken_for_the_present() {
    for (name, event) in EVENTS {
        let mut isolate = Isolate::new();
        let batch = |isolate: &mut Isolate, ms| {
            isolate.0.count_use(key('a'), Ok(()), None, at(ms));
            let call = isolate.renew(ms);
            isolate.take(&call, ms, reply(5));
            call.request().usage.as_ref().map(|batch| batch.sequence)
        };
        assert_eq!(batch(&mut isolate, 100), Some(1));
        let warm = isolate.renew(100);
        event(&mut isolate);
        assert_eq!(isolate.known(100), None, "{name}");
        assert_eq!(batch(&mut isolate, 200), Some(2), "{name}");
        isolate.take(&warm, 201, reply(9));
        assert_eq!((isolate.known(201), isolate.0.counters().discarded), (Some(5), 1), "{name}");

        let mut isolate = Isolate::new();
        let cold = isolate.renew(100);
        event(&mut isolate);
        isolate.take(&cold, 200, reply(9));
        assert_eq!((isolate.known(200), isolate.0.counters().discarded), (None, 1), "{name}");
    }
}

#[test]
fn the_last_result_of_a_request_counts_and_a_failed_one_undoes_no_renewal() {
    let (id, mut lookup) = (key('a'), Lookup::default());
    let mut isolate = eventual();
    for refreshed in [without_record(reply(5), id), with_record(reply(6), active(id, 6))] {
        let call = isolate.0.ask_ledger(id, at(0));
        let refreshed = RefreshReply::Refreshed(refreshed);
        assert!(isolate.0.take_refresh(&call, &refreshed, at(1), Some(&mut lookup)));
    }
    let found = finding(isolate.0.find(id, at(0), at(1), &lookup));
    assert!(matches!(found.cached, CachedKey::Record(record) if record.revision == Revision(6)));
    let read = isolate.0.ask_copy(account(), CopySource::Kv, at(2));
    isolate.0.take_document(&read, None, at(3), Some(&mut lookup));
    assert_eq!(isolate.0.renewal_step(account(), at(3), &lookup), None, "it was renewed");

    let mut lookup = Lookup::alone();
    for (held, source) in
        [(None, None), (Some(active(key('b'), 2)), Some(Source::Kv)), (None, Some(Source::Memory))]
    {
        let read = isolate.0.ask_kv(key('b'), at(4));
        isolate.0.take_kv(&read, held.as_ref().map(json).as_deref(), at(4), &mut lookup);
        let found = match isolate.0.find(key('b'), at(4), at(4), &lookup) {
            Found::Finding(finding, _) => Some(finding.source),
            _ => None,
        };
        assert_eq!(found, source);
    }
}

#[test]
fn an_answer_about_one_account_says_nothing_about_another() {
    let (mut isolate, mut lookup) = (Isolate::new(), Lookup::alone());
    let call = isolate.renew(0);
    let refreshed = RefreshReply::Refreshed(reply(5));
    isolate.0.take_refresh(&call, &refreshed, at(0), Some(&mut lookup));
    let other = AccountId::parse("ZZZZZZZZ").unwrap();
    assert!(lookup.is_answered(Fetch::State(account())));
    assert!(!lookup.is_answered(Fetch::State(other)));
    let found = isolate.0.find_state(other, at(0), at(0), &lookup);
    assert!(matches!(found, Found::Fetch(Fetch::State(id)) if id == other), "{found:?}");
    assert!(matches!(isolate.0.find_state(account(), at(0), at(0), &lookup), Found::Finding(..)));
}

#[test]
fn that_an_account_is_gone_counts_for_t_from_the_sending_of_the_call() {
    let mut isolate = Isolate::new();
    let call = isolate.renew(0);
    isolate.0.take_refresh(&call, &RefreshReply::Gone, at(500), None);
    assert_eq!(finding(isolate.find(key('a'), T)).cached, CachedKey::NoSuchKey);
    assert_eq!(isolate.need(key('a'), T + 1), Some(Fetch::Ledger(key('a'))));
}

#[test]
fn a_reply_can_be_shared_in_the_millisecond_of_its_call() {
    let mut isolate = Isolate::leased(5);
    let call = isolate.renew(1_000);
    let refreshed = RefreshReply::Refreshed(reply(6));
    assert!(call.to_share(&refreshed, none(), at(1_000)).is_some());
    assert_eq!(call.to_share(&refreshed, none(), at(999)), None);
}

#[test]
fn after_a_clock_step_usage_of_other_accounts_does_not_wait_for_the_old_time() {
    let (other, mut isolate) = (KeyId::parse("ZZZZZZZZ0000000000").unwrap(), Isolate::leased(5));
    let serve = |isolate: &mut Isolate, ms| {
        let call = isolate.0.ask_ledger(other, at(ms));
        isolate.take(&call, ms, without_record(reply(5), other));
        renewal(&isolate.find(other, ms))
    };
    assert_eq!(serve(&mut isolate, 1_000_000), None, "no usage waits");
    assert_eq!(serve(&mut isolate, 0), None, "the clock stepped back");
    isolate.0.count_use(key('a'), Ok(()), None, at(0));
    assert_eq!(serve(&mut isolate, 59_999), None);
    assert_eq!(serve(&mut isolate, 60_000), Some(account()));
}

#[test]
fn an_account_starts_one_timer_for_the_requests_that_wait_to_start_it() {
    let mut isolate = Isolate::leased(5);
    for ms in [0, 10_000, 20_000] {
        isolate.0.count_use(key('a'), Ok(()), None, at(ms));
    }
    assert_eq!((isolate.0.take_timer(), isolate.0.take_timer()), (Some(account()), None));
}

#[test]
fn a_timer_stops_after_the_last_attempt_or_a_renewal_that_was_in_time() {
    let mut isolate = Isolate::leased(5);
    isolate.0.count_use(key('a'), Ok(()), None, at(0));
    let mut lookup = Lookup::default();
    for attempt in 0..REFRESH_ATTEMPTS {
        assert!(isolate.0.must_flush(account(), at(20_000), &lookup), "{attempt}");
        isolate.in_vain(20_000, 20_000, &mut lookup);
    }
    assert!(!isolate.0.must_flush(account(), at(20_000), &lookup));
    assert_eq!(isolate.0.renewal_step(account(), at(20_000), &lookup), None);
    let mut lookup = Lookup::default();
    let call = isolate.renew(20_000);
    isolate.0.count_use(key('a'), Ok(()), None, at(20_001));
    let refreshed = RefreshReply::Refreshed(reply(5));
    assert!(isolate.0.take_refresh(&call, &refreshed, at(20_002), Some(&mut lookup)));
    // What was counted meanwhile waits for the next call.
    assert!(!isolate.0.must_flush(account(), at(60_000), &lookup));
    assert!(isolate.0.must_flush(account(), at(60_000), &Lookup::default()));
    let step = isolate.0.renewal_step(account(), at(60_000), &Lookup::default());
    assert_eq!(step, Some(RenewalStep::Copy(CopySource::Cache)));
}

// -------------------------------------------------------------------------------------------------
// two mechanisms at once

#[test]
fn what_counts_for_grace_and_renewal_is_when_the_request_arrived_and_what_time_it_is() {
    let mut isolate = graceful(30);
    let mut lookup = Lookup::alone();
    (0..2).for_each(|_| isolate.in_vain(0, 0, &mut lookup));
    isolate.read_document(0, 0, 9, reply(5));
    isolate.read_kv(key('a'), 0, Some(&active(key('a'), 2)));
    for (arrival, is_found) in [(30_000, true), (30_001, false)] {
        let found = isolate.0.find(key('a'), at(arrival), at(30_500), &lookup);
        assert_eq!(matches!(found, Found::Finding(..)), is_found, "{arrival}");
    }
    // The lease has become old while the request waited.
    let mut isolate = Isolate::new();
    isolate.refresh(0, with_record(reply(5), active(key('a'), 5)));
    let found = isolate.0.find(key('a'), at(0), at(T * 3 / 4), &Lookup::alone());
    assert_eq!(renewal(&found), Some(account()));
}

#[test]
fn a_request_whose_own_attempts_failed_far_apart_knows_that_the_ledger_is_away() {
    let mut isolate = graceful(30);
    isolate.refresh(0, with_record(reply(5), active(key('a'), 5)));
    let mut lookup = Lookup::default();
    isolate.in_vain(T + 1, T + 1, &mut lookup);
    // After a failure of its own, it asks no neighbour.
    let found = isolate.0.find(key('a'), at(T + 1), at(T + 1), &lookup);
    assert_eq!(need(&found), Some(Fetch::Ledger(key('a'))));
    let late = T + 1 + ms(OUTAGE_MEMORY);
    isolate.in_vain(T + 2, late, &mut lookup);
    assert!(!isolate.is_ledger_away(late));
    assert!(finding(isolate.0.find(key('a'), at(T + 1), at(late), &lookup)).is_stale);
}

#[test]
fn under_eventual_freshness_grace_counts_from_the_last_read_of_a_document() {
    let outage = Outage::Grace(DurationMs::from_s(30));
    let mut isolate = Isolate(Leases::new(7, Terms { freshness: Freshness::Eventual, outage }));
    isolate.read_document(0, 0, 9, reply(5));
    assert_eq!(isolate.0.counters().documents_taken, 1);
    isolate.read_kv(key('a'), 0, Some(&active(key('a'), 2)));
    for (ms, is_found) in [(T + 30_000, true), (T + 30_001, false)] {
        let mut lookup = Lookup::alone();
        (0..2).for_each(|_| isolate.in_vain(ms, ms, &mut lookup));
        let found = isolate.0.find(key('a'), at(ms), at(ms), &lookup);
        assert_eq!(matches!(found, Found::Finding(..)), is_found, "{ms}");
    }
}

#[test]
fn an_own_change_in_a_new_epoch_keeps_documents_of_the_old_one_out_whatever_their_revision() {
    let mut isolate = eventual();
    isolate.read_document(0, 0, 9, reply(5));
    let foreign = Record { epoch: Epoch::new(2), ..active(key('a'), 4) };
    isolate.0.take_change(foreign, at(1));
    isolate.read_document(2, 2, 10, reply(6));
    assert_eq!(isolate.known(2), None);
    // A lease of the new epoch misses nothing of the old one, so it may be used on.
    isolate.refresh(2, Refresh { epoch: Epoch::new(2), document: 11, ..reply(4) });
    isolate.read_document(T + 3, T + 3, 10, reply(60));
    assert_eq!(isolate.need(key('b'), T + 3), Some(Fetch::Kv(key('b'))));
    // But it says nothing about replies of the old one.
    let reply = |number| RefreshReply::Refreshed(Refresh { epoch: Epoch::new(number), ..reply(4) });
    let is_covering = |number| isolate.0.covering(account(), &reply(number), at(T + 3)).is_some();
    assert!(is_covering(2) && !is_covering(1));
}

#[test]
fn with_t_0_a_background_refresh_asks_the_ledger_and_reads_no_copy() {
    for mut isolate in [Isolate::new(), eventual()] {
        isolate.refresh(0, Refresh { state: Some(state(0)), ..reply(5) });
        let step = isolate.0.renewal_step(account(), at(0), &Lookup::default());
        assert_eq!(step, Some(RenewalStep::Refresh));
    }
}

#[test]
fn a_reply_from_before_an_account_was_gone_does_not_bring_it_back() {
    let mut isolate = Isolate::leased(5);
    let late = isolate.renew(1);
    let call = isolate.renew(1);
    isolate.0.take_refresh(&call, &RefreshReply::Gone, at(2), None);
    isolate.take(&late, 3, reply(9));
    assert_eq!((isolate.known(3), isolate.0.counters().discarded), (Some(0), 1));
}

#[test]
fn a_sweep_takes_all_accounts_whose_usage_is_due_and_the_next_one_comes_a_minute_later() {
    let (other, mut isolate) = (KeyId::parse("ZZZZZZZZ0000000000").unwrap(), Isolate::new());
    let serve = |isolate: &mut Isolate, ms| {
        let call = isolate.0.ask_ledger(other, at(ms));
        isolate.take(&call, ms, without_record(reply(5), other));
        renewal(&isolate.find(other, ms))
    };
    let ids = ["XXXXXXXX0000000000", "YYYYYYYY0000000000"].map(|id| KeyId::parse(id).unwrap());
    ids.iter().for_each(|id| isolate.0.count_use(*id, Ok(()), None, at(0)));
    assert_eq!(serve(&mut isolate, 59_999), None);
    assert_eq!(serve(&mut isolate, 119_998), None, "the sweep found none a minute ago");
    let swept: std::collections::BTreeSet<_> =
        [119_999; 2].into_iter().filter_map(|ms| serve(&mut isolate, ms)).collect();
    assert_eq!(swept, ids.map(|id| id.account()).into());
}
