//! Regenerated keys (S11): a successor with a new secret, at once or with an overlap of both.

use claviger_control::ledger::decide::KEYS_MAX;
use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::keys::{KeyView, Status};
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::regeneration::NotRegenerable;
use claviger_core::base::id::KeyId;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::credential::issuer::SealingGeneration;
use claviger_core::credential::limits::lifetime::Expiry;
use claviger_core::replication::record::{Credential, Record, Revision, Standing};

use crate::issuing::{by_api, issuer};
use crate::world::{
    Browser, HOUR, SECOND, START, World, confirm, edit, regenerate, restore, set_enabled,
};

const DAY: i64 = 24 * HOUR;

/// The successor, the old key, the records of both in the order of their changes, and the bound.
struct Pair {
    new: KeyView,
    old: KeyView,
    records: Vec<Record>,
    bound: Bound,
}

fn pair(world: &World, browser: Browser, command: Command) -> Pair {
    match world.ask(browser, command) {
        LedgerReply::Regenerated { key, replaced, records, bound } => {
            Pair { new: key, old: replaced, records, bound }
        }
        other => panic!("not regenerated: {other:?}"),
    }
}

fn replace(world: &World, browser: Browser, key: &KeyView, form: &str) -> Pair {
    pair(world, browser, regenerate(world, key, form))
}

fn view(world: &World, browser: Browser, id: KeyId) -> KeyView {
    match world.ask(browser, Command::Get { id, deleted: true }) {
        LedgerReply::Key(key) => key,
        other => panic!("no key: {other:?}"),
    }
}

fn end_overlap(key: &KeyView) -> Command {
    Command::EndOverlap { id: key.id, expected: key.revision }
}

fn credential(record: &Record) -> &Credential {
    match &record.standing {
        Standing::Active(credential) | Standing::Disabled(credential) => credential,
        Standing::Deleted => panic!("deleted"),
    }
}

fn end_of(key: &KeyView) -> i64 {
    key.limits.expires.at().unwrap().as_ms()
}

/// The pointers and codes of a form that is refused.
fn errors(refusal: Refusal) -> Vec<String> {
    let Refusal::Invalid { errors } = refusal else { panic!("not invalid: {refusal:?}") };
    errors.iter().map(|error| format!("{} {}", error.pointer, error.code)).collect()
}

