//! Tests bad timing: replies that are late, out of order or of another lease, clocks that step,
//! isolates that slept.

use super::*;

#[test]
fn of_two_refreshes_answered_in_the_wrong_order_the_newer_stands() {
    let mut isolate = Isolate::leased(5);
    let (first, second) = (isolate.renew(1), isolate.renew(2));
    let marks = [mark(key('a'), 7)];
    isolate.take(&second, 3, with_unsettled(with_changes(reply(7), marks), marks));
    // The reply was made before the change, so it names no change and no unsettled key.
    isolate.take(&first, 4, reply(6));
    assert_eq!((isolate.known(4), isolate.as_of(4)), (Some(7), Some(2)));
    assert_eq!(isolate.need(key('a'), 4), Some(Fetch::Ledger(key('a'))));
}

#[test]
fn a_reply_that_was_made_earlier_but_asked_later_still_makes_the_lease_younger() {
    let mut isolate = Isolate::leased(5);
    let (first, second) = (isolate.renew(1), isolate.renew(2));
    isolate.take(&first, 3, reply(7));
    isolate.take(&second, 4, reply(6));
    assert_eq!((isolate.known(4), isolate.as_of(4)), (Some(7), Some(2)));
}

#[test]
fn an_answer_from_before_a_change_does_not_enter_after_it_but_serves_who_asked() {
    let mut isolate = Isolate::leased(5);
    let call = isolate.0.ask_ledger(key('a'), at(1));
    // The change has already settled when the isolate learns of it, so the map keeps no trace.
    isolate.refresh(2, with_changes(reply(7), [mark(key('a'), 7)]));
    let mut lookup = Lookup::alone();
    let refreshed = RefreshReply::Refreshed(with_record(reply(5), active(key('a'), 4)));
    isolate.0.take_refresh(&call, &refreshed, at(3), Some(&mut lookup));
    assert_eq!(isolate.memory(key('a'), 3), None);
    assert!(matches!(isolate.0.find(key('a'), at(1), at(3), &lookup), Found::Finding(..)));

    let call = isolate.0.ask_ledger(key('b'), at(4));
    isolate.refresh(5, with_changes(reply(8), [mark(key('b'), 8)]));
    isolate.take(&call, 6, without_record(reply(7), key('b')));
    assert_eq!(isolate.need(key('b'), 6), Some(Fetch::Kv(key('b'))));
}

/// Without a lease, nothing but the revision of the change contradicts the older reply.
#[test]
fn a_reply_from_before_a_change_that_was_made_here_begins_no_lease() {
    let mut isolate = Isolate::new();
    let call = isolate.renew(0);
    isolate.0.take_change(active(key('a'), 7), at(1));
    assert!(isolate.take(&call, 2, reply(6)), "it is an answer");
    assert_eq!(isolate.known(2), None);
    isolate.refresh(3, reply(7));
    assert_eq!(isolate.known(3), Some(7));
}

/// A ledger that was restored begins another epoch and counts from a lower revision.
#[test]
fn a_reply_that_was_asked_after_a_change_that_was_made_here_counts_whatever_its_revision() {
    let mut isolate = Isolate::new();
    isolate.0.take_change(active(key('a'), 7), at(0));
    isolate.refresh(1, reply(6));
    assert_eq!(isolate.known(1), Some(6));
}

#[test]
fn kv_read_before_a_change_is_no_help_after_it() {
    let id = key('a');
    for unsettled in [vec![], vec![mark(id, 7)]] {
        let mut isolate = Isolate::leased(5);
        let read = isolate.0.ask_kv(id, at(1));
        let changed = Refresh { unsettled: Unsettled::Set(unsettled), ..reply(7) };
        isolate.refresh(2, with_changes(changed, [mark(id, 7)]));
        let lookup = isolate.kv(&read, 3, Some(&active(id, 4)));
        assert_eq!(need(&isolate.0.find(id, at(1), at(3), &lookup)), Some(Fetch::Ledger(id)));
        assert_eq!(isolate.memory(id, 3), None);
    }
}

#[test]
fn kv_never_replaces_what_is_newer() {
    let mut isolate = Isolate::leased(5);
    let id = key('a');
    isolate.0.take_change(active(id, 6), at(1));
    let lookup = isolate.read_kv(id, 2, Some(&active(id, 5)));
    let found = finding(isolate.0.find(id, at(2), at(2), &lookup));
    assert!(matches!(found.cached, CachedKey::Record(record) if record.revision == Revision(6)));
    isolate.read_kv(id, 3, Some(&active(id, 9)));
    assert_eq!((isolate.memory(id, 4), isolate.known(4)), (Some(6), Some(5)));
}

