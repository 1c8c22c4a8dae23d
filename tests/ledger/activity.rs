//! Activity: read in order, by every filter, page by page, and without secrets.

use claviger_control::ledger::activity::{EXPORTS_PER_DAY, ROWS_LOOKED_AT_MAX};
use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::activity::{ActivityEntry, ActivityPage, Query};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::time::UnixMs;

use crate::world::{Browser, HOUR, MINUTE, START, World, edit, member_id, set_enabled};

fn page(world: &World, browser: Browser, query: Query) -> ActivityPage {
    match world.ask(browser, Command::Activity { query, exports: false }) {
        LedgerReply::Activity(page) => page,
        other => panic!("{other:?}"),
    }
}

fn query(json: serde_json::Value) -> Query {
    serde_json::from_value(json).unwrap()
}

fn entries(world: &World, browser: Browser, json: serde_json::Value) -> Vec<ActivityEntry> {
    page(world, browser, query(json)).entries
}

fn actions(entries: &[ActivityEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.action.as_str()).collect()
}

#[test]
fn what_was_done_is_told_latest_first_with_what_it_changed() {
    let (world, owner) = World::open();
    let key = world.issue(owner, r#"{"networks":"192.0.2.0/24"}"#);
    world.wait(1);
    let (key, ..) = world
        .changed(owner, edit(&key, r#"{"name":"Cron","networks":"10.0.0.0/8","expires":"never"}"#));
    let (key, ..) = world.changed(owner, set_enabled(&key.unwrap(), false));
    world.delete(owner, &key.unwrap());
    let told = entries(&world, owner, serde_json::json!({}));
    assert_eq!(
        actions(&told),
        [
            "key_deleted",
            "deletion_begun",
            "key_disabled",
            "key_edited",
            "key_issued",
            "signed_in",
            "account_opened"
        ]
    );
    let edited = &told[3];
    assert_eq!(
        (edited.by.kind.as_str(), edited.by.name.as_deref()),
        ("member", Some("Mei Tanaka"))
    );
    assert_eq!(edited.by.id.as_deref(), Some(owner.member.as_str()));
    assert_eq!(edited.address.as_deref(), Some("203.0.113.7"));
    assert_eq!(edited.key.as_ref().unwrap().name.as_deref(), Some("Cron"));
    let changes = serde_json::to_value(&edited.changes).unwrap();
    let expires = changes["expires_at"]["from"].as_i64().unwrap();
    assert_eq!(expires, START + 90 * 24 * HOUR);
    assert_eq!(
        changes,
        serde_json::json!({
            "name": {"from": "Build server", "to": "Cron"},
            "networks": {"from": ["192.0.2.0/24"], "to": ["10.0.0.0/8"]},
            "expires_at": {"from": expires, "to": null},
        })
    );
    let disabled = serde_json::to_value(&told[2].changes).unwrap();
    assert_eq!(disabled, serde_json::json!({"state": {"from": "active", "to": "disabled"}}));
    assert_eq!(
        told[4].key.as_ref().unwrap().name.as_deref(),
        Some("Build server"),
        "as it was called then"
    );
    let issued = serde_json::to_value(&told[4].changes).unwrap();
    assert_eq!(issued["permissions"], serde_json::json!({"from": null, "to": ["demo:read"]}));
    assert!(issued.get("viewable").is_none() && issued.get("issuable").is_none());
    assert!(told[5].changes.is_empty() && told[5].key.is_none());
}

#[test]
fn every_filter_leaves_out_the_rest_and_they_add_up() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    let (one, two) = (
        world.issue(owner, r#"{"name":"経理サーバー"}"#),
        world.issue(admin, r#"{"name":"Straße"}"#),
    );
    world.changed(owner, set_enabled(&two, false));
    world.wait(24 * HOUR);
    let owner = world.renewed(owner);
    world.delete(owner, &one);
    world.handle(LedgerRequest::SetState { freshness_ms: None, suspended: Some(true) }).unwrap();
    for (filter, expected) in [
        (serde_json::json!({"key": one.id}), vec!["key_deleted", "key_issued"]),
        (serde_json::json!({"member": admin.member}), vec!["key_issued", "signed_in"]),
        (serde_json::json!({"member": "operator"}), vec!["account_state_set"]),
        (serde_json::json!({"member": "service"}), vec![]),
        (serde_json::json!({"action": "key_issued"}), vec!["key_issued", "key_issued"]),
        (serde_json::json!({"action": "key_issued", "key": two.id}), vec!["key_issued"]),
        (serde_json::json!({"action": "key_deleted", "member": admin.member}), vec![]),
        (
            serde_json::json!({"from": "2026-11-22"}),
            vec!["account_state_set", "key_deleted", "deletion_begun", "signed_in"],
        ),
        (serde_json::json!({"to": "2026-11-21", "action": "key_disabled"}), vec!["key_disabled"]),
        (
            serde_json::json!({"from": "2026-11-21T12:00:00.001Z", "to": "2026-11-22T11:59:59Z"}),
            vec![],
        ),
        (
            serde_json::json!({"from": "2026-11-21T12:00:00Z", "to": "2026-11-21T12:00:00Z", "key": one.id}),
            vec!["key_issued"],
        ),
        (serde_json::json!({"q": "サーバー"}), vec!["key_deleted", "key_issued"]),
        (serde_json::json!({"q": "STRASSE"}), vec!["key_disabled", "key_issued"]),
        (serde_json::json!({"q": " member a ", "action": "signed_in"}), vec!["signed_in"]),
        (serde_json::json!({"q": "nobody"}), vec![]),
        (serde_json::json!({"q": "%"}), vec![]),
        (serde_json::json!({"q": "  "}), vec!["account_state_set"]),
    ] {
        let found = entries(&world, owner, filter.clone());
        let found = actions(&found);
        let found = if filter["q"] == "  " { &found[..1] } else { &found[..] };
        assert_eq!(found, expected, "{filter}");
    }
    let suspended = &entries(&world, owner, serde_json::json!({"member": "operator"}))[0];
    assert_eq!(
        (suspended.by.kind.as_str(), &suspended.by.id, &suspended.by.name),
        ("operator", &None, &None)
    );
    assert_eq!(suspended.changes["suspended"].to, true);
}

#[test]
fn ids_of_another_account_find_nothing() {
    let (world, owner) = World::open();
    world.issue(owner, "{}");
    for filter in [
        serde_json::json!({"key": "zzzzzzzz7Hq0p2Zx9K"}),
        serde_json::json!({"member": member_id(b'z')}),
        serde_json::json!({"member": "zzzzzzzz7Hq0p2Zx9K"}),
    ] {
        assert_eq!(entries(&world, owner, filter), []);
    }
}

#[test]
fn all_that_is_wrong_with_a_question_is_told_at_once() {
    let (world, owner) = World::open();
    let wrong = query(serde_json::json!({
        "key": "x", "member": "root", "action": "issue", "from": "yesterday", "to": "2026-02-30", "cursor": "x",
        "q": "a1B2c3D47Hq0p2Zx9K0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    }));
    let Refusal::Invalid { errors } =
        world.refusal(owner, Command::Activity { query: wrong, exports: false })
    else {
        panic!()
    };
    let codes: Vec<String> =
        errors.iter().map(|error| format!("{} {}", error.pointer, error.code)).collect();
    assert_eq!(
        codes,
        [
            "#/key malformed",
            "#/member malformed",
            "#/action not_one_of",
            "#/from not_a_time",
            "#/to no_such_time",
            "#/q whole_key",
            "#/cursor malformed",
        ]
    );
}

#[test]
fn pages_hold_every_entry_once_also_when_more_is_done_meanwhile() {
    let (world, owner) = World::open();
    for _ in 0..30 {
        world.issue(owner, "{}");
    }
    let mut cursor = None;
    let mut seen: Vec<u64> = Vec::new();
    loop {
        let asked = Query { limit: Some(7), cursor, ..Query::default() };
        let page = page(&world, owner, asked);
        assert!(page.entries.len() <= 7);
        seen.extend(page.entries.iter().map(|entry| entry.id));
        world.issue(owner, "{}");
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let expected: Vec<u64> = (1..=32).rev().collect();
    assert_eq!(seen, expected);
    assert_eq!(page(&world, owner, Query { limit: Some(0), ..Query::default() }).entries.len(), 1);
    assert_eq!(page(&world, owner, Query::default()).entries.len(), 37);
}

#[test]
fn a_viewer_reads_it_and_nobody_else() {
    let (world, owner) = World::open();
    let viewer = world.join("viewer", b'v');
    assert_eq!(entries(&world, viewer, serde_json::json!({})).len(), 3);
    world.ask(owner, Command::SignOut);
    let refused =
        world.refusal(owner, Command::Activity { query: Query::default(), exports: false });
    assert_eq!(refused, Refusal::NotSignedIn);
}

/// Each filter reads its rows off an index, so that a page costs the same however long the trail
/// is.
#[test]
fn a_long_trail_is_read_off_its_indices() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    let fill = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
        INSERT INTO audit (at_ms, member, action, key)
            SELECT {START} - i * 1000, '{}', 'sign_in', NULL FROM n",
        member_id(b'x')
    );
    world.sql.apply(&[Statement::new(fill)]).unwrap();
    for (filter, index) in [
        (serde_json::json!({}), "audit_in_time"),
        (serde_json::json!({"to": "2026-11-20", "from": "2026-11-19"}), "audit_in_time"),
        (serde_json::json!({"key": key.id}), "audit_of_key_in_time"),
        (serde_json::json!({"member": owner.member}), "audit_of_actor_in_time"),
        (serde_json::json!({"action": "key_issued"}), "audit_of_action_in_time"),
        (serde_json::json!({"q": "build"}), "audit_in_time"),
    ] {
        let first = page(&world, owner, query(filter.clone()));
        let mut next = query(filter.clone());
        next.cursor = first.next;
        world.sql.overhear();
        page(&world, owner, next);
        let heard = world.sql.overheard();
        let reads: Vec<_> =
            heard.iter().filter(|statement| statement.text().contains("FROM audit")).collect();
        assert!(!reads.is_empty());
        for read in reads {
            let plan = Statement::new(format!("EXPLAIN QUERY PLAN {}", read.text()))
                .bind_all(read.values().to_vec());
            let plan: Vec<String> = world
                .sql
                .read_all(&plan, |mut row| {
                    let _ = (row.integer()?, row.integer()?, row.integer()?);
                    row.text()
                })
                .unwrap();
            let plan = plan.join("\n");
            assert!(plan.contains(&format!("INDEX {index}")), "{filter}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "nothing is sorted: {plan}");
            assert!(!plan.contains("SCAN key\n") && !plan.contains("SCAN member"), "{plan}");
        }
    }
    assert_eq!(page(&world, owner, query(serde_json::json!({"limit": 500}))).entries.len(), 500);
}

/// Where hardly anything fits, a page looks at so many rows and no more, and says from where to go
/// on.
#[test]
fn a_search_of_a_long_trail_goes_on_from_page_to_page() {
    let (world, owner) = World::open();
    let rare = world.issue(owner, r#"{"name":"Rare"}"#);
    let rows = ROWS_LOOKED_AT_MAX * 2 + 10;
    let fill = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
        INSERT INTO audit (at_ms, member, action, key) SELECT {START} + i / 3, '{}', 'sign_in', NULL FROM n",
        owner.member
    );
    world.sql.apply(&[Statement::new(fill)]).unwrap();
    world.wait(HOUR);
    let owner = world.renewed(owner);
    world.changed(owner, set_enabled(&rare, false));
    for (filter, sizes) in [
        (serde_json::json!({"q": "rare"}), vec![1, 0, 1]),
        (serde_json::json!({"q": "rare", "key": rare.id}), vec![2]),
        (serde_json::json!({"action": "key_issued", "member": owner.member}), vec![0, 0, 1]),
        (serde_json::json!({"action": "account_opened"}), vec![1]),
        (serde_json::json!({"q": "nobody"}), vec![0, 0, 0]),
    ] {
        let (mut found, mut asked) = (Vec::new(), query(filter.clone()));
        loop {
            let page = page(&world, owner, asked.clone());
            found.push(page.entries.len());
            match page.next {
                Some(next) => asked.cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(found, sizes, "{filter}");
    }

    // Each row is looked at, once: in pages that are full as in those that are not.
    let mut asked = query(serde_json::json!({"q": "mei", "limit": 499}));
    let mut seen = Vec::new();
    loop {
        let page = page(&world, owner, asked.clone());
        seen.extend(page.entries.iter().map(|entry| entry.id));
        match page.next {
            Some(next) => asked.cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(i64::try_from(seen.len()).unwrap(), world.count("audit"));
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(i64::try_from(seen.len()).unwrap(), world.count("audit"));
}

#[test]
fn a_file_that_is_begun_is_written_down_and_a_page_is_not() {
    let (world, owner) = World::open();
    let viewer = world.join("viewer", b'v');
    let exported = || entries(&world, owner, serde_json::json!({"action": "activity_exported"}));
    page(&world, viewer, Query::default());
    assert_eq!(exported(), []);
    let begun = world.ask(viewer, Command::Activity { query: Query::default(), exports: true });
    let LedgerReply::Activity(begun) = begun else { panic!("{begun:?}") };
    assert!(
        begun.entries.iter().all(|entry| entry.action != "activity_exported"),
        "it does not tell of itself"
    );
    let [entry] = &exported()[..] else { panic!("not one") };
    assert_eq!(entry.by.id.as_deref(), Some(viewer.member.as_str()));
    assert_eq!(entry.address.as_deref(), Some("203.0.113.7"));
    let wrong = Query { cursor: Some("?".into()), ..Query::default() };
    world.refusal(viewer, Command::Activity { query: wrong, exports: true });
    assert_eq!(exported().len(), 1);
}

#[test]
fn a_member_takes_so_many_files_a_day_and_reads_on() {
    let (world, owner) = World::open();
    let viewer = world.join("viewer", b'v');
    let export = || Command::Activity { query: Query::default(), exports: true };
    let taken = |browser| matches!(world.ask(browser, export()), LedgerReply::Activity(_));
    for _ in 0..EXPORTS_PER_DAY {
        assert!(taken(viewer));
        world.wait(MINUTE);
    }
    let until = UnixMs::from_ms(START + 24 * HOUR);
    assert_eq!(world.refusal(viewer, export()), Refusal::TooManyExports { until });
    assert!(taken(owner), "each member has a budget of their own");
    page(&world, viewer, Query::default());
    let written = "audit WHERE action = 'export_activity'";
    assert_eq!(world.count(written), i64::from(EXPORTS_PER_DAY) + 1, "a refusal is no file");

    world.now.set(START + 24 * HOUR - 1);
    let viewer = world.renewed(viewer);
    assert_eq!(world.refusal(viewer, export()), Refusal::TooManyExports { until });
    world.wait(1);
    assert!(taken(viewer));
    assert!(!taken(viewer), "one of a day ago gives room for one");
}

#[test]
fn entries_hold_no_digest_and_no_encrypted_text() {
    let (world, owner) = World::open();
    let (id, digest) = world.draw_key();
    let sealed =
        claviger_control::protocol::encryption::Ciphertext::from_stored("b.QUJDREVG".into());
    let draft = crate::world::draft(r#"{"viewable":true}"#);
    let issue =
        Command::Issue { id, digest, draft, idempotency_key: "i-1".into(), sealed: Some(sealed) };
    world.changed(owner, issue);
    world.ask(owner, Command::Reveal { id });
    let told = serde_json::to_string(&page(&world, owner, Query::default())).unwrap();
    assert!(
        told.contains("key_revealed") && told.contains(r#""viewable":{"from":null,"to":true}"#)
    );
    let base64 = serde_json::to_string(&digest).unwrap();
    for text in [base64.trim_matches('"'), "QUJDREVG", "digest"] {
        assert!(!told.contains(text), "{text}");
    }
}

/// A clock that was set back puts an entry where its time is, and loses none.
#[test]
fn a_clock_that_goes_back_loses_no_entry() {
    let (world, owner) = World::open();
    world.wait(MINUTE);
    world.issue(owner, "{}");
    world.now.set(START + 1);
    world.issue(owner, "{}");
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = page(&world, owner, Query { limit: Some(1), cursor, ..Query::default() });
        seen.extend(page.entries.iter().map(|entry| entry.at));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [START + MINUTE, START + 1, START, START].map(UnixMs::from_ms));
}

/// A day of Tokyo ends at 15:00 UTC.
#[test]
fn an_instant_between_two_days_belongs_to_the_later() {
    let (world, owner) = World::open();
    world.wait(3 * HOUR);
    let owner = world.renewed(owner);
    world.issue(owner, "{}");
    for (query, found) in [
        (serde_json::json!({"to": "2026-11-21", "action": "key_issued"}), 0),
        (serde_json::json!({"from": "2026-11-22", "action": "key_issued"}), 1),
    ] {
        let query: Query = serde_json::from_value(query).unwrap();
        assert_eq!(page(&world, owner, query).entries.len(), found);
    }
}