#[test]
fn s11_without_overlap_the_old_pair_ends_at_once_and_the_successor_takes_its_place() {
    let (world, owner) = World::open();
    let json = r#"{"expires":"90d","networks":"10.0.0.0/8","protected":true,
        "issuable":{"permissions":["demo:read"],"networks":"10.1.0.0/16","longest":"5m"}}"#;
    let key = world.issue(owner, json);
    let digest = credential(&world.record(key.id).unwrap()).digest;
    world.wait(DAY);
    let owner = world.renewed(owner);
    let Pair { new, old, records, bound } = replace(&world, owner, &key, "{}");

    let now = world.now();
    assert_eq!(
        bound,
        Bound { at: UnixMs::from_ms(now.as_ms() + 10 * SECOND), within_s: 10, is_eventual: false }
    );
    assert_eq!(old.status(now), Status::Deleted);
    assert_eq!((old.id, old.replaced_by, old.deleted_at), (key.id, Some(new.id), Some(now)));
    assert_eq!((old.restorable_until(), old.protected), (None, false));
    assert_eq!(records[0].standing, Standing::Deleted);
    assert_eq!((records[0].id, records[0].revision), (key.id, Revision(2)));
    assert_eq!(world.record(key.id).as_ref(), Some(&records[0]));

    assert_eq!(new.status(now), Status::Active);
    assert_eq!((new.replaces, new.replaced_by, new.overlap(now)), (Some(key.id), None, None));
    assert_eq!((&new.name, new.protected, &new.issuable), (&key.name, true, &key.issuable));
    assert_eq!((new.created_at, new.last_used_at), (now, None));
    assert_eq!(end_of(&new), now.as_ms() + 90 * DAY, "as long a life as the old one was given");
    let mut limits = key.limits.clone();
    limits.expires = new.limits.expires;
    assert_eq!(new.limits, limits);
    assert_ne!(credential(&records[1]).digest, digest);
    assert_eq!(credential(&records[1]).limits, limits);
    assert_eq!(world.record(new.id).as_ref(), Some(&records[1]));
    assert_eq!(view(&world, owner, new.id), new);
    assert_eq!(view(&world, owner, key.id), old);

    // The trail names each by the other.
    let text = "SELECT action || ' ' || key || ' ' || ifnull(json_extract(before, '$.replaced_by'), '-') || ' '
            || ifnull(json_extract(after, '$.replaced_by'), '-') || ' ' || ifnull(json_extract(after, '$.replaces'), '-')
        FROM audit WHERE revision > 1 ORDER BY number";
    let rows = world.sql.read_all(&Statement::new(text), |mut row| row.text()).unwrap();
    let expected = [
        format!("replace {} - {} -", key.id, new.id),
        format!("regenerate {} - - {}", new.id, key.id),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn s11_with_overlap_both_pairs_work_until_the_old_one_ends_by_itself() {
    let (world, owner) = World::open();
    let key = world.issue(owner, r#"{"expires":"never","protected":true}"#);
    let Pair { new, old, records, bound } = replace(&world, owner, &key, r#"{"overlap":"1d"}"#);
    let end = UnixMs::from_ms(START + DAY);
    assert_eq!(old.limits.expires, Expiry::At(end));
    assert_eq!((old.overlap(world.now()), new.overlap(world.now())), (Some(end), Some(end)));
    assert_eq!((new.limits.expires, new.protected, old.protected), (Expiry::Never, true, false));
    assert_eq!(bound.at.as_ms(), START + 10 * SECOND);
    let old_record = credential(&records[0]);
    assert_eq!(old_record.limits.expires, Expiry::At(end), "so the edge ends it without a change");
    assert_eq!(old_record.sealing, SealingGeneration(0), "its tokens go on");
    assert!(matches!(records[1].standing, Standing::Active(_)));

    world.wait(DAY - 1);
    let owner = world.renewed(owner);
    let (old, new) = (view(&world, owner, old.id), view(&world, owner, new.id));
    assert_eq!((old.status(world.now()), new.overlap(world.now())), (Status::Active, Some(end)));
    world.wait(1);
    assert_eq!((old.status(world.now()), new.overlap(world.now())), (Status::Expired, None));
    assert_eq!(new.status(world.now()), Status::Active);
}

#[test]
fn s11_an_overlap_is_cut_to_the_expiry_of_the_old_key() {
    let (world, owner) = World::open();
    for (expires, overlap, end) in [
        ("1h", "1d", HOUR),
        ("1h", "3600001", HOUR),
        ("1h", "1h", HOUR),
        ("1h", "3599999", HOUR - 1),
        ("1h", "1", 1),
        ("never", "100d", 100 * DAY),
        // Until 24:00 of that day in Tokyo.
        ("1d", "2026-11-21", 3 * HOUR),
    ] {
        let key = world.issue(owner, &format!(r#"{{"expires":"{expires}"}}"#));
        let form = format!(r#"{{"overlap":"{overlap}"}}"#);
        let Pair { old, .. } = replace(&world, owner, &key, &form);
        assert_eq!(end_of(&old), START + end, "{expires} {overlap}");
    }
}

#[test]
fn s11_a_form_that_cannot_be_is_refused_with_every_error() {
    let (world, owner) = World::open();
    let key = world.issue(owner, r#"{"expires":"1h"}"#);
    let later = world.issue(owner, r#"{"not_before":"2h","expires":"10d"}"#);
    let applies = world.sql.applies();
    for (key, form, expected) in [
        (&key, r#"{"overlap":"never"}"#, &["#/overlap endless"][..]),
        (&key, r#"{"overlap":"0"}"#, &["#/overlap zero_duration"]),
        (&key, r#"{"overlap":"2026-11-21T12:00:00Z"}"#, &["#/overlap in_the_past"]),
        (&key, r#"{"overlap":"soon","expires":""}"#, &["#/overlap not_a_time", "#/expires empty"]),
        (&key, r#"{"expires":"2020-01-01"}"#, &["#/expires in_the_past"]),
        (&later, r#"{"overlap":"2h"}"#, &["#/overlap before_begin"]),
        (&later, r#"{"expires":"2h"}"#, &["#/expires before_begin"]),
    ] {
        let refusal = world.refusal(owner, regenerate(&world, key, form));
        assert_eq!(errors(refusal), expected, "{form}");
    }
    assert_eq!(world.sql.applies(), applies, "a refusal writes nothing");
    let Pair { old, .. } = replace(&world, owner, &later, r#"{"overlap":"7200001"}"#);
    assert_eq!(end_of(&old), START + 2 * HOUR + 1);

    // At the very instant of its end there is nothing left to overlap, but a successor.
    world.wait(HOUR);
    let owner = world.renewed(owner);
    let refusal = world.refusal(owner, regenerate(&world, &key, r#"{"overlap":"1d"}"#));
    assert_eq!(errors(refusal), ["#/overlap expired"]);
    let Pair { new, .. } = replace(&world, owner, &key, "{}");
    assert_eq!((new.status(world.now()), end_of(&new)), (Status::Active, START + 2 * HOUR));
}

#[test]
fn the_successor_lives_as_long_as_the_old_key_unless_the_form_says_otherwise() {
    let (world, owner) = World::open();
    let keys = ["never", "2d", "2d"]
        .map(|expires| world.issue(owner, &format!(r#"{{"expires":"{expires}"}}"#)));
    world.wait(DAY);
    let owner = world.renewed(owner);
    for (key, form, end) in [
        (&keys[0], "{}", None),
        (&keys[1], "{}", Some(DAY + 2 * DAY)),
        (&keys[2], r#"{"expires":"5h"}"#, Some(DAY + 5 * HOUR)),
    ] {
        let Pair { new, .. } = replace(&world, owner, key, form);
        assert_eq!(new.limits.expires.at().map(UnixMs::as_ms), end.map(|end| START + end));
        if end.is_some() {
            let Pair { new, .. } = replace(&world, owner, &new, r#"{"expires":"never"}"#);
            assert_eq!(new.limits.expires, Expiry::Never);
        }
    }
    // An end before the issue, as a clock that was set back may leave it, says nothing of a life.
    let key = world.issue(owner, r#"{"expires":"2d"}"#);
    let text = "UPDATE key SET created_at_ms = expires_ms WHERE id = ?";
    world.sql.apply(&[Statement::new(text).bind(key.id.as_str())]).unwrap();
    let refusal = world.refusal(owner, regenerate(&world, &key, "{}"));
    assert_eq!(errors(refusal), ["#/expires required"]);
    replace(&world, owner, &key, r#"{"expires":"1d"}"#);
}

#[test]
fn who_may_not_issue_may_not_regenerate_and_some_keys_never_are() {
    let (world, owner) = World::open();
    let (admin, viewer) = (world.join("admin", b'a'), world.join("viewer", b'v'));
    let key = world.issue(owner, "{}");
    let reserved = world.issue(owner, r#"{"permissions":["claviger:verify"]}"#);
    let (maker, proof) = issuer(&world, owner, "");
    let LedgerReply::Changed { key: Some(issued), .. } =
        world.handle(by_api(&world, proof, 2 * DAY, "[]")).unwrap()
    else {
        panic!("not issued")
    };
    let command = |key: &KeyView| regenerate(&world, key, r#"{"overlap":"1h"}"#);
    assert_eq!(world.refusal(viewer, command(&key)), Refusal::NotPermitted);
    assert_eq!(world.refusal(viewer, end_overlap(&key)), Refusal::NotPermitted);
    assert_eq!(world.refusal(admin, command(&reserved)), Refusal::NotPermitted);
    let not = |reason| Refusal::NotRegenerable { reason };
    assert_eq!(world.refusal(owner, command(&issued)), not(NotRegenerable::Issued));
    let (disabled, ..) = world.changed(owner, set_enabled(&key, false));
    let disabled = disabled.unwrap();
    assert_eq!(world.refusal(owner, command(&disabled)), not(NotRegenerable::Disabled));
    let stale = Refusal::ChangedMeanwhile { key: Box::new(disabled.clone()) };
    assert_eq!(world.refusal(owner, command(&key)), stale);
    world.delete(owner, &disabled);
    let deleted = view(&world, owner, key.id);
    assert_eq!(world.refusal(owner, command(&deleted)), Refusal::NotFound);
    let unknown = KeyView { id: world.draw_key().0, ..deleted };
    assert_eq!(world.refusal(owner, command(&unknown)), Refusal::NotFound);

    // An ID that exists, and one of another account, are drawn anew.
    let foreign = KeyId::parse("zzzzzzzz7Hq0p2Zx9K").unwrap();
    for taken in [maker.id, foreign] {
        let mut command = command(&maker);
        let Command::Regenerate { new_id, .. } = &mut command else { panic!() };
        *new_id = taken;
        assert_eq!(world.refusal(owner, command), Refusal::IdTaken);
    }
    let Pair { old, .. } = pair(&world, admin, command(&maker));
    assert_eq!(world.refusal(owner, command(&old)), not(NotRegenerable::Replaced));
    pair(&world, owner, command(&reserved));
    world.wait(HOUR);
    assert_eq!(world.refusal(owner, command(&maker)), Refusal::StepUpRequired);
    assert_eq!(world.refusal(owner, end_overlap(&old)), Refusal::StepUpRequired);
}

#[test]
fn s11_a_repeated_request_makes_one_key_and_of_two_at_a_time_one_wins() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    for form in ["{}", r#"{"overlap":"1h"}"#] {
        let key = world.issue(owner, "{}");
        let first = regenerate(&world, &key, form);
        let Command::Regenerate { idempotency_key, .. } = &first else { panic!() };
        let mut repeated = regenerate(&world, &key, form);
        let Command::Regenerate { idempotency_key: same, .. } = &mut repeated else { panic!() };
        same.clone_from(idempotency_key);
        let others = [regenerate(&world, &key, form), regenerate(&world, &key, "{}")];
        let Pair { new, old, .. } = pair(&world, owner, first);
        let keys = world.count("key");
        let once = Refusal::AlreadyIssued { key: Some(Box::new(new.clone())) };
        assert_eq!(world.refusal(owner, repeated), once);
        for other in others {
            let late = Refusal::ChangedMeanwhile { key: Box::new(old.clone()) };
            assert_eq!(world.refusal(admin, other), late, "{form}");
        }
        assert_eq!(world.count("key"), keys);
    }
    let key = world.issue(owner, "{}");
    let mut bad = regenerate(&world, &key, "{}");
    let Command::Regenerate { idempotency_key, .. } = &mut bad else { panic!() };
    idempotency_key.clear();
    assert_eq!(errors(world.refusal(owner, bad)), ["#/idempotency_key malformed"]);
}

#[test]
fn a_deletion_and_a_regeneration_at_a_time_leave_no_key_that_someone_meant_to_end() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    let (deletion, begin) = world.begin_deletion(&[key.id]);
    world.ask(owner, begin);
    let Pair { new, .. } = replace(&world, owner, &key, "{}");
    let gone = Refusal::KeysNotFound { keys: vec![key.id] };
    assert_eq!(world.refusal(owner, confirm(deletion, "right")), gone, "it has ended already");

    // With an overlap the deletion still ends the old pair, and a restore brings back no more.
    let (deletion, begin) = world.begin_deletion(&[new.id]);
    world.ask(owner, begin);
    let Pair { new: third, .. } = replace(&world, owner, &new, r#"{"overlap":"2h"}"#);
    let LedgerReply::Deleted { restorable_until, .. } =
        world.ask(owner, confirm(deletion, "right"))
    else {
        panic!("not deleted")
    };
    assert_eq!(restorable_until.as_ms(), START + 2 * HOUR, "and so the mail says");
    let deleted = view(&world, owner, new.id);
    assert_eq!(deleted.status(world.now()), Status::Deleted);
    assert_eq!(deleted.restorable_until().map(UnixMs::as_ms), Some(START + 2 * HOUR));
    let (restored, ..) = world.changed(owner, restore(&deleted));
    assert_eq!(end_of(&restored.unwrap()), START + 2 * HOUR);

    // A regeneration after the deletion finds nothing.
    world.delete(owner, &third);
    let deleted = view(&world, owner, third.id);
    assert_eq!(world.refusal(owner, regenerate(&world, &deleted, "{}")), Refusal::NotFound);
}

#[test]
fn s11_what_was_replaced_never_comes_back() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    let Pair { new, old, .. } = replace(&world, owner, &key, "{}");
    let replaced = |by: &KeyView| Refusal::Replaced { by: by.id };
    assert_eq!(world.refusal(owner, restore(&old)), replaced(&new));
    // Not even once the successor is deleted.
    world.delete(owner, &new);
    assert_eq!(world.refusal(owner, restore(&old)), replaced(&new));

    // A deleted pair returns until the instant at which its overlap ends.
    let key = world.issue(owner, "{}");
    let Pair { new, old, .. } = replace(&world, owner, &key, r#"{"overlap":"1h"}"#);
    world.delete(owner, &old);
    let old = view(&world, owner, old.id);
    world.wait(HOUR - 1);
    let owner = world.renewed(owner);
    let (back, ..) = world.changed(owner, restore(&old));
    world.delete(owner, &back.unwrap());
    let old = view(&world, owner, old.id);
    world.wait(1);
    assert_eq!(world.refusal(owner, restore(&old)), replaced(&new));
    world.wait(30 * DAY);
    let owner = world.renewed(owner);
    assert_eq!(world.refusal(owner, restore(&old)), Refusal::NotFound);
    while world.next_effect().is_some() {}
    assert_eq!(view(&world, owner, new.id).replaces, None, "its row is gone");
    assert_eq!(world.record(old.id).unwrap().standing, Standing::Deleted);
}

#[test]
fn s11_a_key_has_one_predecessor_at_most() {
    let (world, owner) = World::open();
    let first = world.issue(owner, "{}");
    let Pair { new: second, .. } = replace(&world, owner, &first, r#"{"overlap":"7d"}"#);
    let Pair { new: third, old, records, .. } =
        replace(&world, owner, &second, r#"{"overlap":"1d"}"#);
    let ids: Vec<KeyId> = records.iter().map(|record| record.id).collect();
    assert_eq!(ids, [first.id, second.id, third.id]);
    assert_eq!((records[0].revision, records[2].revision), (Revision(4), Revision(6)));
    assert_eq!(records[0].standing, Standing::Deleted, "the older one ends");
    let ended = view(&world, owner, first.id);
    assert_eq!((ended.status(world.now()), ended.restorable_until()), (Status::Deleted, None));
    assert_eq!(old.overlap(world.now()).map(UnixMs::as_ms), Some(START + DAY));

    // One that was deleted within its overlap could be restored: it ends for good, too.
    world.delete(owner, &old);
    let old = view(&world, owner, old.id);
    assert!(old.restorable_until().is_some());
    let Pair { new: fourth, records, .. } = replace(&world, owner, &third, "{}");
    assert_eq!(records.len(), 3);
    let refusal = world.refusal(owner, restore(&view(&world, owner, old.id)));
    assert_eq!(refusal, Refusal::Replaced { by: third.id });
    // What has ended for good is not touched again.
    let Pair { records, .. } = replace(&world, owner, &fourth, "{}");
    assert_eq!(records.len(), 2);
}

#[test]
fn s11_a_replaced_key_is_not_prolonged_and_can_end_earlier() {
    let (world, owner) = World::open();
    let key = world.issue(owner, r#"{"expires":"never"}"#);
    let Pair { old, .. } = replace(&world, owner, &key, r#"{"overlap":"2h"}"#);
    for expires in ["never", "1d", "7200001"] {
        let json = format!(r#"{{"expires":"{expires}"}}"#);
        assert_eq!(errors(world.refusal(owner, edit(&old, &json))), ["#/expires replaced"]);
    }
    let (renamed, ..) = world.changed(owner, edit(&old, r#"{"name":"Old","expires":"2h"}"#));
    let (earlier, ..) = world.changed(owner, edit(&renamed.unwrap(), r#"{"expires":"1h"}"#));
    let earlier = earlier.unwrap();
    assert_eq!(
        errors(world.refusal(owner, edit(&earlier, r#"{"expires":"2h"}"#))),
        ["#/expires replaced"]
    );
    // Disabled and enabled it keeps that end.
    let (disabled, ..) = world.changed(owner, set_enabled(&earlier, false));
    let disabled = disabled.unwrap();
    assert_eq!(disabled.overlap(world.now()), None);
    let successor = view(&world, owner, disabled.replaced_by.unwrap());
    assert_eq!(successor.overlap(world.now()), None);
    let (enabled, ..) = world.changed(owner, set_enabled(&disabled, true));
    assert_eq!(end_of(&enabled.unwrap()), START + HOUR);
}

#[test]
fn s11_end_now_ends_a_replaced_key_for_good_and_no_other() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    let key = world.issue(owner, r#"{"permissions":["claviger:verify"]}"#);
    assert_eq!(world.refusal(admin, end_overlap(&key)), Refusal::NotReplaced);
    let Pair { new, old, .. } = replace(&world, owner, &key, r#"{"overlap":"2h"}"#);
    assert_eq!(world.refusal(admin, end_overlap(&new)), Refusal::NotReplaced);
    let late = Refusal::ChangedMeanwhile { key: Box::new(old.clone()) };
    assert_eq!(world.refusal(admin, end_overlap(&key)), late, "by the revision before");
    world.wait(SECOND);
    // It takes power away, so reserved permissions do not keep an admin from it.
    let (ended, record, bound) = world.changed(admin, end_overlap(&old));
    let ended = ended.unwrap();
    assert_eq!(record.standing, Standing::Deleted);
    assert_eq!(bound.unwrap().at.as_ms(), START + 11 * SECOND);
    assert_eq!((end_of(&ended), ended.restorable_until()), (START + SECOND, None));
    assert_eq!(world.refusal(owner, restore(&ended)), Refusal::Replaced { by: new.id });
    // Repeated after a lost answer, with the revision of before.
    let (again, _, bound) = world.changed(admin, end_overlap(&old));
    assert_eq!((again, bound), (Some(ended), None));
    world.delete(owner, &new);
    let new = view(&world, owner, new.id);
    assert_eq!(world.refusal(owner, end_overlap(&new)), Refusal::NotFound);
    let unknown = KeyView { id: world.draw_key().0, ..new };
    assert_eq!(world.refusal(owner, end_overlap(&unknown)), Refusal::NotFound);
}

#[test]
fn s11_what_the_old_key_issued_and_its_tokens_end_with_it() {
    let (world, owner) = World::open();
    let generation = |id| world.sql_number("sealing_generation", id);
    // Without overlap, at once and for good.
    let (key, proof) = issuer(&world, owner, "");
    world.handle(by_api(&world, proof, 2 * DAY, "[]")).unwrap();
    replace(&world, owner, &key, "{}");
    assert_eq!((generation(key.id), world.count("issuer_end")), (1, 1));
    let refused = world.handle(by_api(&world, proof, 2 * DAY, "[]")).unwrap();
    assert_eq!(refused, LedgerReply::Refused(Refusal::IssuerRefused));

    // With overlap, when the old key does: it issues until then, and nothing that lives longer.
    let (key, proof) = issuer(&world, owner, "");
    let Pair { new, .. } = replace(&world, owner, &key, r#"{"overlap":"3d"}"#);
    assert_eq!((generation(key.id), generation(new.id), world.count("issuer_end")), (0, 0, 1));
    assert!(new.issuable.is_some());
    let issued = world.handle(by_api(&world, proof, 2 * DAY, "[]")).unwrap();
    assert!(matches!(issued, LedgerReply::Changed { .. }), "{issued:?}");
    let refused = world.handle(by_api(&world, proof, 4 * DAY, "[]")).unwrap();
    assert_eq!(refused, LedgerReply::Refused(Refusal::IssuerRefused));
    world.changed(owner, end_overlap(&view(&world, owner, key.id)));
    assert_eq!((generation(key.id), world.count("issuer_end")), (1, 2));

    // A pair without a ceiling has tokens alone, by the same number.
    let key = world.issue(owner, "{}");
    replace(&world, owner, &key, "{}");
    assert_eq!(generation(key.id), 1);
}

#[test]
fn a_rotating_pair_counts_as_one_key() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    let copies = "INSERT INTO key (id, digest, name, name_folded, state, limits, expires_ms,
        created_at_ms, created_by, changed_at_ms, changed_by, revision)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1)
        SELECT 'a1B2c3D4' || printf('%010d', i), digest, name, name_folded, state, limits, expires_ms,
            created_at_ms, created_by, changed_at_ms, changed_by, i + 1 FROM key, n WHERE key.id = ?";
    world.sql.apply(&[Statement::new(copies).bind(KEYS_MAX).bind(key.id.as_str())]).unwrap();
    world.sql.apply(&[Statement::new("UPDATE account SET revision = ?").bind(KEYS_MAX)]).unwrap();
    let full = Refusal::TooManyKeys { max: KEYS_MAX };
    let issue = || world.issue_command("{}");
    assert_eq!(world.refusal(owner, issue()), full);
    let Pair { new, old, .. } = replace(&world, owner, &key, r#"{"overlap":"1d"}"#);
    assert_eq!(world.count("key"), i64::from(KEYS_MAX) + 1);
    assert_eq!(world.refusal(owner, issue()), full, "the pair is one, and there is no room");
    // The predecessor alone counts: no room comes from a successor that is deleted.
    world.delete(owner, &new);
    assert_eq!(world.refusal(owner, issue()), full);
    world.changed(owner, end_overlap(&old));
    world.issue(owner, "{}");
    assert_eq!(world.refusal(owner, issue()), full);
}

#[test]
fn a_successor_is_viewable_if_the_old_key_is() {
    let (world, owner) = World::open();
    let plain = world.issue(owner, "{}");
    let mut command = world.issue_command(r#"{"viewable":true}"#);
    let Command::Issue { sealed, .. } = &mut command else { panic!() };
    *sealed = Some(Ciphertext::from_stored("old".into()));
    let viewable = world.changed(owner, command).0.unwrap();
    for (key, sends, is_viewable) in
        [(&plain, true, false), (&viewable, true, true), (&viewable, false, false)]
    {
        let key = view(&world, owner, key.id);
        let key = key.replaced_by.map_or(key.clone(), |id| view(&world, owner, id));
        let mut command = regenerate(&world, &key, "{}");
        let Command::Regenerate { sealed, .. } = &mut command else { panic!() };
        *sealed = sends.then(|| Ciphertext::from_stored("new".into()));
        let Pair { new, .. } = pair(&world, owner, command);
        assert_eq!(new.viewable, is_viewable);
        assert_eq!(view(&world, owner, new.id).viewable, is_viewable);
        let reply = world.ask(owner, Command::Reveal { id: new.id });
        assert_eq!(matches!(reply, LedgerReply::Revealed { .. }), is_viewable);
    }
}

#[test]
fn a_member_of_another_account_finds_no_key_to_regenerate() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    let other = World::empty();
    let (request, browser) = other.open_request(b'p', 1);
    other.handle(request).unwrap();
    assert_eq!(other.refusal(browser, regenerate(&other, &key, "{}")), Refusal::NotFound);
}
