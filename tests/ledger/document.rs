//! The lease document in KV: when it is put, what it tells, and that the last one wins.

use claviger_control::ledger::publication::PUT_LATE_MS;
use claviger_control::ledger::repair::ROUND;
use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_control::protocol::integer::INTEGER_MAX;
use claviger_control::protocol::ledger::LedgerRequest;
use claviger_core::base::time::DurationMs;
use claviger_core::config::terms::{Freshness, Outage, Terms};
use claviger_core::replication::document::{CHANGES_MAX, Document, kv_key};
use claviger_core::replication::record::{Epoch, Revision};
use claviger_core::replication::refresh::{Mark, RefreshRequest, SETTLE_MS, Unsettled};

use crate::kv::Kv;
use crate::world::{Browser, HOUR, MINUTE, SECOND, World, set_enabled};

const S: i64 = SETTLE_MS as i64;
const LATE: i64 = PUT_LATE_MS as i64;

fn eventual() -> Terms {
    Terms { freshness: Freshness::Eventual, ..Terms::default() }
}

/// An account of a deployment that wants documents, all of whose duties so far are done, and its
/// KV.
fn documented() -> (World, Browser, Kv) {
    let (world, owner) = World::open();
    world.terms.set(eventual());
    let mut kv = Kv::default();
    world.cold();
    live(&world, &mut kv, HOUR);
    let owner = world.renewed(owner);
    (world, owner, kv)
}

/// Time passes, with a KV that works; answers with the puts of documents, and when they were made.
fn live(world: &World, kv: &mut Kv, ms: i64) -> Vec<(i64, Document)> {
    let end = world.now.get() + ms;
    let mut puts = Vec::new();
    while world.now.get() < end {
        while let Some(effect) = world.next_effect() {
            let now = world.now.get();
            let outcome = match &effect {
                Effect::PutRecord { key, value, .. } => {
                    kv.land(key, value, now);
                    EffectOutcome::Done
                }
                Effect::PutLease { key, value, .. } => {
                    kv.land(key, value, now);
                    puts.push((now, read(world, value)));
                    EffectOutcome::Done
                }
                Effect::ReadBack { .. }
                | Effect::ReadLease { .. }
                | Effect::ReadMany { .. }
                | Effect::ListKv { .. } => kv.read(&effect, now, 0, |_| 0),
                _ => EffectOutcome::Done,
            };
            world.settle(&effect, outcome);
        }
        world.now.set(end.min(world.next_due().unwrap_or(end).max(world.now.get() + 1)));
    }
    puts
}

fn read(world: &World, value: &str) -> Document {
    Document::from_kv(value, world.account).unwrap()
}

fn held(world: &World, kv: &Kv) -> Document {
    read(world, kv.get(&kv_key(world.account)).unwrap())
}

/// The next put of the document, all else that is due being done.
fn next_put(world: &World) -> Option<(Effect, Document)> {
    loop {
        let effect = world.next_effect()?;
        if let Effect::PutLease { value, .. } = &effect {
            let document = read(world, value);
            return Some((effect, document));
        }
        world.settle(&effect, EffectOutcome::Done);
    }
}

fn next_look(world: &World) -> Option<Effect> {
    std::iter::from_fn(|| world.next_effect())
        .find(|effect| matches!(effect, Effect::ReadLease { .. }))
}

fn set(world: &World, freshness_ms: Option<u64>, suspended: Option<bool>) {
    world.handle(LedgerRequest::SetState { freshness_ms, suspended }).unwrap();
}

