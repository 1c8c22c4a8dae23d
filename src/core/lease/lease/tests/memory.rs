//! Tests the memory bounds: which entries are dropped, and which must stay.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::credential::limits::network::ClientAddress;
use crate::lease::account::ACCOUNTS_MAX;
use crate::lease::entries::UNSETTLED_MAX;
use crate::lease::isolate::CACHED_KEYS_MAX;
use crate::lease::usage::{FLUSH_DELAY, USAGE_PAUSE, USES_PENDING_MAX};
use crate::replication::refresh::{RefusedUses, USES_MAX};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(3)
}

#[test]
fn words_are_bounded_and_what_is_used_stays() {
    let (mut isolate, mut rng) = (Isolate::leased(5), rng());
    isolate.read_kv(key('a'), 1, Some(&active(key('a'), 3)));
    for _ in 0..CACHED_KEYS_MAX * 2 {
        let id = KeyId::random(account(), &mut rng);
        isolate.read_kv(id, 1, Some(&active(id, 2)));
        assert_eq!(isolate.memory(key('a'), 1), Some(3));
    }
    let lease = isolate.0.lease(account(), at(1)).unwrap();
    assert!((CACHED_KEYS_MAX / 2..=CACHED_KEYS_MAX).contains(&lease.entries().cached_keys()));
    assert_eq!(lease.entries().cached_keys(), lease.entries().len());
}

#[test]
fn a_forgotten_word_of_an_unsettled_key_leaves_its_mark() {
    let (mut isolate, mut rng) = (Isolate::new(), rng());
    let marks = [mark(key('a'), 5)];
    isolate.refresh(0, with_unsettled(with_record(reply(5), active(key('a'), 5)), marks));
    isolate.0.take_change(active(key('b'), 6), at(0));
    for _ in 0..CACHED_KEYS_MAX * 2 {
        let id = KeyId::random(account(), &mut rng);
        isolate.read_kv(id, 1, Some(&active(id, 2)));
        let lease = isolate.0.lease(account(), at(1)).unwrap();
        assert!(lease.entries().len() <= CACHED_KEYS_MAX + 2, "two marks beside the answers");
    }
    for id in [key('a'), key('b')] {
        assert_eq!(isolate.need(id, 1), Some(Fetch::Ledger(id)));
        isolate.read_kv(id, 1, Some(&active(id, 3)));
        assert_eq!(isolate.memory(id, 1), None);
    }
}

#[test]
fn what_of_the_unsettled_set_cannot_be_kept_makes_an_overflow() {
    let (mut isolate, mut rng) = (Isolate::leased(5), rng());
    let mut marks: Vec<Mark> =
        (0..UNSETTLED_MAX).map(|_| mark(KeyId::random(account(), &mut rng), 5)).collect();
    isolate.refresh(1, Refresh { unsettled: Unsettled::Set(marks.clone()), ..reply(5) });
    assert_eq!(isolate.need(key('a'), 1), Some(Fetch::Kv(key('a'))));
    marks.push(mark(key('b'), 5));
    isolate.refresh(2, Refresh { unsettled: Unsettled::Set(marks.clone()), ..reply(5) });
    assert_eq!(isolate.need(key('a'), 2), Some(Fetch::Ledger(key('a'))));
    let is_overflow =
        |isolate: &Isolate| isolate.0.lease(account(), at(4)).map(super::super::Lease::is_overflow);
    assert_eq!(is_overflow(&isolate), Some(true));
    // The next reply has the whole set again, so the overflow stays.
    isolate.refresh(3, Refresh { unsettled: Unsettled::Set(marks.clone()), ..reply(5) });
    assert_eq!(isolate.need(key('a'), 3), Some(Fetch::Ledger(key('a'))));
    marks.pop();
    isolate.refresh(4, Refresh { unsettled: Unsettled::Set(marks), ..reply(5) });
    assert_eq!(isolate.need(key('a'), 4), Some(Fetch::Kv(key('a'))));
    assert_eq!(is_overflow(&isolate), Some(false));
    // A change committed here adds one mark.
    isolate.0.take_change(active(key('c'), 6), at(5));
    assert_eq!(isolate.need(key('a'), 5), Some(Fetch::Ledger(key('a'))));
    assert_eq!(isolate.memory(key('c'), 5), Some(6));
}

#[test]
fn the_account_that_was_used_longest_ago_makes_room_and_its_late_replies_reach_nobody() {
    let (mut isolate, mut rng) = (Isolate::leased(5), rng());
    let late = isolate.renew(0);
    let accounts: Vec<AccountId> = (0..ACCOUNTS_MAX).map(|_| AccountId::random(&mut rng)).collect();
    for id in &accounts {
        let call = isolate.0.renew(*id, at(1));
        isolate.take(&call, 1, reply(5));
    }
    assert_eq!(isolate.known(1), None);
    assert!(accounts.iter().all(|id| isolate.0.lease(*id, at(1)).is_some()));
    isolate.take(&late, 2, reply(9));
    assert_eq!(isolate.known(2), None);
    assert_eq!((isolate.0.counters().evictions, isolate.0.counters().discarded), (1, 1));
}

