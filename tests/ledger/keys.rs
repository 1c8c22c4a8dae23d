//! What changes of keys do when nothing is refused.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::{Revision, Standing};

use crate::world::{HOUR, SECOND, START, World, draft, edit, set_enabled};

#[test]
fn an_issued_key_is_at_once_what_the_edge_is_told() {
    let (world, owner) = World::open();
    let command = world.issue_command(r#"{"networks":"10.1.2.3/8"}"#);
    let (key, record, bound) = world.changed(owner, command);
    let key = key.unwrap();
    assert_eq!(world.record(key.id), Some(record.clone()));
    assert_eq!((key.revision, record.revision, bound), (Revision(1), Revision(1), None));
    assert_eq!(record.epoch.as_str().len(), 16);
    assert_eq!((key.created_by.as_str(), key.changed_by.as_str()), ("Mei Tanaka", "Mei Tanaka"));
    let Standing::Active(credential) = record.standing else { panic!("not active") };
    assert_eq!(credential.limits, key.limits);
    assert_eq!(key.limits.networks.to_string(), "10.0.0.0/8");
    assert_eq!(world.record(world.draw_key().0), None);
}

#[test]
fn every_change_takes_the_next_number_of_the_account() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    let first = world.issue(owner, "{}");
    let second = world.issue(owner, "{}");
    world.wait(SECOND);
    let (first, ..) = world.changed(admin, edit(&first, r#"{"name":"Cron"}"#));
    let first = first.unwrap();
    assert_eq!((second.revision, first.revision), (Revision(2), Revision(3)));
    assert_eq!((first.created_by.as_str(), first.changed_by.as_str()), ("Mei Tanaka", "Member a"));
    assert_eq!((first.created_at.as_ms(), first.changed_at.as_ms()), (START, START + SECOND));
    let (record, _) = world.delete(owner, &second);
    assert_eq!((record.revision, record.standing), (Revision(4), Standing::Deleted));
    assert_eq!(world.count("journal"), 4);
}

#[test]
fn what_takes_power_away_has_a_bound() {
    let (world, owner) = World::open();
    let key = world.issue(owner, r#"{"expires":"90d","networks":"10.0.0.0/8"}"#);
    let bound =
        Some(Bound { at: UnixMs::from_ms(START + 10 * SECOND), within_s: 10, is_eventual: false });
    let mut key = key;
    for (json, expected) in [
        (r#"{"name":"Cron"}"#, None),
        (r#"{"expires":"never"}"#, None),
        (r#"{"expires":"80d"}"#, bound),
        (r#"{"networks":"10.0.0.0/8 ::1"}"#, None),
        (r#"{"networks":"10.0.0.0/9"}"#, bound),
        (r#"{"permissions":["demo:*"]}"#, None),
        (r#"{"permissions":[]}"#, bound),
        (r#"{"not_before":"1h"}"#, bound),
        (r#"{"not_before":null}"#, None),
    ] {
        let (changed, _, told) = world.changed(owner, edit(&key, json));
        key = changed.unwrap();
        assert_eq!(told, expected, "{json}");
    }
    let (disabled, record, told) = world.changed(owner, set_enabled(&key, false));
    assert_eq!(told, bound);
    assert!(matches!(record.standing, Standing::Disabled(_)));
    let (enabled, _, told) = world.changed(owner, set_enabled(&disabled.unwrap(), true));
    assert_eq!(told, None);
    let (record, told) = world.delete(owner, &enabled.unwrap());
    assert_eq!((Some(told), Some(record)), (bound, world.record(key.id)));
}

#[test]
fn what_is_so_already_changes_nothing() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    let (disabled, ..) = world.changed(owner, set_enabled(&key, false));
    let disabled = disabled.unwrap();
    let (journal, applies) = (world.count("journal"), world.sql.applies());
    for command in [
        set_enabled(&disabled, false),
        // Repeated after a lost answer, with the revision of before.
        set_enabled(&key, false),
        edit(&disabled, "{}"),
        edit(&disabled, r#"{"name":"Build server","networks":""}"#),
    ] {
        let (again, record, bound) = world.changed(owner, command);
        assert_eq!(
            (again, record.revision, bound),
            (Some(disabled.clone()), disabled.revision, None)
        );
    }
    assert_eq!((world.count("journal"), world.sql.applies()), (journal, applies));
}

#[test]
fn the_same_idempotency_key_issues_once_a_day_for_each_member() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    let issue = || {
        let (id, digest) = world.draw_key();
        Command::Issue {
            id,
            digest,
            draft: draft("{}"),
            idempotency_key: "once".into(),
            sealed: None,
        }
    };
    let (key, ..) = world.changed(owner, issue());
    let key = key.unwrap();
    assert_eq!(
        world.refusal(owner, issue()),
        Refusal::AlreadyIssued { key: Some(Box::new(key.clone())) }
    );
    assert_eq!(world.count("key"), 1);
    world.changed(admin, issue());
    world.delete(owner, &key);
    assert_eq!(world.refusal(owner, issue()), Refusal::AlreadyIssued { key: None });

    world.wait(24 * HOUR);
    let owner = world.sign_in(owner.member);
    world.changed(owner, issue());
    assert!(matches!(world.refusal(owner, issue()), Refusal::AlreadyIssued { key: Some(_) }));
    while world.next_effect().is_some() {}
    assert_eq!(world.count("idempotency"), 1, "those of yesterday are gone");
}

#[test]
fn the_ledger_answers_for_its_members() {
    let (world, owner) = World::open();
    for (member, email, held) in [
        (owner.member, "mei@example.jp", true),
        (owner.member, "ken@example.jp", false),
        (crate::world::member_id(b'x'), "mei@example.jp", false),
    ] {
        let request = LedgerRequest::Holds { member, email: email.into() };
        assert_eq!(world.handle(request), Ok(LedgerReply::Holds { held }));
    }
    assert_eq!(world.handle(LedgerRequest::Exists), Ok(LedgerReply::Holds { held: true }));
}

#[test]
fn notes_on_a_draft_change_nothing() {
    let (world, owner) = World::open();
    let applies = world.sql.applies();
    let reply =
        world.ask(owner, Command::Check { draft: draft(r#"{"networks":"203.0.113.0/24"}"#) });
    let LedgerReply::Checked(note) = reply else { panic!("no note") };
    assert_eq!(note.includes_caller, Some(true));
    assert_eq!(note.expires.unwrap().zone.name(), "Asia/Tokyo");
    assert_eq!(world.sql.applies(), applies);
}