#[test]
fn it_tells_what_a_refresh_tells_whenever_any_of_it_changes() {
    let (world, owner, mut kv) = documented();
    let mut last = held(&world, &kv);
    let mut changed = |world: &World, kv: &mut Kv, what: &str| {
        let puts = live(world, kv, 5 * SECOND);
        assert_eq!(puts.len(), 1, "{what}");
        let (now, refresh) = (held(world, kv), world.cold());
        assert!(now.number > last.number, "{what}");
        assert_eq!(
            (&now.epoch, now.revision, &now.unsettled, Some(&now.state)),
            (&refresh.epoch, refresh.revision, &refresh.unsettled, refresh.state.as_ref()),
            "{what}"
        );
        last = now.clone();
        now
    };
    let key = world.issue(owner, "{}");
    changed(&world, &mut kv, "a new key");
    let (key, ..) = world.changed(owner, set_enabled(&key, false));
    let mark = Mark { id: key.as_ref().unwrap().id, revision: key.as_ref().unwrap().revision };
    let document = changed(&world, &mut kv, "a key that is disabled");
    assert_eq!((document.unsettled, document.changes), (Unsettled::Set(vec![mark]), vec![mark]));
    set(&world, None, Some(true));
    assert!(changed(&world, &mut kv, "a suspension").state.suspended);
    set(&world, Some(60_000), None);
    assert_eq!(changed(&world, &mut kv, "T").state.freshness_ms, 60_000);
    // It settles, which is a change of what KV may have wrong.
    let puts = live(&world, &mut kv, S + MINUTE);
    assert_eq!(puts.len(), 1);
    assert_eq!(held(&world, &kv).unsettled, Unsettled::Set(Vec::new()));
    assert_eq!(held(&world, &kv).changes, [mark], "still named, though it has settled");
    assert!(live(&world, &mut kv, 2 * S).is_empty(), "and then nothing changes");
}

#[test]
fn many_changes_go_into_one_put_a_second() {
    let (world, owner, mut kv) = documented();
    let begun = world.now.get();
    let mut times = Vec::new();
    for _ in 0..40 {
        world.issue(owner, "{}");
        times.extend(live(&world, &mut kv, 100).into_iter().map(|(at, _)| at));
    }
    times.extend(live(&world, &mut kv, 5 * SECOND).into_iter().map(|(at, _)| at));
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= SECOND), "{times:?}");
    assert_eq!(times[0], begun, "the first does not wait");
    assert!((4..=6).contains(&times.len()), "{times:?}");
    assert_eq!(held(&world, &kv).revision, world.cold().revision);
}

#[test]
fn where_nobody_wants_it_there_is_none_and_who_wants_it_later_gets_it() {
    let (world, owner) = World::open();
    let mut kv = Kv::default();
    world.issue(owner, "{}");
    assert!(live(&world, &mut kv, HOUR).is_empty());
    assert_eq!(world.cold().document, 0);
    // The deployment changes its mind: the first request notices, though it changes nothing.
    world.terms.set(eventual());
    world.cold();
    assert_eq!(live(&world, &mut kv, SECOND).len(), 1);
    assert_eq!(world.cold().document, held(&world, &kv).number);
    // Back again: what is there is kept right, lest it mislead when it is wanted next.
    world.terms.set(Terms::default());
    set(&world, None, Some(true));
    assert_eq!(live(&world, &mut kv, 5 * SECOND).len(), 1);
    assert!(held(&world, &kv).state.suspended);
}

#[test]
fn a_refresh_writes_nothing_while_a_put_is_on_its_way_or_none_is_needed() {
    let (world, _, _) = documented();
    let writes = || {
        let before = world.sql.applies();
        world.cold();
        world.sql.applies() - before
    };
    assert_eq!(writes(), 0, "KV keeps the document");
    set(&world, None, Some(true));
    assert_eq!(writes(), 0, "its put is scheduled");
    next_put(&world).unwrap();
    assert_eq!(writes(), 0, "its put is under way");
}

