//! What a lease is told.

use claviger_control::ledger::publication::SUPERSEDED_MAX;
use claviger_control::objects::sql::{Row, Sql, SqlExt, Statement};
use claviger_control::protocol::keys::KeyView;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_core::base::id::KeyId;
use claviger_core::replication::record::{Epoch, Revision, Standing};
use claviger_core::replication::refresh::{
    ASK_MAX, Delta, MARKS_MAX, Mark, Refresh, RefreshRequest, Unsettled,
};
use claviger_core::replication::superseded::Superseded;

use crate::crash::quiet;
use crate::world::{Browser, World, edit, set_enabled};

fn lease(refresh: &Refresh) -> RefreshRequest {
    RefreshRequest {
        epoch: Some(refresh.epoch.clone()),
        known_revision: refresh.revision,
        state_revision: refresh.state.as_ref().map_or(Revision(0), |state| state.revision),
        ..RefreshRequest::default()
    }
}

fn mark(id: KeyId, revision: u64) -> Mark {
    Mark { id, revision: Revision(revision) }
}

fn three(world: &World, owner: Browser) -> [KeyView; 3] {
    [(); 3].map(|()| world.issue(owner, "{}"))
}

#[test]
fn a_ledger_that_was_never_opened_says_gone_and_stays_empty() {
    let world = World::empty();
    for request in [
        LedgerRequest::Refresh(RefreshRequest::default()),
        LedgerRequest::Progress,
        LedgerRequest::Rebuild,
        LedgerRequest::SetState { freshness_ms: Some(0), suspended: Some(true) },
        LedgerRequest::Restored { epoch: Epoch::new(1) },
    ] {
        assert_eq!(world.handle(request), Ok(LedgerReply::Gone));
    }
    assert_eq!(world.sql.applies(), 0);
}