#[test]
fn kv_at_the_revision_of_the_mark_is_right() {
    let id = key('a');
    for (revision, memory) in [(3, None), (4, Some(4)), (6, None)] {
        let mut isolate = Isolate::leased(5);
        // The isolate read KV before it knew the mark, and there was no change in between.
        let read = isolate.0.ask_kv(id, at(1));
        isolate.refresh(2, with_unsettled(reply(5), [mark(id, 4)]));
        isolate.kv(&read, 3, Some(&active(id, revision)));
        assert_eq!(isolate.memory(id, 3), memory, "{revision}");
    }
}

#[test]
fn overflow_that_came_while_kv_was_read_counts() {
    let mut isolate = Isolate::leased(5);
    let read = isolate.0.ask_kv(key('a'), at(1));
    isolate.refresh(2, overflow(reply(5)));
    isolate.kv(&read, 3, Some(&active(key('a'), 4)));
    assert_eq!(isolate.memory(key('a'), 3), None);
}

#[test]
fn a_set_of_the_same_revision_shrinks_only_if_it_was_asked_for_after_the_last_reply() {
    let mut isolate = Isolate::leased(5);
    let (first, second) = (isolate.renew(1), isolate.renew(2));
    // The ledger found KV behind, which changes no revision.
    isolate.take(&second, 3, with_unsettled(reply(5), [mark(key('a'), 4)]));
    isolate.take(&first, 4, reply(5));
    assert_eq!(isolate.need(key('a'), 4), Some(Fetch::Ledger(key('a'))));
    let (first, second) = (isolate.renew(5), isolate.renew(6));
    isolate.take(&second, 7, overflow(reply(5)));
    isolate.take(&first, 8, reply(5));
    assert_eq!(isolate.need(key('b'), 8), Some(Fetch::Ledger(key('b'))));
    isolate.refresh(9, reply(5));
    assert_eq!(isolate.need(key('a'), 9), Some(Fetch::Kv(key('a'))));
}

#[test]
fn records_die_with_their_lease() {
    type End = fn(&mut Isolate);
    let ends: [(&str, End); 3] = [
        ("reset", |isolate| isolate.refresh(2, Refresh { delta: Delta::Reset, ..reply(6) })),
        ("a new epoch", |isolate| isolate.refresh(2, Refresh { epoch: Epoch::new(2), ..reply(6) })),
        ("the account is gone", |isolate| {
            let call = isolate.renew(2);
            isolate.0.take_refresh(&call, &RefreshReply::Gone, at(2), None);
            isolate.refresh(3, reply(6));
        }),
    ];
    for (name, end) in ends {
        let mut isolate = Isolate::leased(5);
        isolate.read_kv(key('a'), 1, Some(&active(key('a'), 4)));
        let call = isolate.0.ask_ledger(key('b'), at(1));
        isolate.take(&call, 1, without_record(reply(5), key('b')));
        let late = isolate.renew(1);
        end(&mut isolate);
        for id in [key('a'), key('b')] {
            assert_eq!(isolate.need(id, 4), Some(Fetch::Kv(id)), "{name}");
        }
        // The isolate asked under the old incarnation.
        let known = isolate.known(4);
        isolate.take(&late, 5, reply(9));
        assert_eq!((isolate.known(5), isolate.0.counters().discarded), (known, 1), "{name}");
    }
}

#[test]
fn a_lease_that_has_ended_by_its_age_leaves_no_records_to_the_next() {
    for (ms, memory) in [(10 * T - 1, Some(4)), (10 * T, None)] {
        let mut isolate = Isolate::leased(5);
        isolate.read_kv(key('a'), 1, Some(&active(key('a'), 4)));
        isolate.refresh(ms, reply(5));
        assert_eq!(isolate.memory(key('a'), ms), memory, "{ms}");
    }
}

#[test]
fn kv_read_under_another_incarnation_is_no_help() {
    let mut isolate = Isolate::leased(5);
    let read = isolate.0.ask_kv(key('a'), at(1));
    isolate.refresh(2, Refresh { delta: Delta::Reset, ..reply(5) });
    isolate.kv(&read, 3, Some(&active(key('a'), 4)));
    assert_eq!(isolate.memory(key('a'), 3), None);
}

#[test]
fn of_two_cold_starts_the_first_reply_makes_the_lease_and_the_second_serves_its_request() {
    let mut isolate = Isolate::new();
    let (a, b) = (isolate.0.ask_ledger(key('a'), at(0)), isolate.0.ask_ledger(key('b'), at(1)));
    isolate.take(&a, 30, with_record(reply(5), active(key('a'), 3)));
    let mut lookup = Lookup::alone();
    let refreshed = RefreshReply::Refreshed(with_record(reply(5), active(key('b'), 4)));
    assert!(isolate.0.take_refresh(&b, &refreshed, at(31), Some(&mut lookup)));
    assert_eq!(finding(isolate.0.find(key('b'), at(1), at(31), &lookup)).source, Source::Ledger);
    assert_eq!(isolate.as_of(31), Some(0));
    assert_eq!(isolate.0.counters().discarded, 1);
}