#[test]
fn a_put_that_fails_or_is_never_heard_of_again_is_repeated() {
    let (world, _, _) = documented();
    set(&world, None, Some(true));
    let (first, document) = next_put(&world).unwrap();
    assert_eq!(next_put(&world), None, "one is under way");
    world.settle(&first, EffectOutcome::Failed);
    assert_eq!(next_put(&world), None);
    world.wait(SECOND);
    let (second, again) = next_put(&world).unwrap();
    assert!(again.number > document.number);
    // Nobody tells of the second. A change that comes meanwhile waits for it.
    set(&world, None, Some(false));
    world.wait(20 * SECOND);
    assert_eq!(next_put(&world), None);
    world.wait(10 * SECOND);
    let (third, last) = next_put(&world).unwrap();
    assert!(!last.state.suspended);
    // Late words on the others change nothing.
    world.settle(&second, EffectOutcome::Done);
    world.settle(&first, EffectOutcome::Failed);
    assert_eq!(world.count("lease_document WHERE is_under_way AND acknowledged < version"), 1);
    world.settle(&third, EffectOutcome::Done);
    assert_eq!(world.count("lease_document WHERE acknowledged = version"), 1);
    assert_eq!(world.count("due WHERE kind = 'put_lease'"), 0);
}

#[test]
fn what_changes_while_a_put_is_under_way_is_put_after_it() {
    let (world, _, _) = documented();
    set(&world, None, Some(true));
    let (first, _) = next_put(&world).unwrap();
    world.wait(SECOND / 2);
    set(&world, None, Some(false));
    world.settle(&first, EffectOutcome::Done);
    assert_eq!(next_put(&world), None);
    world.wait(SECOND);
    assert!(!next_put(&world).unwrap().1.state.suspended);
}

#[test]
fn a_late_old_put_does_not_win_for_good() {
    let (world, _, mut kv) = documented();
    let name = kv_key(world.account);
    set(&world, None, Some(true));
    let (lost, _) = next_put(&world).unwrap();
    let sent = world.now.get();
    world.settle(&lost, EffectOutcome::Failed);
    set(&world, None, Some(false));
    world.wait(SECOND);
    let (newer, document) = next_put(&world).unwrap();
    let Effect::PutLease { value, .. } = &newer else { panic!() };
    kv.land(&name, value, world.now.get());
    world.settle(&newer, EffectOutcome::Done);
    // The first lands after all.
    let Effect::PutLease { value, .. } = &lost else { panic!() };
    kv.land(&name, value, sent + LATE - 1);
    // Not looked at before nothing can land any more and every place serves what did.
    world.now.set(sent + LATE + S - 1);
    assert_eq!(next_look(&world), None);
    world.wait(1);
    let look = next_look(&world).unwrap();
    let outcome = kv.read(&look, world.now.get(), 0, |_| 0);
    world.settle(&look, outcome);
    let (_, again) = next_put(&world).unwrap();
    assert!(again.number > document.number && !again.state.suspended);
}

/// A put is sent, reported, and followed by the next at different times.
#[test]
fn the_wait_counts_from_the_acknowledgement_and_from_the_last_put_that_may_still_land() {
    let told_after = 7 * SECOND;
    for (lost, pause, is_late) in
        [(0, 0, false), (1, 0, true), (3, 0, true), (3, LATE - MINUTE, true), (3, LATE, false)]
    {
        let (world, _, _) = documented();
        set(&world, None, Some(true));
        let mut last_lost = 0;
        for _ in 0..lost {
            let (put, _) = next_put(&world).unwrap();
            last_lost = world.now.get();
            world.wait(told_after);
            world.settle(&put, EffectOutcome::Failed);
            world.wait(5 * SECOND);
        }
        world.wait(pause);
        let (put, _) = next_put(&world).unwrap();
        world.wait(told_after);
        world.settle(&put, EffectOutcome::Done);
        let from = if is_late { last_lost + LATE } else { world.now.get() };
        let read_at = world.sql_time("SELECT at_ms FROM due WHERE kind = 'read_lease'");
        assert_eq!(read_at, from + S, "{lost} lost, {pause} ms before the last");
    }
}

#[test]
fn a_repeated_or_late_report_on_a_put_changes_nothing() {
    let (world, _, _) = documented();
    let rows = || world.sql.dump("lease_document") + &world.sql.dump("due");
    let untouched = |put: &Effect| {
        let before = rows();
        world.wait(SECOND / 10);
        for outcome in [EffectOutcome::Done, EffectOutcome::Failed] {
            world.settle(put, outcome);
            assert_eq!(rows(), before);
        }
    };
    set(&world, None, Some(true));
    let (first, _) = next_put(&world).unwrap();
    world.settle(&first, EffectOutcome::Failed);
    untouched(&first);
    world.wait(SECOND);
    let (second, _) = next_put(&world).unwrap();
    untouched(&first);
    world.settle(&second, EffectOutcome::Done);
    untouched(&second);
    // A change waits for its put.
    set(&world, None, Some(false));
    untouched(&second);
}