// -------------------------------------------------------------------------------------------------
// rule 8: usage

fn address(last: u8) -> Option<ClientAddress> {
    ClientAddress::parse(&format!("203.0.113.{last}"))
}

#[test]
fn uses_ride_on_the_next_refresh_and_stay_until_it_is_answered() {
    let mut isolate = Isolate::leased(5);
    isolate.0.count_use(key('a'), Ok(()), address(1), at(1));
    isolate.0.count_use(key('a'), Ok(()), address(1), at(3));
    isolate.0.count_use(key('a'), Err("expired"), None, at(4));
    isolate.0.count_use(key('a'), Err("network_denied"), None, at(2));
    isolate.0.count_use(key('a'), Err("expired"), None, at(3));
    let call = isolate.renew(4);
    let batch = call.request().usage.clone().unwrap();
    assert_eq!((batch.isolate, batch.sequence), (7, 1));
    let [used] = &batch.uses[..] else { panic!() };
    assert_eq!(
        (used.id, used.count, used.denials, used.last_at),
        (key('a'), 2, 3, at(3)),
        "of a use"
    );
    let refused = |reason: &'static str, count, ms| RefusedUses {
        reason: reason.into(),
        count,
        last_at: at(ms),
    };
    assert_eq!(used.refusals, [refused("expired", 2, 4), refused("network_denied", 1, 2)]);
    assert_eq!(used.addresses, [address(1).unwrap()]);

    // Without an answer, the same number and content go out again, whatever was counted meanwhile.
    isolate.0.take_refresh(&call, &RefreshReply::Failed, at(5), None);
    isolate.0.count_use(key('b'), Ok(()), None, at(5));
    let again = isolate.renew(6);
    assert_eq!(again.request().usage.as_ref(), Some(&batch));
    // An answer that is too late for the lease still acknowledges the batch.
    isolate.refresh(7, Refresh { delta: Delta::Reset, ..reply(6) });
    isolate.take(&call, 8, reply(5));
    let next = isolate.renew(9).request().usage.clone().unwrap();
    assert_eq!((next.sequence, next.uses[0].id), (2, key('b')));
}

#[test]
fn the_latest_addresses_come_first_and_the_oldest_go() {
    let mut isolate = Isolate::leased(5);
    for last in [1, 2, 3, 4, 5, 6, 7, 8, 9, 4, 9] {
        isolate.0.count_use(key('a'), Ok(()), address(last), at(1));
    }
    let batch = isolate.renew(2).request().usage.clone().unwrap();
    let expected: Vec<ClientAddress> =
        [9, 4, 8, 7, 6, 5, 3, 2].into_iter().filter_map(address).collect();
    assert_eq!(batch.uses[0].addresses, expected);
}

#[test]
fn addresses_and_keys_of_a_batch_are_bounded_and_what_is_lost_is_counted() {
    let (mut isolate, mut rng) = (Isolate::leased(5), rng());
    for last in 0..20 {
        isolate.0.count_use(key('a'), Ok(()), address(last), at(1));
    }
    for _ in 0..USES_PENDING_MAX {
        isolate.0.count_use(KeyId::random(account(), &mut rng), Ok(()), None, at(1));
    }
    assert_eq!(isolate.0.counters().uses_lost, 1);
    let mut seen = 0;
    while seen < USES_PENDING_MAX {
        let call = isolate.renew(2);
        let batch = call.request().usage.clone().unwrap();
        assert!(batch.uses.len() <= USES_MAX);
        assert!(batch.uses.iter().all(|used| used.addresses.len() <= 8));
        seen += batch.uses.len();
        isolate.take(&call, 2, reply(5));
    }
    assert_eq!(isolate.renew(3).request().usage, None);
}

#[test]
fn the_last_time_of_a_key_that_was_only_refused_is_that_of_the_refusal_until_it_is_used() {
    let mut isolate = Isolate::leased(5);
    isolate.0.count_use(key('a'), Err("expired"), None, at(9));
    isolate.0.count_use(key('b'), Err("expired"), None, at(9));
    isolate.0.count_use(key('b'), Ok(()), None, at(3));
    let mut uses = isolate.renew(10).request().usage.clone().unwrap().uses;
    uses.sort_by_key(|used| used.id);
    let last: Vec<_> = uses.iter().map(|used| (used.count, used.last_at)).collect();
    assert_eq!(last, [(0, at(9)), (1, at(3))]);
}

