//! Drift, orphans and rebuilds: whatever KV holds, in the end it holds what the ledger says.

use claviger_control::ledger::rebuild::BATCH;
use claviger_control::ledger::repair::ROUND;
use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::effect::{Effect, EffectOutcome, READ_MANY_MAX};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::KeyId;
use claviger_core::replication::record::{Epoch, Record, Revision, Standing, kv_key};
use claviger_core::replication::refresh::{Delta, RefreshRequest, Unsettled};

use crate::crash::quiet;
use crate::kv::Kv;
use crate::world::{Browser, HOUR, MINUTE, SECOND, World, edit};

const DAY: i64 = ROUND.as_ms() as i64;

/// Time passes in minutes, with a KV that works; answers with what was done.
fn live(world: &World, kv: &mut Kv, ms: i64) -> Vec<Effect> {
    let end = world.now.get() + ms;
    let mut done = Vec::new();
    while world.now.get() < end {
        while let Some(effect) = world.next_effect() {
            carry_out(world, kv, &effect);
            done.push(effect);
        }
        world.now.set(end.min(world.next_due().unwrap_or(end).max(world.now.get() + 1)));
    }
    done
}

fn carry_out(world: &World, kv: &mut Kv, effect: &Effect) {
    let outcome = match effect {
        Effect::PutRecord { key, value, .. } => {
            kv.land(key, value, world.now.get());
            EffectOutcome::Done
        }
        _ => kv.read(effect, world.now.get(), 0, |_| 0),
    };
    world.settle(effect, outcome);
}

/// Time passes up to an effect, with a KV that works.
fn up_to(world: &World, kv: &mut Kv, is_it: impl Fn(&Effect) -> bool) -> Effect {
    for _ in 0..10_000 {
        match world.next_effect() {
            Some(effect) if is_it(&effect) => return effect,
            Some(effect) => carry_out(world, kv, &effect),
            None => world.now.set(world.next_due().unwrap().max(world.now.get() + 1)),
        }
    }
    panic!("it never came")
}

fn compares(effect: &Effect) -> bool {
    matches!(effect, Effect::ReadMany { .. })
}

fn puts(done: &[Effect]) -> usize {
    done.iter().filter(|effect| matches!(effect, Effect::PutRecord { .. })).count()
}

fn settled(world: &World, kv: &Kv) {
    assert_eq!(world.count("publication WHERE settled < revision"), 0);
    let text = "SELECT key FROM publication";
    for mut row in world.sql.rows(&Statement::new(text)).unwrap() {
        let id = KeyId::parse(&row.text().unwrap()).unwrap();
        let held = kv.get(&kv_key(id)).and_then(|value| Record::from_kv(value, id));
        assert_eq!(held, world.record(id));
    }
}

/// An account whose keys have settled, and its KV.
fn stocked(keys: usize) -> (World, Browser, Kv) {
    let (world, owner) = quiet();
    let mut kv = Kv::default();
    for _ in 0..keys {
        world.issue(owner, "{}");
    }
    live(&world, &mut kv, HOUR);
    settled(&world, &kv);
    (world, owner, kv)
}

fn some_record(world: &World) -> Record {
    let mut rows =
        world.sql.rows(&Statement::new("SELECT key FROM publication ORDER BY revision")).unwrap();
    let id = KeyId::parse(&rows[0].text().unwrap()).unwrap();
    world.record(id).unwrap()
}

fn json(record: &Record) -> String {
    serde_json::to_string(record).unwrap()
}

fn numbered(record: &Record, revision: u64) -> Record {
    let mut record = record.clone();
    record.revision = Revision(revision);
    record
}

fn of_key(record: &Record, id: KeyId) -> Record {
    let mut record = record.clone();
    record.id = id;
    record
}

#[test]
fn a_round_without_drift_reads_and_puts_nothing() {
    let (world, _, mut kv) = stocked(250);
    let done = live(&world, &mut kv, DAY + 2 * HOUR);
    assert_eq!(puts(&done), 0);
    let reads = |effect: &&Effect| matches!(effect, Effect::ReadMany { .. });
    assert_eq!(done.iter().filter(reads).count(), 250_usize.div_ceil(READ_MANY_MAX as usize));
    assert_eq!(world.count("repair"), 0);
    let next = live(&world, &mut kv, DAY);
    assert!(
        next.iter().any(|effect| matches!(effect, Effect::ListKv { .. })),
        "and again the next day"
    );
}

