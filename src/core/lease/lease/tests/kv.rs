//! Tests which records from KV a lease takes, also from an attacker who writes KV.

use super::*;
use crate::replication::superseded::{Superseded, SupersededFilter};

fn naming(reply: Refresh, superseded: Option<Superseded>) -> Refresh {
    Refresh { superseded, ..reply }
}

fn filter(ids: &[KeyId]) -> Option<Superseded> {
    Some(Superseded::Filter(SupersededFilter::of(ids)))
}

#[test]
fn a_superseded_key_is_asked_of_the_ledger_for_as_long_as_the_lease_lasts() {
    let (changed, unchanged) = (key('a'), key('b'));
    let mut isolate = Isolate::new();
    isolate.refresh(0, naming(reply(5), filter(&[changed])));
    assert_eq!(isolate.need(changed, 1), Some(Fetch::Ledger(changed)));
    assert_eq!(isolate.need(unchanged, 1), Some(Fetch::Kv(unchanged)));
    // Later replies name only what became superseded since.
    let more = Some(Superseded::Keys(vec![unchanged]));
    isolate.refresh(2, naming(with_changes(reply(6), [mark(unchanged, 6)]), more));
    isolate.refresh(3, naming(reply(6), Some(Superseded::Keys(Vec::new()))));
    for id in [changed, unchanged] {
        assert_eq!(isolate.need(id, 4), Some(Fetch::Ledger(id)));
    }
    // A whole filter replaces what the lease knew.
    isolate.refresh(5, naming(reply(7), filter(&[changed])));
    assert_eq!(isolate.need(unchanged, 6), Some(Fetch::Kv(unchanged)));
}

#[test]
fn where_the_ledger_names_no_superseded_keys_kv_is_never_read() {
    let id = key('a');
    let mut isolate = Isolate::new();
    isolate.refresh(0, naming(reply(5), None));
    assert_eq!(isolate.need(id, 1), Some(Fetch::Ledger(id)));
    isolate.refresh(2, naming(reply(6), Some(Superseded::Keys(Vec::new()))));
    assert_eq!(isolate.need(id, 3), Some(Fetch::Ledger(id)), "the filter is still unknown");
    isolate.refresh(4, naming(reply(7), filter(&[])));
    assert_eq!(isolate.need(id, 5), Some(Fetch::Kv(id)));
    // The ledger was rolled back: each change may have superseded its key.
    isolate.refresh(6, naming(with_changes(reply(8), [mark(key('b'), 8)]), None));
    assert_eq!(isolate.need(id, 7), Some(Fetch::Kv(id)));
    assert_eq!(isolate.need(key('b'), 7), Some(Fetch::Ledger(key('b'))));
}

#[test]
fn an_earlier_record_that_was_read_meanwhile_is_no_help_for_a_superseded_key() {
    let id = key('a');
    let mut isolate = Isolate::leased(5);
    let read = isolate.0.ask_kv(id, at(1));
    isolate.refresh(2, naming(reply(5), filter(&[id])));
    let lookup = isolate.kv(&read, 3, Some(&active(id, 4)));
    assert_eq!(need(&isolate.0.find(id, at(1), at(3), &lookup)), Some(Fetch::Ledger(id)));
    assert_eq!(isolate.memory(id, 3), None);
}

#[test]
fn a_revision_that_the_lease_does_not_know_is_a_reason_to_ask_the_ledger() {
    let id = key('a');
    for (revision, is_taken) in [(5, true), (6, false), (9_000_000_000_000_000, false)] {
        let mut isolate = Isolate::leased(5);
        let lookup = isolate.read_kv(id, 1, Some(&active(id, revision)));
        let found = need(&isolate.0.find(id, at(1), at(1), &lookup));
        assert_eq!(found, (!is_taken).then_some(Fetch::Ledger(id)), "{revision}");
        let call = isolate.0.ask_ledger(id, at(2));
        isolate.take(&call, 2, with_record(reply(5), active(id, 3)));
        assert_eq!(isolate.memory(id, 3), Some(3), "the ledger's answer counts, not {revision}");
    }
}

#[test]
fn the_ledger_s_word_replaces_whatever_came_from_kv() {
    let id = key('a');
    for known in [4, 6] {
        let mut isolate = Isolate::leased(6);
        isolate.read_kv(id, 1, Some(&active(id, 5)));
        isolate.refresh(2, with_changes(reply(6), [mark(id, known)]));
        assert_eq!(isolate.memory(id, 3), None, "a change of another revision drops it: {known}");
    }
    let mut isolate = Isolate::leased(6);
    isolate.read_kv(id, 1, Some(&active(id, 5)));
    isolate.refresh(2, with_changes(reply(6), [mark(id, 5)]));
    assert_eq!(isolate.memory(id, 3), Some(5), "the same change confirms it");
    let call = isolate.0.ask_ledger(id, at(4));
    isolate.take(&call, 4, without_record(reply(6), id));
    assert_eq!(isolate.memory(id, 5), None, "there is no such key");
}

#[test]
fn a_shared_reply_and_a_document_name_all_superseded_keys() {
    let id = key('a');
    let mut sender = Isolate::new();
    sender.refresh(0, naming(reply(5), filter(&[id])));
    let call = sender.renew(1);
    let changed = naming(reply(6), Some(Superseded::Keys(vec![key('b')])));
    let refreshed = RefreshReply::Refreshed(changed.clone());
    assert!(sender.take(&call, 2, changed));
    let covering = |reply| sender.0.covering(account(), reply, at(2));
    let all = covering(&refreshed).unwrap().superseded().cloned().unwrap();
    assert!([id, key('b')].iter().all(|id| all.contains(*id)) && !all.contains(key('c')));
    // A reply that came too late for the lease says nothing of the keys up to its revision.
    let later = RefreshReply::Refreshed(reply(7));
    assert!(covering(&later).is_none());

    let shared = call.to_share(&refreshed, Some(all), at(2)).unwrap();
    let mut taker = Isolate::new();
    let read = taker.0.ask_copy(account(), crate::lease::call::CopySource::Cache, at(1_500));
    taker.0.take_shared(&read, Some(shared), at(1_600), None);
    for (id, fetch) in [(id, Fetch::Ledger(id)), (key('c'), Fetch::Kv(key('c')))] {
        assert_eq!(taker.need(id, 1_700), Some(fetch));
    }
}
