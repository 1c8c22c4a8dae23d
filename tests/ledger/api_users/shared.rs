//! What API users share with keys: the way to KV, leases and usage.

use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::at_stake::AccountCounts;
use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_control::protocol::keys::Listing;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_core::replication::record::{Record, Revision, kv_key};
use claviger_core::replication::refresh::{Delta, RefreshRequest, UsageBatch, Use};

use super::{DAY, ask, changed, create, delete, lock, page};
use crate::world::{HOUR, World};
use claviger_control::protocol::api_users::{ApiUserListing, ApiUsersCommand, ApiUsersReply};

#[test]
fn a_lease_learns_of_a_change_and_gets_the_record() {
    let (world, owner) = World::open();
    let user = create(&world, owner, "{}");
    let first = world.refresh(RefreshRequest { ask: vec![user.id], ..RefreshRequest::default() });
    assert_eq!(first.answers[0].record, world.record(user.id));
    let (locked, record, _) = changed(&world, owner, lock(&user, true));
    let known = RefreshRequest {
        epoch: Some(first.epoch),
        known_revision: first.revision,
        ask: vec![user.id],
        ..RefreshRequest::default()
    };
    let next = world.refresh(known);
    let Delta::Changes(marks) = next.delta else { panic!() };
    assert_eq!((marks.len(), marks[0].id, marks[0].revision), (1, user.id, locked.revision));
    assert_eq!(next.answers[0].record, Some(record));
}

/// The outbox puts the record, the read-back settles it, and another record is repaired.
#[test]
fn kv_ends_with_the_record_whatever_it_held() {
    let (world, owner) = World::open();
    let user = create(&world, owner, "{}");
    let mut held = None;
    let mut live = |altered: Option<&str>| {
        for _ in 0..200 {
            let Some(effect) = world.next_effect() else {
                match world.next_due() {
                    Some(due) if due < world.now.get() + 2 * HOUR => world.now.set(due),
                    _ => break,
                }
                continue;
            };
            let outcome = match &effect {
                Effect::PutRecord { key, value, .. } if *key == kv_key(user.id) => {
                    held = Some(altered.map_or_else(|| value.clone(), str::to_owned));
                    EffectOutcome::Done
                }
                Effect::ReadBack { .. } => EffectOutcome::Read { value: held.clone() },
                _ => EffectOutcome::Done,
            };
            world.settle(&effect, outcome);
            if altered.is_some() && matches!(effect, Effect::ReadBack { .. }) {
                break;
            }
        }
        held.as_deref().and_then(|text| Record::from_kv(text, user.id))
    };
    let put = live(None);
    assert_eq!(
        (put, world.count("publication WHERE settled < revision")),
        (world.record(user.id), 0)
    );
    let owner = world.sign_in(owner.member);
    let (locked, record, _) = changed(&world, owner, lock(&user, true));
    let mut altered = record.clone();
    altered.standing = claviger_core::replication::record::Standing::Deleted;
    live(Some(&serde_json::to_string(&altered).unwrap()));
    let renumbered = world.record(user.id).unwrap();
    assert!(renumbered.revision > locked.revision, "the altered record is marked as such");
    assert_eq!(live(None), Some(renumbered));
}

#[test]
fn usage_is_counted_until_the_user_is_gone() {
    let (world, owner) = World::open();
    let (user, other) =
        (create(&world, owner, "{}"), create(&world, owner, r#"{"name":"b@example.com"}"#));
    let key = world.issue(owner, "{}");
    let now = world.now();
    let used = |id| Use {
        id,
        count: 3,
        denials: 1,
        last_at: now,
        addresses: vec![],
        callers: vec![],
        refusals: vec![],
    };
    let uses = vec![used(user.id), used(key.id)];
    let usage = Some(UsageBatch { isolate: 7, sequence: 1, uses, service: None });
    world.refresh(RefreshRequest { usage, ..RefreshRequest::default() });
    let ApiUsersReply::User(view) = ask(&world, owner, ApiUsersCommand::Get { id: user.id }) else {
        panic!()
    };
    assert_eq!(view.last_used_at, Some(now));
    let listing = serde_json::from_str::<ApiUserListing>(r#"{"sort":"-used"}"#).unwrap();
    let listed: Vec<_> = page(&world, owner, listing).users.iter().map(|user| user.id).collect();
    assert_eq!(listed, [user.id, other.id]);
    let keys = world.page(owner, Listing::default()).keys;
    assert_eq!((keys.len(), keys[0].uses_24h), (1, 3));
    // The counts of keys leave API users out.
    let Ok(LedgerReply::Inspected { counts: Some(counts), .. }) =
        world.handle(LedgerRequest::Inspect)
    else {
        panic!()
    };
    assert_eq!(
        (counts.members, counts.issuers, counts.used_24h),
        (1, 0, 1),
        "{:?}",
        AccountCounts { ..counts }
    );
    changed(&world, owner, delete(&user));
    for _ in 0..34 {
        world.wait(DAY);
        while world.next_effect().is_some() {}
    }
    assert_eq!(world.count(&format!("usage WHERE key = '{}'", user.id)), 0);
    assert_eq!(world.count(&format!("usage WHERE key = '{}'", key.id)), 1, "of the last use");
    assert_eq!(world.record(user.id).unwrap().revision, Revision(4));
}

/// A name is unique in the table, whatever the code does.
#[test]
fn the_table_refuses_what_cannot_be() {
    let (world, owner) = World::open();
    let user = create(&world, owner, "{}");
    create(&world, owner, r#"{"name":"b@example.com"}"#);
    let columns = "SELECT count(*) FROM api_user WHERE last_used_ms IS NULL";
    assert_eq!(world.sql.integer(&Statement::new(columns)).unwrap(), 2);
    for text in [
        "UPDATE api_user SET name = 'app@example.com'",
        "UPDATE api_user SET state = 'gone'",
        "UPDATE api_user SET state = 'deleted'",
        "UPDATE api_user SET deleted_at_ms = 1",
        "UPDATE api_user SET returns_as = 'deleted'",
        "UPDATE api_user SET secret_version = 0",
        "UPDATE api_user SET user_group = 'root'",
        "UPDATE api_user SET own_data_only = 2",
        "UPDATE api_user SET limits = '{'",
        "UPDATE api_user SET revision = 0",
        "UPDATE api_user SET revision = 7",
        "UPDATE api_user SET created_by = 'nobody'",
        "UPDATE api_user SET id = 'short'",
    ] {
        assert!(world.sql.apply(&[Statement::new(text)]).is_err(), "{text}");
    }
    assert_eq!(world.record(user.id).map(|record| record.revision), Some(user.revision));
}