/// A reading takes its time, and the next document does not wait for it.
#[test]
fn the_reading_of_an_earlier_document_decides_nothing_about_a_later_one() {
    let (world, _, mut kv) = documented();
    set(&world, None, Some(true));
    live(&world, &mut kv, SECOND);
    world.wait(S);
    let look = next_look(&world).unwrap();
    let read = kv.read(&look, world.now.get(), 0, |_| 0);
    set(&world, None, Some(false));
    let (put, _) = next_put(&world).unwrap();
    world.settle(&look, read.clone());
    world.wait(SECOND);
    world.settle(&put, EffectOutcome::Done);
    assert_eq!(world.count("due WHERE kind = 'put_lease'"), 0, "what differed was replaced");
    world.settle(&look, read);
    assert_eq!(world.count("due WHERE kind = 'put_lease'"), 0);
    let read_at = world.sql_time("SELECT ifnull(max(at_ms), 0) FROM due WHERE kind = 'read_lease'");
    assert_eq!(read_at, world.now.get() + S, "the later one is still to be read back");
}

#[test]
fn a_document_that_is_to_be_replaced_is_not_read_back() {
    let (world, _, mut kv) = documented();
    set(&world, None, Some(true));
    live(&world, &mut kv, SECOND);
    world.now.set(world.sql_time("SELECT at_ms FROM due WHERE kind = 'read_lease'") + 1);
    set(&world, None, Some(false));
    let mut next = world.next_effect();
    // The directory learns of the suspension, too.
    if let Some(report @ Effect::ConfirmAccount { .. }) = &next {
        world.settle(report, EffectOutcome::Done);
        next = world.next_effect();
    }
    assert!(matches!(next, Some(Effect::PutLease { .. })), "{next:?}");
}

/// Isolates keep the highest number that they have seen.
#[test]
fn a_ledger_that_was_restored_numbers_its_documents_above_those_of_before() {
    let (world, _, mut kv) = documented();
    for suspended in [true, false] {
        set(&world, None, Some(suspended));
        live(&world, &mut kv, 5 * SECOND);
    }
    let before = held(&world, &kv).number;
    // As it was before the first document.
    let text = "UPDATE lease_document SET number = 0, epoch = NULL, sent_at_ms = NULL";
    world.sql.apply(&[Statement::new(text)]).unwrap();
    set(&world, None, Some(true));
    let number = next_put(&world).unwrap().1.number;
    assert!(number > before, "{number} after {before}");
}

#[test]
fn the_repair_finds_another_document_and_an_absent_one() {
    let (world, owner, mut kv) = documented();
    world.issue(owner, "{}");
    live(&world, &mut kv, HOUR);
    let name = kv_key(world.account);
    let right = held(&world, &kv);
    let mut ahead = right.clone();
    ahead.number += 1_000_000_000_000;
    ahead.state.suspended = true;
    for spoilt in [
        "{}".to_owned(),
        ahead.text().unwrap(),
        right.text().unwrap().replacen("10000", "99000", 1),
    ] {
        kv.land(&name, &spoilt, world.now.get());
        assert_eq!(live(&world, &mut kv, ROUND.as_ms() as i64 + 2 * HOUR).len(), 1, "{spoilt}");
        let (now, refresh) = (held(&world, &kv), world.cold());
        assert_eq!((Some(now.state), now.revision), (refresh.state, refresh.revision), "{spoilt}");
    }
    assert!(held(&world, &kv).number > ahead.number, "or nobody who saw the other would take it");
    // No number follows the highest that JSON carries.
    let mut highest = held(&world, &kv);
    highest.number = INTEGER_MAX as u64;
    let before = held(&world, &kv).number;
    kv.land(&name, &highest.text().unwrap(), world.now.get());
    assert_eq!(live(&world, &mut kv, ROUND.as_ms() as i64 + 2 * HOUR).len(), 1);
    let number = held(&world, &kv).number;
    assert!(before < number && number < highest.number, "{number}");
    assert!(
        live(&world, &mut kv, ROUND.as_ms() as i64 + 2 * HOUR).is_empty(),
        "what is right is left alone"
    );
}