#[test]
fn a_new_epoch_ends_the_lease_whatever_the_delta_says_and_needs_its_state() {
    let mut isolate = Isolate::leased(5);
    let stateless = Refresh { epoch: Epoch::new(2), state: None, ..reply(9) };
    let call = isolate.renew(1);
    assert!(!isolate.take(&call, 1, stateless));
    assert_eq!(isolate.known(1), Some(5));
    isolate.refresh(2, Refresh { epoch: Epoch::new(2), ..reply(3) });
    assert_eq!(isolate.known(2), Some(3));
}

#[test]
fn replies_that_contradict_themselves_are_no_answers() {
    let id = key('a');
    let mut foreign = active(id, 4);
    foreign.epoch = Epoch::new(2);
    let other_key = RefreshAnswer { id, record: Some(active(key('b'), 4)) };
    for (name, bad) in [
        ("not the key that was asked for", reply(5)),
        ("another key's record", Refresh { answers: vec![other_key], ..reply(5) }),
        ("another epoch's record", with_record(reply(5), foreign)),
        ("a record from the future", with_record(reply(5), active(id, 6))),
        ("a revision that goes back", with_record(reply(4), active(id, 4))),
    ] {
        let mut isolate = Isolate::leased(5);
        let call = isolate.0.ask_ledger(id, at(1));
        let mut lookup = Lookup::alone();
        assert!(
            !isolate.0.take_refresh(&call, &RefreshReply::Refreshed(bad), at(1), Some(&mut lookup)),
            "{name}"
        );
        assert_eq!((lookup.failures, isolate.as_of(1)), (1, Some(0)), "{name}");
    }
    let mut isolate = Isolate::new();
    let call = isolate.renew(0);
    assert!(!isolate.take(&call, 0, Refresh { state: None, ..reply(5) }));
}

#[test]
fn time_that_goes_back_drops_all_leases() {
    let mut isolate = Isolate::new();
    isolate.refresh(100, with_record(reply(5), active(key('a'), 5)));
    let (warm, read) = (isolate.renew(100), isolate.0.ask_kv(key('a'), at(100)));
    assert_eq!(isolate.need(key('a'), 99), Some(Fetch::Ledger(key('a'))));
    // An answer requested before the step would be dated in the future.
    isolate.take(&warm, 99, reply(6));
    isolate.kv(&read, 99, Some(&active(key('a'), 5)));
    assert_eq!(isolate.known(101), None);
    let mut isolate = Isolate::new();
    let cold = isolate.renew(100_000);
    isolate.take(&cold, 0, reply(6));
    assert_eq!(isolate.known(0), None);
}

#[test]
fn a_request_that_arrived_earlier_than_another_is_no_clock_that_goes_back() {
    let mut isolate = Isolate::new();
    isolate.refresh(100, with_record(reply(5), active(key('a'), 5)));
    assert!(matches!(
        isolate.0.find(key('a'), at(50), at(100), &Lookup::alone()),
        Found::Finding(..)
    ));
    assert_eq!(isolate.known(100), Some(5));
}

#[test]
fn a_lease_ends_after_ten_t_without_a_refresh() {
    let mut isolate = Isolate::leased(5);
    let late = isolate.renew(1);
    assert_eq!((isolate.known(10 * T - 1), isolate.known(10 * T)), (Some(5), None));
    // Just before its end, the lease can still be refreshed, and keeps its content.
    let mut kept = Isolate::leased(5);
    kept.read_kv(key('a'), 1, Some(&active(key('a'), 4)));
    let call = kept.renew(10 * T - 1);
    assert_eq!(call.request().known_revision, Revision(5));
    kept.take(&call, 10 * T - 1, reply(6));
    assert_eq!(kept.memory(key('a'), 10 * T), Some(4));
    // After its end, not even a reply to an earlier call revives it.
    isolate.take(&late, 10 * T, reply(6));
    assert_eq!(isolate.known(10 * T), None);
    let call = isolate.renew(10 * T);
    assert_eq!(call.request().epoch, None);
}

