//! Tests an isolate whose ledger is out of reach.

use super::super::REFRESH_ATTEMPTS;
use super::*;
use crate::lease::call::CopySource;

fn graceful() -> Isolate {
    let mut isolate = Isolate::with(Outage::Grace(DurationMs::from_s(30)));
    isolate.refresh(0, with_record(reply(5), active(key('a'), 5)));
    isolate
}

/// Makes a request whose calls all fail, and which finds no document.
fn in_vain(isolate: &mut Isolate, id: KeyId, ms: i64) -> Found {
    let mut lookup = Lookup::alone();
    let mut calls = 0;
    loop {
        match isolate.0.find(id, at(ms), at(ms), &lookup) {
            Found::Fetch(Fetch::Ledger(_)) => {
                let call = isolate.0.ask_ledger(id, at(ms));
                assert!(!isolate.0.take_refresh(
                    &call,
                    &RefreshReply::Failed,
                    at(ms),
                    Some(&mut lookup)
                ));
                calls += 1;
            }
            Found::Fetch(Fetch::Copy(_, CopySource::Kv)) => {
                let read = isolate.0.ask_copy(account(), CopySource::Kv, at(ms));
                isolate.0.take_document(&read, None, at(ms), Some(&mut lookup));
            }
            found => {
                let is_refused_at_once = calls == 0 && matches!(found, Found::OutOfReach);
                assert!(calls == REFRESH_ATTEMPTS || is_refused_at_once, "{ms}: {calls}");
                return found;
            }
        }
    }
}

#[test]
fn past_t_a_request_tries_twice_and_is_then_denied() {
    let mut isolate = Isolate::new();
    isolate.refresh(0, with_record(reply(5), active(key('a'), 5)));
    assert!(matches!(in_vain(&mut isolate, key('a'), T + 1), Found::OutOfReach));
    assert_eq!(isolate.0.counters().failures, 2);
    // For a second, no other request waits as long; then the next one tries again.
    for ms in [T + 2, T + 1_000] {
        assert!(matches!(isolate.find(key('a'), ms), Found::OutOfReach));
    }
    assert_eq!(isolate.0.counters().refused_at_once, 2);
    assert_eq!(isolate.need(key('a'), T + 1_001), Some(Fetch::Ledger(key('a'))));
    // Before T, no request notices the outage.
    let mut isolate = Isolate::new();
    isolate.refresh(0, with_record(reply(5), active(key('a'), 5)));
    let call = isolate.renew(8_000);
    isolate.0.take_refresh(&call, &RefreshReply::Failed, at(8_100), None);
    assert_eq!(isolate.memory(key('a'), T), Some(5));
}

#[test]
fn whoever_has_begun_to_ask_asks_on_and_an_answer_ends_the_refusals() {
    let mut isolate = Isolate::new();
    let mut lookup = Lookup::alone();
    let call = isolate.0.ask_ledger(key('a'), at(0));
    isolate.0.take_refresh(&call, &RefreshReply::Failed, at(0), Some(&mut lookup));
    assert!(matches!(in_vain(&mut isolate, key('b'), 1), Found::OutOfReach));
    let found = isolate.0.find(key('a'), at(0), at(2), &lookup);
    assert_eq!(need(&found), Some(Fetch::Ledger(key('a'))), "it has an attempt left");
    let call = isolate.0.ask_ledger(key('a'), at(2));
    assert!(isolate.take(&call, 3, with_record(reply(5), active(key('a'), 5))));
    assert_eq!(isolate.need(key('b'), 4), Some(Fetch::Kv(key('b'))));
}

#[test]
fn without_a_lease_or_a_document_there_is_no_grace() {
    let mut isolate = Isolate::with(Outage::Grace(DurationMs::from_s(30)));
    assert!(matches!(in_vain(&mut isolate, key('a'), 0), Found::OutOfReach));
}

#[test]
fn grace_lets_a_lease_be_used_for_so_long_and_says_so() {
    let mut isolate = graceful();
    let found = finding(in_vain(&mut isolate, key('a'), T + 1));
    assert!(found.is_stale && found.source == Source::Memory && found.as_of == at(0));
    let last = T + 30_000;
    assert!(finding(in_vain(&mut isolate, key('a'), last)).is_stale);
    assert!(matches!(in_vain(&mut isolate, key('a'), last + 1), Found::OutOfReach));
    assert_eq!(isolate.0.counters().stale_hits, 2);
}

#[test]
fn while_the_ledger_is_known_to_be_away_nobody_waits_and_one_a_second_tries() {
    let mut isolate = graceful();
    in_vain(&mut isolate, key('a'), T + 1);
    let found = isolate.find(key('a'), T + 500);
    assert_eq!(renewal(&found), None);
    assert!(finding(found).is_stale);
    let found = isolate.find(key('a'), T + 1_001);
    assert_eq!(renewal(&found), Some(account()));
    // The ledger is back.
    let call = isolate.renew(T + 1_001);
    isolate.take(&call, T + 1_050, reply(6));
    assert!(!finding(isolate.find(key('a'), T + 1_051)).is_stale);
    // Long after the last failure, requests wait for the ledger again.
    let mut isolate = graceful();
    in_vain(&mut isolate, key('a'), T + 1);
    assert_eq!(isolate.need(key('a'), T + 5_001), Some(Fetch::Ledger(key('a'))));
}

#[test]
fn grace_reads_kv_but_cannot_tell_what_only_the_ledger_knows() {
    let mut isolate = graceful();
    isolate.refresh(1, with_unsettled(reply(5), [mark(key('b'), 5)]));
    for _ in 0..REFRESH_ATTEMPTS {
        let call = isolate.renew(T + 2);
        isolate.0.take_refresh(&call, &RefreshReply::Failed, at(T + 2), None);
    }
    assert_eq!(isolate.need(key('c'), T + 3), Some(Fetch::Kv(key('c'))));
    let lookup = isolate.read_kv(key('c'), T + 3, Some(&active(key('c'), 2)));
    let found = finding(isolate.0.find(key('c'), at(T + 3), at(T + 3), &lookup));
    assert!(found.is_stale && found.source == Source::Kv);
    assert!(matches!(in_vain(&mut isolate, key('b'), T + 4), Found::OutOfReach));
}

#[test]
fn grace_does_not_outlive_the_lease() {
    let mut isolate = Isolate::with(Outage::Grace(DurationMs::from_s(3_600)));
    isolate.refresh(0, with_record(reply(5), active(key('a'), 5)));
    assert!(finding(in_vain(&mut isolate, key('a'), 10 * T - 1)).is_stale);
    assert!(matches!(in_vain(&mut isolate, key('a'), 10 * T), Found::OutOfReach));
}