#[test]
fn whatever_differs_is_put_right() {
    type Spoil = fn(&Record) -> String;
    let spoils: [(Spoil, bool); 5] = [
        (|_| "{".into(), false),
        // Of another history no number counts, however high it is.
        (
            |right| {
                json(&numbered(right, 1_000)).replacen(right.epoch.as_str(), "ffffffffffffffff", 1)
            },
            false,
        ),
        (|right| json(right).replacen(right.epoch.as_str(), "ffffffffffffffff", 1), false),
        (|right| json(&numbered(right, 1)), true),
        (|right| json(right).replacen("demo:read", "demo:*", 1), true),
    ];
    for (spoil, misleads) in spoils {
        let (world, owner, mut kv) = stocked(3);
        let owner = world.renewed(owner);
        let id = some_record(&world).id;
        let LedgerReply::Key(view) = world.ask(owner, Command::Get { id, deleted: true }) else {
            panic!("no key")
        };
        world.changed(owner, edit(&view, r#"{"name":"Cron"}"#));
        live(&world, &mut kv, HOUR);
        let (right, known) = (world.record(id).unwrap(), world.cold());
        kv.land(&kv_key(id), &spoil(&right), world.now.get());

        // Up to the moment at which the drift is seen, and its put is owed.
        while world.count("publication WHERE owed_at_ms IS NOT NULL") == 0 {
            let effect = loop {
                if let Some(effect) = world.next_effect() {
                    break effect;
                }
                world.wait(MINUTE);
            };
            world.settle(&effect, kv.read(&effect, world.now.get(), 0, |_| 0));
        }
        let refresh = world.cold();
        assert_eq!(refresh.epoch, known.epoch);
        let Unsettled::Set(named) = &refresh.unsettled else { panic!("overflow") };
        assert!(
            named.iter().any(|mark| mark.id == right.id) || !misleads,
            "the edge must not believe it"
        );

        let done = live(&world, &mut kv, HOUR);
        assert_eq!(puts(&done), 1);
        settled(&world, &kv);
    }
}

/// The edge takes what KV holds of such a key for right, unless it is told otherwise.
#[test]
fn an_older_record_of_a_key_that_has_never_changed_is_named() {
    let (world, _, mut kv) = stocked(3);
    let text = "SELECT key FROM publication ORDER BY revision DESC LIMIT 1";
    let mut row = world.sql.first(&Statement::new(text)).unwrap().unwrap();
    let right = world.record(KeyId::parse(&row.text().unwrap()).unwrap()).unwrap();
    kv.land(&kv_key(right.id), &json(&numbered(&right, 1)), world.now.get());
    while world.count("publication WHERE owed_at_ms IS NOT NULL") == 0 {
        match world.next_effect() {
            Some(effect) => world.settle(&effect, kv.read(&effect, world.now.get(), 0, |_| 0)),
            None => world.wait(MINUTE),
        }
    }
    let Unsettled::Set(named) = world.cold().unsettled else { panic!("overflow") };
    assert_eq!(named.iter().map(|mark| mark.id).collect::<Vec<_>>(), [right.id]);
    live(&world, &mut kv, HOUR);
    settled(&world, &kv);
}

#[test]
fn what_is_right_but_was_never_seen_to_settle_is_seen_to() {
    let (world, owner, mut kv) = stocked(2);
    let owner = world.renewed(owner);
    let id = some_record(&world).id;
    let LedgerReply::Key(view) = world.ask(owner, Command::Get { id, deleted: true }) else {
        panic!("no key")
    };
    world.changed(owner, edit(&view, r#"{"name":"Cron"}"#));
    live(&world, &mut kv, SECOND);
    // As a restored ledger may be: the record is out, and the duty to read it back is gone.
    world.sql.apply(&[Statement::new("DELETE FROM due WHERE kind = 'read_back'")]).unwrap();
    live(&world, &mut kv, HOUR);
    assert_eq!(world.count("publication WHERE settled < revision"), 1);
    live(&world, &mut kv, DAY + HOUR);
    settled(&world, &kv);
}

#[test]
fn a_list_that_breaks_off_begins_anew_and_adopts_no_other_account_s_keys() {
    let (world, _, _) = stocked(1);
    let next_list = || {
        for _ in 0..3 * 24 * 60 {
            match world.next_effect() {
                Some(Effect::ListKv { prefix, cursor }) => return (prefix, cursor),
                Some(effect) => world.settle(&effect, EffectOutcome::Failed),
                None => world.wait(MINUTE),
            }
        }
        panic!("no list")
    };
    let (prefix, cursor) = next_list();
    assert_eq!((prefix.as_str(), &cursor), ("key/a1B2c3D4", &None));
    let page = |cursor: Option<String>, outcome| {
        world.settle(&Effect::ListKv { prefix: prefix.clone(), cursor }, outcome);
    };
    let names = vec!["key/zzzzzzzz7Hq0p2Zx9K".into()];
    page(None, EffectOutcome::Listed { names, cursor: Some("second".into()) });
    assert_eq!(world.count("publication"), 1);
    let (_, cursor) = next_list();
    assert_eq!(cursor.as_deref(), Some("second"));
    page(cursor, EffectOutcome::Failed);
    assert_eq!(next_list().1, None, "cursors do not live for ever");
}

/// A round begins a day after the one before, also if its list broke off and began anew.
#[test]
fn rounds_begin_a_day_apart_however_long_they_take() {
    let (world, _, mut kv) = stocked(7);
    let begins = |effect: &Effect| matches!(effect, Effect::ListKv { cursor: None, .. });
    let first = up_to(&world, &mut kv, begins);
    let begun_at = world.now.get();
    carry_out(&world, &mut kv, &first);
    let second = up_to(&world, &mut kv, |effect| matches!(effect, Effect::ListKv { .. }));
    assert!(!begins(&second));
    world.settle(&second, EffectOutcome::Failed);
    let again = up_to(&world, &mut kv, begins);
    assert!((begun_at + SECOND..begun_at + HOUR).contains(&world.now.get()));
    carry_out(&world, &mut kv, &again);
    up_to(&world, &mut kv, begins);
    assert_eq!(world.now.get(), begun_at + DAY);
}

/// The reading is older than the change, whose put or read-back finds whatever is wrong.
#[test]
fn a_key_with_a_pending_put_or_read_back_is_not_compared() {
    for is_acknowledged in [false, true] {
        let (world, owner, mut kv) = stocked(2);
        let compare = up_to(&world, &mut kv, compares);
        let read = kv.read(&compare, world.now.get(), 0, |_| 0);
        let owner = world.renewed(owner);
        let id = some_record(&world).id;
        let LedgerReply::Key(view) = world.ask(owner, Command::Get { id, deleted: true }) else {
            panic!("no key")
        };
        world.changed(owner, edit(&view, r#"{"name":"Cron"}"#));
        if is_acknowledged {
            let put = world.next_put().unwrap();
            carry_out(&world, &mut kv, &put);
        }
        let before = world.sql.dump("publication");
        world.settle(&compare, read);
        assert_eq!(world.sql.dump("publication"), before, "acknowledged: {is_acknowledged}");
    }
}

#[test]
fn a_repeated_report_does_not_take_a_round_back() {
    let (world, _, mut kv) = stocked(130);
    let lists = |effect: &Effect| matches!(effect, Effect::ListKv { .. });
    for is_it in [lists as fn(&Effect) -> bool, compares] {
        let first = up_to(&world, &mut kv, is_it);
        let read = kv.read(&first, world.now.get(), 0, |_| 0);
        world.settle(&first, read.clone());
        let second = up_to(&world, &mut kv, is_it);
        carry_out(&world, &mut kv, &second);
        let position = world.sql.dump("repair");
        world.settle(&first, read);
        assert_eq!(world.sql.dump("repair"), position, "{first:?}");
    }
}

/// In a new history KV lacks every record, and the rebuild puts them a batch at a time. In the same
/// history the rebuild is no reason to leave a difference.
#[test]
fn a_rebuild_sees_to_what_a_new_history_lacks_and_the_repair_to_the_rest() {
    for is_new_history in [false, true] {
        let (world, _, mut kv) = stocked(3);
        let compare = up_to(&world, &mut kv, compares);
        kv.land(&kv_key(some_record(&world).id), "{", world.now.get());
        let request = match is_new_history {
            true => LedgerRequest::Restored { epoch: Epoch::new(5) },
            false => LedgerRequest::Rebuild,
        };
        world.handle(request).unwrap();
        carry_out(&world, &mut kv, &compare);
        let pending = world.count("publication WHERE owed_at_ms IS NOT NULL");
        assert_eq!(pending, i64::from(!is_new_history));
    }
}

/// As a restored ledger may be: a new history has begun, and its rebuild and puts are gone.
#[test]
fn the_repair_puts_what_no_rebuild_will() {
    let (world, _, mut kv) = stocked(3);
    world.handle(LedgerRequest::Restored { epoch: Epoch::new(5) }).unwrap();
    let lost = ["DELETE FROM rebuild", "DELETE FROM due WHERE kind <> 'repair'"];
    world.sql.apply(&lost.map(Statement::new)).unwrap();
    assert_eq!(puts(&live(&world, &mut kv, DAY + 2 * HOUR)), 3);
    settled(&world, &kv);
}

#[test]
fn another_record_with_the_same_number_gives_the_key_a_new_one() {
    let (world, _, mut kv) = stocked(2);
    let (right, known) = (some_record(&world), world.cold());
    kv.land(&kv_key(right.id), &json(&right).replacen("demo:read", "demo:*", 1), world.now.get());
    live(&world, &mut kv, DAY + HOUR);
    settled(&world, &kv);
    let now = world.record(right.id).unwrap();
    assert_eq!((now.revision, &now.standing), (known.revision.next(), &right.standing));
    let lease = RefreshRequest {
        epoch: Some(known.epoch),
        known_revision: known.revision,
        ..RefreshRequest::default()
    };
    let Delta::Changes(marks) = world.refresh(lease).delta else { panic!("reset") };
    assert_eq!(marks.len(), 1, "which drops what the edge has made of it");
}

#[test]
fn a_newer_change_than_the_ledger_knows_ends_the_history() {
    let (world, _, mut kv) = stocked(3);
    let (right, known) = (some_record(&world), world.cold());
    let ahead = numbered(&right, 1_000);
    kv.land(&kv_key(right.id), &json(&ahead), world.now.get());
    live(&world, &mut kv, DAY);
    let refresh = world.cold();
    assert_ne!(refresh.epoch, known.epoch, "nothing else drops what the edge has made of it");
    live(&world, &mut kv, HOUR);
    settled(&world, &kv);
    assert_eq!(world.record(right.id).unwrap().standing, right.standing);
}

#[test]
fn what_is_missing_in_kv_is_put_again() {
    let (world, ..) = stocked(5);
    let mut empty = Kv::default();
    let done = live(&world, &mut empty, DAY + HOUR);
    assert_eq!(puts(&done), 5);
    settled(&world, &empty);
}

#[test]
fn orphans_are_named_at_once_and_buried() {
    let (world, owner, mut kv) = stocked(2);
    let right = some_record(&world);
    let orphans: Vec<_> = (0..4).map(|_| world.draw_key().0).collect();
    for id in &orphans {
        kv.land(&kv_key(*id), &json(&of_key(&right, *id)), world.now.get());
    }
    kv.land("key/a1B2c3D4", "not a record's name", 0);
    let known = world.cold();
    while world.count("publication") < 6 {
        let Some(effect) = world.next_effect() else {
            world.wait(MINUTE);
            continue;
        };
        world.settle(&effect, kv.read(&effect, world.now.get(), 0, |_| 0));
    }
    let lease = RefreshRequest {
        epoch: Some(known.epoch),
        known_revision: known.revision,
        ask: orphans.clone(),
        ..RefreshRequest::default()
    };
    let refresh = world.refresh(lease);
    let Unsettled::Set(named) = &refresh.unsettled else { panic!("overflow") };
    let mut named = named.clone();
    named.sort_by_key(|mark| mark.revision);
    assert_eq!(refresh.delta, Delta::Changes(named.clone()));
    assert_eq!(named.len(), 4);
    for answer in &refresh.answers {
        assert_eq!(answer.record.as_ref().unwrap().standing, Standing::Deleted);
    }
    let owner = world.renewed(owner);
    let mut issue = world.issue_command("{}");
    if let Command::Issue { id, .. } = &mut issue {
        *id = orphans[0];
    }
    assert_eq!(world.refusal(owner, issue), Refusal::IdTaken);

    live(&world, &mut kv, 2 * HOUR);
    settled(&world, &kv);
    assert!(kv.get(&kv_key(orphans[3])).unwrap().contains(r#""state":"deleted""#));
    assert_eq!(kv.get("key/a1B2c3D4"), Some("not a record's name"));
}

#[test]
fn a_repair_goes_on_after_crashes_and_outages_where_it_stood() {
    let (world, _, mut kv) = stocked(120);
    let right = some_record(&world);
    let orphan = world.draw_key().0;
    kv.land(&kv_key(orphan), &json(&of_key(&right, orphan)), world.now.get());
    kv.land(&kv_key(right.id), "{", world.now.get());
    let end = world.now.get() + 3 * DAY;
    while world.now.get() < end {
        if let Some(effect) = world.next_effect() {
            let now = world.now.get();
            let outcome = match world.random(4) {
                // Whoever carried it out is gone.
                0 => None,
                1 => Some(EffectOutcome::Failed),
                _ => Some(match &effect {
                    Effect::PutRecord { key, value, .. } => {
                        kv.land(key, value, now);
                        EffectOutcome::Done
                    }
                    _ => kv.read(&effect, now, 0, |_| 0),
                }),
            };
            if let Some(outcome) = outcome {
                world.settle(&effect, outcome);
            }
        } else {
            world.wait(MINUTE);
        }
    }
    live(&world, &mut kv, 2 * HOUR);
    settled(&world, &kv);
}

/// What was acknowledged in the millisecond of its beginning may have been put before.
#[test]
fn a_rebuild_leaves_out_what_kv_has_acknowledged_since_it_began() {
    for (is_since, expected) in [(false, 1), (true, 0)] {
        let (world, owner, mut kv) = stocked(0);
        let owner = world.renewed(owner);
        world.issue(owner, "{}");
        let put = up_to(&world, &mut kv, |effect| matches!(effect, Effect::PutRecord { .. }));
        if is_since {
            world.handle(LedgerRequest::Rebuild).unwrap();
            world.wait(1);
        }
        carry_out(&world, &mut kv, &put);
        if !is_since {
            world.handle(LedgerRequest::Rebuild).unwrap();
        }
        assert_eq!(puts(&live(&world, &mut kv, HOUR)), expected, "{is_since}");
        assert!(!world.progress().rebuilding);
        settled(&world, &kv);
    }
}

#[test]
fn a_rebuild_puts_everything_a_batch_at_a_time_and_tells_how_far_it_is() {
    let (world, _, mut kv) = stocked(130);
    let before = world.progress();
    assert_eq!(
        (before.rebuilding, before.done, before.total, before.lag_s),
        (false, 130, 130, None)
    );
    world.handle(LedgerRequest::Rebuild).unwrap();
    assert_eq!((world.progress().rebuilding, world.progress().done), (true, 0));
    let mut seen = Vec::new();
    let mut all = 0;
    while world.progress().rebuilding {
        all += puts(&live(&world, &mut kv, SECOND));
        assert!(world.count("due WHERE kind = 'put_record'") <= 40, "a change is never far behind");
        seen.push(world.progress().done);
    }
    assert!(seen.is_sorted() && seen.len() >= 4, "{seen:?}");
    all += puts(&live(&world, &mut kv, HOUR));
    assert_eq!((all, world.progress().done), (130, 130));
    settled(&world, &kv);
}

/// While KV is away a rebuild adds nothing to what waits for it, and the alarm rings for the few
/// puts that are tried again.
#[test]
fn a_rebuild_waits_for_the_end_of_an_outage_without_ringing_for_it() {
    let (world, _, mut kv) = stocked(400);
    assert!(matches!(world.handle(LedgerRequest::Rebuild), Ok(LedgerReply::Progress(_))));
    let end = world.now.get() + 6 * HOUR;
    let (mut rings, mut tries) = (0, 0);
    while world.now.get() < end {
        rings += 1;
        while let Some(effect) = world.next_effect() {
            tries += 1;
            world.settle(&effect, EffectOutcome::Failed);
        }
        assert!(world.count("due WHERE kind = 'put_record'") <= 2 * i64::from(BATCH));
        world.now.set(world.next_due().unwrap().max(world.now.get() + 1));
    }
    // Six hours are 72 times five minutes.
    assert!(rings < 72 * 10, "{rings}");
    assert!(tries < 72 * 2 * BATCH, "{tries}");
    live(&world, &mut kv, HOUR);
    assert_eq!((world.progress().rebuilding, world.progress().done), (false, 400));
    settled(&world, &kv);
}

#[test]
fn a_rebuild_goes_on_after_an_outage_where_it_stood() {
    let (world, _, mut kv) = stocked(100);
    world.handle(LedgerRequest::Rebuild).unwrap();
    live(&world, &mut kv, SECOND);
    let done = world.progress().done;
    assert!(done > 0 && done < 100);
    let end = world.now.get() + 5 * HOUR;
    while world.now.get() < end {
        while let Some(effect) = world.next_effect() {
            world.settle(&effect, EffectOutcome::Failed);
        }
        world.wait(MINUTE);
    }
    assert!(world.progress().done >= done && world.progress().lag_s.unwrap() > 4 * 3_600);
    live(&world, &mut kv, HOUR);
    assert_eq!((world.progress().rebuilding, world.progress().done), (false, 100));
    settled(&world, &kv);
}