#[test]
fn another_history_has_a_higher_number_and_a_reply_of_it_is_above_all_older_documents() {
    let (world, owner, mut kv) = documented();
    world.issue(owner, "{}");
    live(&world, &mut kv, HOUR);
    let before = held(&world, &kv);
    world.handle(LedgerRequest::Restored { epoch: Epoch::new(9) }).unwrap();
    assert!(world.cold().document > before.number, "though no document of it was put yet");
    live(&world, &mut kv, 5 * SECOND);
    let after = held(&world, &kv);
    assert_eq!(after.epoch, Epoch::new(9));
    assert!(after.number > before.number && world.cold().document == after.number);
    // A clock that is set back does not take numbers back.
    world.now.set(world.now.get() - HOUR);
    set(&world, None, Some(true));
    assert!(next_put(&world).unwrap().1.number > after.number);
}

#[test]
fn a_rebuild_puts_it_again() {
    let (world, _, mut kv) = documented();
    let before = held(&world, &kv);
    world.handle(LedgerRequest::Rebuild).unwrap();
    assert_eq!(live(&world, &mut kv, 5 * SECOND).len(), 1);
    assert!(held(&world, &kv).number > before.number);
}

#[test]
fn while_a_history_cannot_go_on_everybody_is_sent_to_the_ledger() {
    let (world, _, mut kv) = documented();
    world.sql.apply(&[Statement::new("UPDATE account SET epoch_is_over = 1")]).unwrap();
    let lease = RefreshRequest { known_revision: Revision(0), ..RefreshRequest::default() };
    // As the alarm that found out would have it put.
    world.sql.apply(&[Statement::new("INSERT INTO due VALUES ('put_lease', '', 0, 0)")]).unwrap();
    live(&world, &mut kv, 5 * SECOND);
    assert_eq!(held(&world, &kv).unsettled, Unsettled::Overflow);
    let epoch = world.refresh(lease).epoch;
    live(&world, &mut kv, 5 * SECOND);
    assert_eq!(
        (held(&world, &kv).epoch, held(&world, &kv).unsettled),
        (epoch, Unsettled::Set(Vec::new()))
    );
}

#[test]
fn of_many_changes_the_last_are_named_and_the_base_says_so() {
    let (world, owner, mut kv) = documented();
    let ids: Vec<_> = (0..=CHANGES_MAX).map(|_| world.issue(owner, "{}").id).collect();
    live(&world, &mut kv, 10 * SECOND);
    let document = held(&world, &kv);
    assert_eq!((document.base, document.changes.len()), (Revision(1), CHANGES_MAX));
    assert!(!document.changes.iter().any(|mark| mark.id == ids[0]));
    assert!(ids[1..].iter().all(|id| document.changes.iter().any(|mark| mark.id == *id)));
}

#[test]
fn what_members_are_told_of_the_bound_goes_by_the_terms() {
    let (world, owner, _) = documented();
    let key = world.issue(owner, "{}");
    let (key, _, bound) = world.changed(owner, set_enabled(&key, false));
    assert!(bound.unwrap().is_eventual);
    let grace = Outage::Grace(DurationMs::from_s(60));
    world.terms.set(Terms { outage: grace, ..Terms::default() });
    let (key, ..) = world.changed(owner, set_enabled(&key.unwrap(), true));
    let (_, _, bound) = world.changed(owner, set_enabled(&key.unwrap(), false));
    let bound = bound.unwrap();
    assert_eq!((bound.within_s, bound.is_eventual), (70, false));
    assert_eq!(bound.at.as_ms(), world.now.get() + 70 * SECOND);
}