#[test]
fn changes_name_each_key_once_with_its_last_change() {
    let (world, owner) = quiet();
    let [a, b, c] = three(&world, owner);
    let known = lease(&world.cold());
    let (b2, ..) = world.changed(owner, edit(&b, r#"{"name":"Cron"}"#));
    world.changed(owner, set_enabled(&a, false));
    world.changed(owner, set_enabled(&b2.unwrap(), false));
    world.delete(owner, &c);

    let refresh = world.refresh(known.clone());
    assert_eq!(refresh.revision, Revision(7));
    let marks = vec![mark(a.id, 5), mark(b.id, 6), mark(c.id, 7)];
    assert_eq!(refresh.delta, Delta::Changes(marks.clone()));
    let Unsettled::Set(mut named) = refresh.unsettled.clone() else { panic!("overflow") };
    named.sort_by_key(|mark| mark.revision);
    assert_eq!(named, marks, "deletions too");

    let again = world.refresh(lease(&refresh));
    assert_eq!(again.delta, Delta::Changes(vec![]));
    assert_eq!(again.unsettled, refresh.unsettled, "the whole set, each time");
}

#[test]
fn creations_are_in_the_changes_and_not_in_what_is_unsettled() {
    let (world, owner) = quiet();
    let known = lease(&world.cold());
    let [a, b, c] = three(&world, owner);
    let refresh = world.refresh(known);
    assert_eq!(refresh.delta, Delta::Changes(vec![mark(a.id, 1), mark(b.id, 2), mark(c.id, 3)]));
    assert_eq!(refresh.unsettled, Unsettled::Set(vec![]));
}

#[test]
fn another_history_is_a_reset() {
    let (world, owner) = quiet();
    world.issue(owner, "{}");
    for epoch in [None, Some(Epoch::new(1))] {
        let known =
            RefreshRequest { epoch, known_revision: Revision(1_000), ..RefreshRequest::default() };
        let refresh = world.refresh(known);
        assert_eq!((refresh.delta, refresh.revision), (Delta::Reset, Revision(1)));
        assert!(refresh.state.is_some());
    }
    assert_eq!(world.count("account WHERE generation = 1"), 1, "which says nothing about this one");
}

/// Revision 0 says of a lease that it knows no state, of an account that its state never changed.
#[test]
fn a_lease_without_a_state_is_sent_the_one_that_never_changed() {
    let (world, _) = quiet();
    let cold = world.cold();
    assert_eq!(cold.state.as_ref().unwrap().revision, Revision(0));
    let known = RefreshRequest { epoch: Some(cold.epoch), ..RefreshRequest::default() };
    assert_eq!(world.refresh(known).state, cold.state);
}

#[test]
fn a_lease_that_knows_more_than_happened_begins_a_new_history() {
    for ahead in [
        RefreshRequest { known_revision: Revision(2), ..RefreshRequest::default() },
        RefreshRequest { state_revision: Revision(2), ..RefreshRequest::default() },
    ] {
        let (world, owner) = quiet();
        let key = world.issue(owner, "{}");
        let old = world.cold().epoch;
        let ahead = RefreshRequest { epoch: Some(old.clone()), ask: vec![key.id], ..ahead };
        let refresh = world.refresh(ahead.clone());
        assert_ne!(refresh.epoch, old);
        assert_eq!((refresh.delta, refresh.unsettled), (Delta::Reset, Unsettled::Set(vec![])));
        assert!(refresh.state.is_some());
        assert_eq!(refresh.answers[0].record.as_ref().unwrap().epoch, refresh.epoch);
        assert_eq!(world.refresh(ahead).epoch, refresh.epoch, "once");
        assert!(world.progress().rebuilding);
    }
}

#[test]
fn the_state_is_told_when_it_is_news() {
    let (world, _) = quiet();
    let first = world.cold();
    assert_eq!(first.state.as_ref().unwrap().freshness_ms, 10_000);
    world.handle(LedgerRequest::SetState { freshness_ms: None, suspended: Some(true) }).unwrap();
    let second = world.refresh(lease(&first));
    let state = second.state.clone().unwrap();
    assert_eq!((state.revision, state.suspended), (second.revision, true));
    assert_eq!(world.refresh(lease(&second)).state, None);
}

#[test]
fn what_is_asked_is_answered_each_key_once_up_to_the_limit() {
    let (world, owner) = quiet();
    let [a, b, c] = three(&world, owner);
    world.changed(owner, set_enabled(&b, false));
    world.delete(owner, &c);
    let stranger = KeyId::parse("zzzzzzzz7Hq0p2Zx9K").unwrap();
    let ask = vec![c.id, a.id, stranger, a.id, b.id];
    let answers = world.refresh(RefreshRequest { ask, ..RefreshRequest::default() }).answers;
    let told: Vec<_> = answers.iter().map(|answer| (answer.id, answer.record.as_ref())).collect();
    assert!(
        matches!(told[..], [(id, Some(r)), ..] if id == c.id && r.standing == Standing::Deleted)
    );
    assert!(
        matches!(told[1], (id, Some(r)) if id == a.id && matches!(r.standing, Standing::Active(_)))
    );
    assert_eq!(told[2], (stranger, None));
    assert!(
        matches!(told[3], (id, Some(r)) if id == b.id && matches!(r.standing, Standing::Disabled(_)))
    );
    assert_eq!(told.len(), 4);

    let ask: Vec<KeyId> = (0..=ASK_MAX).map(|_| world.draw_key().0).collect();
    let answers =
        world.refresh(RefreshRequest { ask: ask.clone(), ..RefreshRequest::default() }).answers;
    assert_eq!(answers.iter().map(|answer| answer.id).collect::<Vec<_>>(), ask[..ASK_MAX]);
}

/// An account of `keys` keys, the last `unsettled` of which were edited.
fn full(keys: u32, unsettled: u32) -> World {
    let (world, _) = quiet();
    let fill = [
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {keys})
            INSERT INTO key (id, digest, name, name_folded, state, limits, expires_ms,
                created_at_ms, created_by, changed_at_ms, changed_by, revision)
                SELECT printf('a1B2c3D4%010d', i), zeroblob(32), 'k', 'k', 'active',
                '{{\"not_before\":null,\"expires\":null,\"networks\":[],\"interfaces\":[\"http\"],\"permissions\":[]}}',
                NULL, 0, 'ooooooooooo', 0, 'ooooooooooo', i FROM n"
        ),
        format!(
            "INSERT INTO publication SELECT id, revision, 1, CASE WHEN revision > {keys} - {unsettled} THEN 0 ELSE revision END,
                0, NULL, 0, NULL, NULL, NULL FROM key"
        ),
        format!("UPDATE account SET revision = {keys}"),
    ];
    world.sql.apply(&fill.map(Statement::new)).unwrap();
    world
}

