//! Filters of the list: what each selects, how many it says there are, and what it hides.

use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::key_filter::{
    ExpiryFilter, IssuerFilter, KeyFilter, UseFilter, parse_statuses,
};
use claviger_control::protocol::keys::{Deleted, KeyPage, KeyView, Listing, Sort};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_core::base::id::KeyId;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::grant::IssuerProof;
use claviger_core::credential::issuer::Issuer;
use claviger_core::credential::limits::lifetime::Expiry;
use claviger_core::replication::edge_call::IssueByApi;
use claviger_core::replication::refresh::{RefreshRequest, UsageBatch, Use};

use crate::world::{Browser, HOUR, World, edit, set_enabled};

const DAY: i64 = 24 * HOUR;
const MINUTE: i64 = HOUR / 60;
const PRESENT: &str = "active,disabled,not_yet_valid,expired";

fn page(world: &World, browser: Browser, sort: Sort, filter: KeyFilter) -> KeyPage {
    world.page(browser, Listing { sort, deleted: Deleted::Too, filter, ..Listing::default() })
}

/// Names of the matching keys in the order of their names, whose number the page confirms.
fn names(world: &World, browser: Browser, filter: KeyFilter) -> String {
    let page = page(world, browser, Sort::Name, filter.clone());
    let count = u32::try_from(page.keys.len()).unwrap();
    assert_eq!((page.total, page.total_is_exact), (count, true), "{filter:?}");
    page.keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>().join(" ")
}

fn of_status(text: &str) -> KeyFilter {
    KeyFilter { statuses: parse_statuses(text).unwrap(), ..KeyFilter::default() }
}

fn use_now(world: &World, sequence: u64, id: KeyId) {
    let last_at = world.now();
    let one = Use {
        id,
        count: 1,
        denials: 0,
        last_at,
        addresses: vec![],
        callers: vec![],
        refusals: vec![],
    };
    let usage = Some(UsageBatch { isolate: 1, sequence, uses: vec![one], service: None });
    world.refresh(RefreshRequest { usage, ..RefreshRequest::default() });
    world.write_uses().unwrap();
}

fn issue_by(world: &World, issuer: &KeyView, proof: IssuerProof) -> KeyView {
    let (id, digest) = world.draw_key();
    let request = LedgerRequest::IssueByApi(IssueByApi {
        id,
        digest,
        proof,
        at: world.now(),
        expires: Expiry::At(UnixMs::from_ms(world.now.get() + 90 * DAY)),
        networks: serde_json::from_str("[]").unwrap(),
        address: None,
    });
    let Ok(LedgerReply::Changed { key: Some(key), .. }) = world.handle(request) else {
        panic!("not issued by {}", issuer.name)
    };
    key
}