#[test]
fn what_is_counted_before_requests_stop_is_sent_by_the_newest_timer() {
    let delay = i64::try_from(FLUSH_DELAY.as_ms()).unwrap();
    let lookup = Lookup::default();
    let mut isolate = Isolate::leased(5);
    let (mut started, mut sent) = (Vec::new(), Vec::new());
    for ms in (0..=60_000).step_by(500) {
        if ms <= 31_000 {
            isolate.0.count_use(key('a'), Ok(()), None, at(ms));
            if isolate.0.take_timer() == Some(account()) {
                started.push(ms);
            }
        }
        if started.contains(&(ms - delay)) && isolate.0.must_flush(account(), at(ms), &lookup) {
            sent.push(ms);
        }
    }
    assert_eq!(started, [0, 10_000, 20_000, 30_000]);
    assert_eq!(sent, [30_000 + delay], "one call, by the newest");
    let call = isolate.renew(60_000);
    assert_eq!(call.request().usage.as_ref().unwrap().uses[0].count, 63);
    isolate.take(&call, 60_000, reply(5));
    assert!(!isolate.0.must_flush(account(), at(60_000), &lookup), "nothing is left");
    // A refused request, too, must not wait for the next one.
    isolate.0.count_use(key('a'), Err("expired"), None, at(60_001));
    assert_eq!(isolate.0.take_timer(), Some(account()));
    assert_eq!(isolate.0.take_timer(), None, "once");
}

#[test]
fn a_use_of_the_service_password_starts_a_timer_and_takes_none_from_another_account() {
    let mut isolate = Isolate::leased(5);
    let other = AccountId::parse("ZZZZZZZZ").unwrap();
    isolate.0.count_use(key('a'), Ok(()), None, at(0));
    isolate.0.count_service(other, true, None, at(0));
    isolate.0.count_service(other, false, None, at(10_000));
    let timers = [(); 3].map(|()| isolate.0.take_timer());
    assert_eq!(timers, [Some(other), Some(account()), None], "one for each account");
    let call = isolate.0.renew(other, at(10_000));
    let service = call.request().usage.clone().unwrap().service.unwrap();
    assert_eq!((service.count, service.refused), (1, 1));
}

#[test]
fn a_timer_calls_an_absent_ledger_twice_and_keeps_what_it_could_not_send() {
    let mut isolate = Isolate::leased(5);
    isolate.0.count_use(key('a'), Ok(()), None, at(0));
    let (mut lookup, mut calls) = (Lookup::default(), 0);
    while isolate.0.must_flush(account(), at(20_000), &lookup) {
        let call = isolate.renew(20_000);
        isolate.0.take_refresh(&call, &RefreshReply::Failed, at(20_000), Some(&mut lookup));
        calls += 1;
    }
    assert_eq!(calls, 2);
    assert_eq!(isolate.renew(20_001).request().usage.as_ref().unwrap().uses[0].count, 1);
}

#[test]
fn where_no_refresh_goes_out_uses_go_by_themselves_once_a_minute() {
    let pause = i64::try_from(USAGE_PAUSE.as_ms()).unwrap();
    let mut isolate = Isolate::new();
    // Here T is an hour.
    let slow =
        Refresh { state: Some(state(3_600_000)), ..with_record(reply(5), active(key('a'), 5)) };
    isolate.refresh(0, slow);
    isolate.0.count_use(key('a'), Ok(()), None, at(1));
    assert_eq!(renewal(&isolate.find(key('a'), pause - 1)), None);
    assert_eq!(renewal(&isolate.find(key('a'), pause)), Some(account()));
    let call = isolate.renew(pause);
    isolate.take(&call, pause, reply(5));
    isolate.0.count_use(key('a'), Ok(()), None, at(pause + 1));
    assert_eq!(renewal(&isolate.find(key('a'), pause * 2 - 1)), None);
    assert_eq!(renewal(&isolate.find(key('a'), pause * 2)), Some(account()));
}

#[test]
fn uses_of_an_account_that_nobody_asks_for_any_more_go_with_another_s_request() {
    let mut isolate = Isolate::leased(5);
    isolate.0.count_use(key('a'), Ok(()), None, at(0));
    let other = AccountId::parse("ZZZZZZZZ").unwrap();
    let id = KeyId::parse("ZZZZZZZZ0000000000").unwrap();
    let mut counted = false;
    for ms in (0..=130_000).step_by(1_000) {
        let call = isolate.0.ask_ledger(id, at(ms));
        isolate.take(&call, ms, without_record(reply(5), id));
        match renewal(&isolate.find(id, ms)) {
            Some(renewed) if renewed == account() => {
                assert!(!counted && ms >= 60_000);
                let call = isolate.renew(ms);
                assert!(call.request().usage.is_some());
                isolate.take(&call, ms, reply(5));
                counted = true;
            }
            renewed => assert!(renewed.is_none_or(|renewed| renewed == other)),
        }
    }
    assert!(counted);
}