#[test]
fn too_many_changes_are_a_reset_and_too_many_unsettled_an_overflow() {
    let max = u32::try_from(MARKS_MAX).unwrap();
    for (unsettled, overflows) in [(max, false), (max + 1, true)] {
        let world = full(3 * max, unsettled);
        let refresh = world.cold();
        match refresh.unsettled {
            Unsettled::Set(marks) => assert!(!overflows && marks.len() == MARKS_MAX),
            Unsettled::Overflow => assert!(overflows),
        }
        for (behind, resets) in [(u64::from(max), false), (u64::from(max) + 1, true)] {
            let known_revision = Revision(u64::from(3 * max) - behind);
            let known = RefreshRequest {
                epoch: Some(refresh.epoch.clone()),
                known_revision,
                ..RefreshRequest::default()
            };
            assert_eq!(world.refresh(known).delta == Delta::Reset, resets, "{behind}");
        }
    }
}

/// Reads only, by indexes alone, and quickly, of twenty thousand keys.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test that measures wants a clock")]
fn a_refresh_of_a_full_account_reads_little_and_writes_nothing() {
    let world = full(20_000, 900);
    world.sql.apply(&[Statement::new("ANALYZE")]).unwrap();
    let known = RefreshRequest {
        epoch: Some(world.cold().epoch),
        known_revision: Revision(19_500),
        ask: vec![KeyId::parse("zzzzzzzz7Hq0p2Zx9K").unwrap(); 3],
        ..RefreshRequest::default()
    };
    let applies = world.sql.applies();
    world.sql.overhear();
    let begin = std::time::Instant::now();
    for _ in 0..20 {
        let refresh = world.refresh(known.clone());
        assert!(matches!(refresh.delta, Delta::Changes(marks) if marks.len() == 500));
        assert!(matches!(refresh.unsettled, Unsettled::Set(marks) if marks.len() == 900));
    }
    // Unoptimised and on a shared machine; one that scans takes a multiple.
    assert!(begin.elapsed().as_millis() < 20 * 200, "{:?}", begin.elapsed());
    assert_eq!(world.sql.applies(), applies);
    let statements = world.sql.overheard();
    assert!(statements.len() >= 5);
    for statement in statements {
        let plan = plan(&world, &statement);
        for table in ["key", "publication", "usage"] {
            assert!(!plan.contains(&format!("SCAN {table}")), "{}: {plan}", statement.text());
        }
        assert!(!plan.contains("TEMP B-TREE"), "{}: {plan}", statement.text());
    }
}

fn plan(world: &World, statement: &Statement) -> String {
    let explain = Statement::new(format!("EXPLAIN QUERY PLAN {}", statement.text()));
    let rows = explain.bind_all(statement.values().iter().cloned());
    let detail = |mut row: Row| {
        for _ in 0..3 {
            row.integer()?;
        }
        row.text()
    };
    world.sql.read_all(&rows, detail).unwrap().join("; ")
}

/// Adds keys of which KV may hold an earlier record, each with a revision of its own.
fn supersede(world: &World, many: usize) {
    let text = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many})
        INSERT INTO publication (key, revision, generation, base, acknowledged, settled)
        SELECT printf('a1B2c3D4%010d', i), i, 1, 0, i, i FROM n"
    );
    let advance = format!("UPDATE account SET revision = {many}");
    world.sql.apply(&[Statement::new(text), Statement::new(advance)]).unwrap();
}

#[test]
fn as_many_superseded_keys_are_named_as_the_bounds_say() {
    for (many, is_named) in [(SUPERSEDED_MAX, true), (SUPERSEDED_MAX + 1, false)] {
        let (world, _) = quiet();
        supersede(&world, many);
        assert_eq!(world.cold().superseded.is_some(), is_named, "{many}");
    }
    let (world, _) = quiet();
    let known = lease(&world.cold());
    supersede(&world, MARKS_MAX);
    let refresh = world.refresh(known.clone());
    let Some(Superseded::Keys(keys)) = &refresh.superseded else { panic!("none") };
    assert_eq!(keys.len(), MARKS_MAX);
    let later = RefreshRequest { known_revision: refresh.revision, ..known };
    assert_eq!(world.refresh(later).superseded, Some(Superseded::Keys(Vec::new())));
}

/// A ledger that lost changes without notice has reached the revision of a state that it never had.
#[test]
fn a_lease_with_another_state_than_the_ledger_s_is_sent_it() {
    let (world, owner) = quiet();
    let set = LedgerRequest::SetState { freshness_ms: Some(5_000), suspended: None };
    world.handle(set).unwrap();
    three(&world, owner);
    let known = lease(&world.cold());
    for (revision, is_sent) in [(0, true), (1, false), (2, true)] {
        let known = RefreshRequest { state_revision: Revision(revision), ..known.clone() };
        assert_eq!(world.refresh(known).state.is_some(), is_sent, "{revision}");
    }
}