#[test]
fn an_isolate_that_slept_for_a_day_starts_cold_and_its_late_replies_bring_nothing_back() {
    const DAY: i64 = 86_400_000;
    let id = key('a');
    let mut isolate = Isolate::new();
    isolate.refresh(0, with_record(reply(5), active(id, 5)));
    let (call, read) = (isolate.renew(1), isolate.0.ask_kv(id, at(1)));
    assert_eq!(isolate.need(id, DAY), Some(Fetch::Ledger(id)));
    isolate.take(&call, DAY, with_record(reply(5), active(id, 5)));
    isolate.kv(&read, DAY, Some(&active(id, 5)));
    assert_eq!(isolate.need(id, DAY), Some(Fetch::Ledger(id)));
    // After a cold start that slept, the lease would be over when it begins.
    let mut isolate = Isolate::new();
    let call = isolate.renew(0);
    isolate.take(&call, DAY, reply(5));
    assert_eq!(isolate.known(DAY), None);
}

#[test]
fn a_change_through_this_isolate_counts_at_once_and_makes_the_lease_no_more_complete() {
    let mut isolate = Isolate::leased(5);
    let id = key('a');
    isolate.read_kv(id, 1, Some(&active(id, 3)));
    let mut disabled = active(id, 8);
    disabled.standing = Standing::Deleted;
    isolate.0.take_change(disabled, at(2));
    assert_eq!(isolate.memory(id, 3), Some(8));
    assert_eq!((isolate.known(3), isolate.as_of(3)), (Some(5), Some(0)));
    // A refresh from before the change does not undo it.
    let marks = [mark(id, 6)];
    isolate.refresh(4, with_unsettled(with_changes(reply(6), marks), marks));
    assert_eq!(isolate.memory(id, 4), Some(8));
    // The record of an older change arrives late, when the lease has seen newer changes.
    isolate.refresh(5, with_changes(reply(9), [mark(key('b'), 9)]));
    isolate.0.take_change(active(key('b'), 7), at(6));
    assert_eq!(isolate.need(key('b'), 6), Some(Fetch::Kv(key('b'))));
    // The record is of another epoch, which this lease knows nothing about.
    let mut foreign = active(id, 1);
    foreign.epoch = Epoch::new(2);
    isolate.0.take_change(foreign, at(7));
    assert_eq!(isolate.known(7), None);
}

/// A reply from before the change, with the key's earlier record, must not end the lease that holds
/// the change: neither because the ledger cannot name all changes, nor because it began an epoch.
#[test]
fn a_change_through_this_isolate_survives_a_reply_from_before_it_that_would_end_the_lease() {
    let id = key('a');
    let reset = |revision: u64, epoch: Epoch| {
        let mut record = active(id, 5);
        record.epoch = epoch.clone();
        with_record(Refresh { epoch, delta: Delta::Reset, ..reply(revision) }, record)
    };
    for epoch_after in [epoch(), Epoch::new(2)] {
        let mut isolate = Isolate::leased(6);
        let call = isolate.renew(1);
        isolate.0.take_change(active(id, 7), at(2));
        isolate.take(&call, 3, reset(6, epoch_after.clone()));
        assert_eq!((isolate.memory(id, 3), isolate.0.counters().discarded), (Some(7), 1));
        // A reply that the ledger gave after the change ends the lease.
        let call = isolate.renew(4);
        isolate.take(&call, 5, reset(7, epoch_after));
        assert_eq!((isolate.memory(id, 5), isolate.0.counters().discarded), (Some(5), 1));
    }
}

#[test]
fn that_an_account_is_gone_is_not_heard_under_another_lease() {
    let mut isolate = Isolate::new();
    let early = isolate.renew(0);
    isolate.refresh(1, with_record(reply(5), active(key('a'), 5)));
    isolate.0.take_refresh(&early, &RefreshReply::Gone, at(2), None);
    assert_eq!((isolate.memory(key('a'), 2), isolate.0.counters().discarded), (Some(5), 1));
}

#[test]
fn an_account_that_is_gone_has_no_keys_and_costs_one_call_a_lease() {
    let id = key('a');
    let mut isolate = Isolate::new();
    isolate.refresh(0, with_record(reply(5), active(id, 5)));
    let call = isolate.0.ask_ledger(id, at(1));
    let mut lookup = Lookup::alone();
    assert!(isolate.0.take_refresh(&call, &RefreshReply::Gone, at(1), Some(&mut lookup)));
    assert_eq!(finding(isolate.0.find(id, at(1), at(1), &lookup)).cached, CachedKey::NoSuchKey);
    for ms in [2, T] {
        assert_eq!(finding(isolate.find(id, ms)).cached, CachedKey::NoSuchKey);
    }
    let call = isolate.0.ask_ledger(id, at(T + 2));
    assert_eq!((&call.request().epoch, call.request().known_revision), (&None, Revision(0)));
    // The ledger knows the account again.
    isolate.take(&call, T + 2, with_record(reply(6), active(id, 6)));
    assert_eq!(isolate.memory(id, T + 3), Some(6));
}