/// One key in each status, each with its status as its name.
fn one_of_each() -> (World, Browser, KeyView) {
    let (world, owner) = World::open();
    let issue = |json: &str| world.issue(owner, json);
    issue(r#"{"name":"active"}"#);
    let off = issue(r#"{"name":"disabled","expires":"1d"}"#);
    world.changed(owner, set_enabled(&off, false));
    issue(r#"{"name":"expired","expires":"1d"}"#);
    issue(r#"{"name":"not_yet_valid","not_before":"2090-01-01","expires":"never"}"#);
    let gone = issue(r#"{"name":"deleted"}"#);
    world.delete(owner, &gone);
    let command = world.issue_command(
        r#"{"name":"issuer","issuable":{"permissions":[],"networks":"","longest":"100d"}}"#,
    );
    let Command::Issue { digest, .. } = &command else { panic!() };
    let digest = *digest;
    let issuer = world.changed(owner, command).0.unwrap();
    let proof = IssuerProof { issuer: Issuer::Key(issuer.id), digest };
    let ended = issue_by(&world, &issuer, proof);
    world.changed(owner, edit(&ended, r#"{"name":"ended"}"#));
    let issuer = world.changed(owner, edit(&issuer, r#"{"issuable":null}"#)).0.unwrap();
    world.wait(2 * DAY);
    let owner = world.renewed(owner);
    (world, owner, issuer)
}

#[test]
fn each_status_selects_the_keys_that_show_it() {
    let (world, owner, _) = one_of_each();
    let all = page(&world, owner, Sort::Name, KeyFilter::default());
    for key in &all.keys {
        let expected = if key.name == "issuer" { "active" } else { &key.name };
        assert_eq!(key.status(world.now()).as_str(), expected);
    }
    for (statuses, expected) in [
        ("active", "active issuer"),
        ("disabled", "disabled"),
        ("expired", "expired"),
        ("not_yet_valid", "not_yet_valid"),
        ("deleted", "deleted"),
        ("ended", "ended"),
        ("ended,deleted", "deleted ended"),
        ("disabled,expired", "disabled expired"),
        (PRESENT, "active disabled expired issuer not_yet_valid"),
        (
            "active,disabled,not_yet_valid,expired,ended,deleted",
            "active deleted disabled ended expired issuer not_yet_valid",
        ),
    ] {
        assert_eq!(names(&world, owner, of_status(statuses)), expected, "{statuses}");
    }
}

#[test]
fn deleted_and_ended_keys_that_a_list_leaves_out_are_counted() {
    let (world, owner, issuer) = one_of_each();
    let hidden = |filter| page(&world, owner, Sort::Name, filter).hidden;
    assert_eq!(hidden(KeyFilter::default()), 0, "nothing is left out");
    assert_eq!(hidden(of_status(PRESENT)), 2);
    assert_eq!(hidden(of_status("active")), 2);
    assert_eq!(hidden(of_status("active,deleted")), 1);
    let issuer = Some(IssuerFilter::Key(issuer.id));
    assert_eq!(hidden(KeyFilter { issuer, ..of_status(PRESENT) }), 1);
    let search = |q: &str| {
        let filter = of_status(PRESENT);
        let deleted = Deleted::Too;
        let page =
            world.page(owner, Listing { q: Some(q.into()), deleted, filter, ..Listing::default() });
        (page.total, page.hidden)
    };
    assert_eq!([search("deleted"), search("ended"), search("active")], [(0, 1), (0, 1), (1, 0)]);
}

#[test]
fn keys_are_selected_by_who_issued_them() {
    let (world, owner, issuer) = one_of_each();
    let admin = world.join("admin", b'a');
    world.issue(admin, r#"{"name":"of_another"}"#);
    let by =
        |issuer| names(&world, owner, KeyFilter { issuer: Some(issuer), ..of_status(PRESENT) });
    let any =
        |issuer| names(&world, owner, KeyFilter { issuer: Some(issuer), ..KeyFilter::default() });
    assert_eq!(any(IssuerFilter::Key(issuer.id)), "ended");
    assert_eq!(any(IssuerFilter::Keys), "ended");
    assert_eq!(by(IssuerFilter::Keys), "");
    assert_eq!(any(IssuerFilter::Service), "");
    assert_eq!(by(IssuerFilter::Member(crate::world::member_id(b'a'))), "of_another");
    assert_eq!(
        by(IssuerFilter::Members),
        "active disabled expired issuer not_yet_valid of_another"
    );
}

#[test]
fn keys_are_selected_by_their_expiry() {
    let (world, owner) = World::open();
    for (name, expires) in [("past", "1d"), ("week", "7d"), ("month", "30d"), ("never", "never")] {
        world.issue(owner, &format!(r#"{{"name":"{name}","expires":"{expires}"}}"#));
    }
    world.wait(DAY);
    let owner = world.renewed(owner);
    let expires =
        |filter| names(&world, owner, KeyFilter { expires: Some(filter), ..KeyFilter::default() });
    let within = |days| expires(ExpiryFilter::Within(DurationMs::from_days(days)));
    assert_eq!(expires(ExpiryFilter::Never), "never");
    assert_eq!([within(5), within(6), within(29)], ["", "week", "month week"]);
}

#[test]
fn keys_are_selected_and_ordered_by_their_last_use() {
    let (world, owner) = World::open();
    let [first, second, third] = ["first", "second", "third"]
        .map(|name| world.issue(owner, &format!(r#"{{"name":"{name}"}}"#)).id);
    world.wait(40 * DAY);
    use_now(&world, 1, second);
    world.wait(10 * DAY);
    use_now(&world, 2, first);
    // A later report of an earlier use changes nothing.
    let late = UnixMs::from_ms(world.now.get() - HOUR);
    let one = Use {
        id: first,
        count: 1,
        denials: 0,
        last_at: late,
        addresses: vec![],
        callers: vec![],
        refusals: vec![],
    };
    let usage = Some(UsageBatch { isolate: 1, sequence: 3, uses: vec![one], service: None });
    world.refresh(RefreshRequest { usage, ..RefreshRequest::default() });
    world.write_uses().unwrap();
    let owner = world.renewed(owner);
    let fresh = world.issue(owner, r#"{"name":"fresh"}"#).id;

    let used =
        |filter| names(&world, owner, KeyFilter { used: Some(filter), ..KeyFilter::default() });
    let days = DurationMs::from_days;
    assert_eq!(used(UseFilter::Never), "fresh third");
    assert_eq!(used(UseFilter::Within(days(1))), "first");
    assert_eq!(used(UseFilter::Within(days(10))), "first second");
    // A key that was issued since had no time to be used.
    assert_eq!(used(UseFilter::NotWithin(days(5))), "second third");
    assert_eq!(used(UseFilter::NotWithin(days(45))), "third");

    for (sort, expected) in [
        (Sort::UsedDown, [first, second, fresh.max(third), fresh.min(third)]),
        (Sort::Used, [fresh.min(third), fresh.max(third), second, first]),
    ] {
        assert_eq!(one_by_one(&world, owner, sort), expected, "{sort:?}");
    }
}

/// IDs of all keys, by pages of one key. A list that stands still ends one key late.
fn one_by_one(world: &World, owner: Browser, sort: Sort) -> Vec<KeyId> {
    let keys = usize::try_from(world.count("key")).unwrap();
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let listing = Listing { sort, cursor, limit: Some(1), ..Listing::default() };
        let page = world.page(owner, listing);
        seen.extend(page.keys.into_iter().map(|key| key.id));
        cursor = page.next;
        if cursor.is_none() || seen.len() > keys {
            return seen;
        }
    }
}

#[test]
fn pages_by_last_use_go_on_although_the_order_lags_behind_the_uses() {
    let (world, owner) = World::open();
    let ids = ["a", "b", "c"].map(|name| world.issue(owner, &format!(r#"{{"name":"{name}"}}"#)).id);
    for (round, wait) in [5 * MINUTE, 2 * MINUTE].into_iter().enumerate() {
        for (id, sequence) in ids.into_iter().zip(1 + 3 * round as u64..) {
            world.wait(if round == 0 { MINUTE } else { 0 });
            use_now(&world, sequence, id);
        }
        world.wait(wait);
    }
    let lag = world.sql_time(
        "SELECT min(last_used_at_ms - last_used_ms) FROM key JOIN usage ON usage.key = key.id",
    );
    assert_eq!(lag, 5 * MINUTE, "every key was used later than its row says");
    let [first, second, third] = ids;
    assert_eq!(one_by_one(&world, owner, Sort::Used), [first, second, third]);
    assert_eq!(one_by_one(&world, owner, Sort::UsedDown), [third, second, first]);
}

#[test]
fn pages_by_name_go_on_although_the_names_are_in_the_order_of_an_older_release() {
    let (world, owner) = World::open();
    let ids = ["key 9", "key 10", "Key 11"]
        .map(|name| world.issue(owner, &format!(r#"{{"name":"{name}"}}"#)).id);
    let older = "UPDATE key SET name_order = name_folded WHERE id > ''";
    world.sql.apply(&[Statement::new(older)]).unwrap();
    let [nine, ten, eleven] = ids;
    assert_eq!(one_by_one(&world, owner, Sort::Name), [ten, eleven, nine]);
    assert_eq!(one_by_one(&world, owner, Sort::NameDown), [nine, eleven, ten]);
}

/// Keys of the service password that ended with it, and as many others, written by hand.
fn ended_and_living(ended: u32, living: u32) -> (World, Browser) {
    let (world, owner) = World::open();
    world.issue(owner, r#"{"name":"key"}"#);
    let keys = |first: u32, number: u32, by: &str| {
        format!(
            "INSERT INTO key (id, digest, name, name_folded, name_order, state, limits, expires_ms,
                created_at_ms, created_by, changed_at_ms, changed_by, revision, issued_by, issued_generation)
            WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {})
            SELECT 'a1B2c3D4' || printf('%010d', i), digest, name, name_folded, name_order, state, limits, expires_ms,
                created_at_ms, created_by, changed_at_ms, changed_by, i, {by}
            FROM key JOIN n WHERE revision = 1",
            first + number - 1
        )
    };
    let end = "INSERT INTO issuer_end (issuer, generation, at_ms) VALUES ('service', 0, 0)".into();
    let writes = [keys(2, ended, "'service', 0"), keys(2 + ended, living - 1, "NULL, NULL"), end];
    world.sql.apply(&writes.map(Statement::new)).unwrap();
    assert_eq!(world.count("key"), i64::from(ended + living));
    (world, owner)
}

#[test]
fn totals_are_right_whatever_the_number_of_ended_keys() {
    for (ended, hidden, hides_more) in [
        (9_999, 9_999, false),
        (10_000, 10_000, false),
        (10_001, 10_000, true),
        (15_000, 10_000, true),
    ] {
        let (world, owner) = ended_and_living(ended, 100);
        let page = page(&world, owner, Sort::Name, of_status(PRESENT));
        assert_eq!((page.total, page.total_is_exact), (100, true), "{ended}");
        assert_eq!((page.hidden, page.hides_more), (hidden, hides_more), "{ended}");
    }
}

#[test]
fn totals_count_the_keys_that_pages_hold_whatever_is_said_of_deleted_keys() {
    let (world, owner, _) = one_of_each();
    for (deleted, statuses, expected) in [
        (Deleted::Too, PRESENT, 5),
        (Deleted::No, PRESENT, 5),
        (Deleted::Only, PRESENT, 0),
        (Deleted::Only, "deleted", 1),
        (Deleted::No, "deleted", 0),
        (Deleted::Only, "ended", 0),
        (Deleted::No, "ended,deleted", 1),
    ] {
        let filter = of_status(statuses);
        let page = world.page(owner, Listing { deleted, filter, ..Listing::default() });
        let found = (page.keys.len(), page.total, page.total_is_exact);
        assert_eq!(found, (expected as usize, expected, true), "{deleted:?} {statuses}");
    }
}

#[test]
fn every_filter_in_every_order_pages_through_all_its_keys() {
    let (world, owner, issuer) = one_of_each();
    let filters = [
        of_status(PRESENT),
        of_status("deleted"),
        KeyFilter { issuer: Some(IssuerFilter::Key(issuer.id)), ..KeyFilter::default() },
        KeyFilter { used: Some(UseFilter::Never), ..of_status("active,ended") },
        KeyFilter { expires: Some(ExpiryFilter::Never), ..KeyFilter::default() },
    ];
    for filter in filters {
        for q in [None, Some("e".to_owned())] {
            for sort in Sort::ALL {
                let listing = |cursor| Listing {
                    q: q.clone(),
                    sort,
                    cursor,
                    limit: Some(1),
                    deleted: Deleted::Too,
                    filter: filter.clone(),
                };
                let mut page = world.page(owner, listing(None));
                let (total, mut seen) = (page.total, page.keys.len());
                while let Some(next) = page.next {
                    page = world.page(owner, listing(Some(next)));
                    seen += page.keys.len();
                }
                assert_eq!(u32::try_from(seen).unwrap(), total, "{filter:?} {sort:?}");
            }
        }
    }
}

#[test]
fn the_last_use_of_keys_from_before_the_column_is_taken_from_their_usage() {
    let (world, owner) = World::open();
    let key = world.issue(owner, r#"{"name":"old"}"#);
    use_now(&world, 1, key.id);
    let triggers = ["key_last_use_of_new_usage", "key_last_use_of_changed_usage"];
    let undo = triggers.map(|name| Statement::new(format!("DROP TRIGGER {name}")));
    world.sql.apply(&undo).unwrap();
    let last = claviger_control::ledger::schema::MIGRATIONS
        .iter()
        .find(|migration| {
            migration.statements.iter().any(|text| text.contains("last_used_ms INTEGER"))
        })
        .unwrap();
    let forget = Statement::new("UPDATE key SET last_used_ms = NULL WHERE id > ''");
    world.sql.apply(&[forget, Statement::new(last.statements[1])]).unwrap();
    let within = UseFilter::Within(DurationMs::from_days(1));
    let filter = KeyFilter { used: Some(within), ..KeyFilter::default() };
    assert_eq!(names(&world, owner, filter), "old");
}
