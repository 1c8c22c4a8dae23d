//! What holds for the whole account; and histories that come from outside.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::effect::Effect;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::{Epoch, Record, Revision};
use claviger_core::replication::refresh::{AccountState, Delta, RefreshRequest};

use crate::crash::quiet;
use crate::world::{SECOND, START, World, set_enabled};

fn set(
    world: &World,
    freshness_ms: Option<u64>,
    suspended: Option<bool>,
) -> (AccountState, Option<Bound>) {
    match world.handle(LedgerRequest::SetState { freshness_ms, suspended }) {
        Ok(LedgerReply::State { state, bound }) => (state, bound),
        other => panic!("not set: {other:?}"),
    }
}

fn bound(ms: i64, within_s: u32) -> Option<Bound> {
    Some(Bound { at: UnixMs::from_ms(START + ms), within_s, is_eventual: false })
}

#[test]
fn every_change_of_the_state_takes_a_number_and_what_is_so_already_none() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    assert_eq!(set(&world, Some(10_000), Some(false)), (world.cold().state.unwrap(), None));
    let (state, suspended) = set(&world, None, Some(true));
    assert_eq!(
        state,
        AccountState {
            revision: Revision(2),
            freshness_ms: 10_000,
            suspended: true,
            operator: true,
            ..AccountState::default()
        }
    );
    assert_eq!(suspended, bound(10 * SECOND, 10), "it takes power away");
    assert_eq!(set(&world, None, Some(true)), (state, None), "repeated: as if once");
    let (state, resumed) = set(&world, None, Some(false));
    assert_eq!((state.revision, resumed), (Revision(3), None));
    let (after, ..) = world.changed(owner, set_enabled(&key, false));
    assert_eq!(after.unwrap().revision, Revision(4));
    assert_eq!(world.count("journal WHERE subject = 'account' AND what = 'set_state'"), 2);
    assert_eq!(world.count("audit WHERE member = 'operator' AND action = 'set_state'"), 2);
    let lease = RefreshRequest {
        epoch: Some(world.cold().epoch),
        known_revision: Revision(1),
        state_revision: Revision(3),
        ..RefreshRequest::default()
    };
    let refresh = world.refresh(lease);
    assert!(matches!(refresh.delta, Delta::Changes(marks) if marks.len() == 1), "of keys alone");
    assert_eq!(refresh.state, None);
}

#[test]
fn a_lower_t_binds_when_the_old_one_is_over() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    set(&world, Some(60_000), None);
    let (state, lowered) = set(&world, Some(1_500), None);
    assert_eq!(
        (state.freshness_ms, lowered),
        (1_500, bound(60 * SECOND, 60)),
        "leases are told at once"
    );
    let (key, _, at_once) = world.changed(owner, set_enabled(&key, false));
    assert_eq!(at_once, bound(60 * SECOND, 60));
    let (key, ..) = world.changed(owner, set_enabled(&key.unwrap(), true));
    world.wait(60 * SECOND);
    let (.., later) = world.changed(owner, set_enabled(&key.unwrap(), false));
    assert_eq!(later, bound(61_500, 2));
    let LedgerReply::Session(view) = world.ask(owner, Command::Show) else { panic!("no session") };
    assert_eq!(view.account.freshness_s, 2, "rounded up");
    assert_eq!(set(&world, Some(0), None).0.freshness_ms, 0, "every request asks");
}

#[test]
fn a_t_that_is_no_bound_is_refused() {
    let (world, _) = quiet();
    for freshness_ms in [3_600_001, u64::MAX] {
        let request =
            LedgerRequest::SetState { freshness_ms: Some(freshness_ms), suspended: Some(true) };
        let reply = world.handle(request);
        assert!(matches!(reply, Ok(LedgerReply::Refused(Refusal::Invalid { .. }))), "{reply:?}");
    }
    assert_eq!(world.count("account WHERE suspended = 1"), 0);
    set(&world, Some(3_600_000), None);
}

#[test]
fn a_restored_ledger_takes_on_the_history_that_was_noted_once() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let (noted, restored) = (Epoch::new(9), || LedgerRequest::Restored { epoch: Epoch::new(9) });
    for _ in 0..2 {
        assert_eq!(world.handle(restored()), Ok(LedgerReply::Done));
        assert_eq!(world.cold().epoch, noted);
        assert_eq!(world.count("account WHERE generation = 2"), 1);
    }
    // A lease of that history knows more than happened: another begins, and the old word does not
    // bring it back.
    let ahead = RefreshRequest {
        epoch: Some(noted.clone()),
        known_revision: Revision(99),
        ..RefreshRequest::default()
    };
    let other = world.refresh(ahead).epoch;
    assert_ne!(other, noted);
    assert_eq!(world.handle(restored()), Ok(LedgerReply::Done));
    assert_eq!(world.cold().epoch, other);
    let Some(Effect::PutRecord { value, .. }) = world.next_put() else { panic!("no put") };
    assert_eq!(Record::from_kv(&value, key.id).unwrap().epoch, other, "all is put again");
}

/// A put of the old history that is acknowledged in the new one is not a put of the new one.
#[test]
fn an_acknowledgement_from_another_history_counts_for_nothing() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let old = world.next_put().unwrap();
    world.handle(LedgerRequest::Restored { epoch: Epoch::new(9) }).unwrap();
    world.settle(&old, claviger_control::protocol::effect::EffectOutcome::Done);
    assert_eq!(world.progress().done, 0);
    world.wait(SECOND);
    let Some(Effect::PutRecord { value, revision, .. }) = world.next_put() else {
        panic!("no put")
    };
    assert_eq!(
        (Record::from_kv(&value, key.id).unwrap().epoch, revision),
        (Epoch::new(9), key.revision)
    );
}
