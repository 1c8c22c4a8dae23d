//! Lists: order, pages, search, and that they stay quick.

use claviger_control::objects::sql::{Row, Sql, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::keys::{Deleted, Listing, Sort};

use crate::world::{Browser, HOUR, World, edit};

fn names(world: &World, browser: Browser, listing: Listing) -> String {
    let page = world.page(browser, listing);
    page.keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>().join(" ")
}

fn search(world: &World, browser: Browser, q: &str) -> String {
    names(world, browser, Listing { q: Some(q.into()), sort: Sort::Name, ..Listing::default() })
}

fn three() -> (World, Browser) {
    let (world, owner) = World::open();
    for (name, expires) in [("beta", "90d"), ("Alpha", "never"), ("gamma", "30d")] {
        world.wait(1);
        world.issue(owner, &format!(r#"{{"name":"{name}","expires":"{expires}"}}"#));
    }
    world.wait(1);
    let alpha =
        world.page(owner, Listing { q: Some("alpha".into()), ..Listing::default() }).keys.remove(0);
    world.changed(owner, edit(&alpha, r#"{"permissions":[]}"#));
    (world, owner)
}

#[test]
fn orders() {
    let (world, owner) = three();
    for (sort, expected) in [
        (Sort::CreatedDown, "gamma Alpha beta"),
        (Sort::Created, "beta Alpha gamma"),
        (Sort::Name, "Alpha beta gamma"),
        (Sort::NameDown, "gamma beta Alpha"),
        (Sort::Expires, "gamma beta Alpha"),
        (Sort::ExpiresDown, "Alpha beta gamma"),
        (Sort::Changed, "beta gamma Alpha"),
        (Sort::ChangedDown, "Alpha gamma beta"),
    ] {
        assert_eq!(
            names(&world, owner, Listing { sort, ..Listing::default() }),
            expected,
            "{sort:?}"
        );
    }
}

#[test]
fn names_are_ordered_as_people_count_and_read() {
    let (world, owner) = World::open();
    let ordered = [
        "KEY_1",
        "key_2",
        "ｋｅｙ_３",
        "key_10",
        "Key_10a",
        "Zürich",
        "あさ",
        "カ",
        "が",
        "ｻ",
        "東京",
    ];
    for name in ordered.iter().rev() {
        world.issue(owner, &format!(r#"{{"name":"{name}"}}"#));
    }
    let mut reversed = ordered;
    reversed.reverse();
    for (sort, expected) in [(Sort::Name, ordered), (Sort::NameDown, reversed)] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page =
                world.page(owner, Listing { sort, cursor, limit: Some(3), ..Listing::default() });
            seen.extend(page.keys.into_iter().map(|key| key.name));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected);
    }
}

#[test]
fn pages_hold_every_key_once_whatever_the_order_and_however_many_ties() {
    let (world, owner) = World::open();
    let mut ids: Vec<_> =
        (0..25).map(|n| world.issue(owner, &format!(r#"{{"name":"k{}"}}"#, n % 3)).id).collect();
    ids.sort_unstable();
    for sort in Sort::ALL {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page =
                world.page(owner, Listing { sort, cursor, limit: Some(4), ..Listing::default() });
            assert_eq!((page.total, page.total_is_exact), (25, true));
            seen.extend(page.keys.iter().map(|key| key.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, ids, "{sort:?}");
    }
}

#[test]
fn a_cursor_stays_where_it_was_when_keys_come_and_go() {
    let (world, owner) = World::open();
    let keys: Vec<_> =
        ["a", "b", "c", "d"].map(|n| world.issue(owner, &format!(r#"{{"name":"{n}"}}"#))).into();
    let first = Listing { sort: Sort::Name, limit: Some(2), ..Listing::default() };
    let page = world.page(owner, first.clone());
    world.delete(owner, &keys[1]);
    world.issue(owner, r#"{"name":"aa"}"#);
    let second = Listing { cursor: page.next.clone(), ..first };
    assert_eq!(names(&world, owner, second), "c d");
    let other = Listing { cursor: page.next, sort: Sort::Created, ..Listing::default() };
    world.refusal(owner, Command::List(other));
}

#[test]
fn limits_of_a_page() {
    let (world, owner) = three();
    for (limit, expected) in [(Some(0), 1), (Some(2), 2), (Some(3), 3), (Some(1_000), 3), (None, 3)]
    {
        let page = world.page(owner, Listing { limit, ..Listing::default() });
        assert_eq!((page.keys.len(), page.next.is_some()), (expected, expected < 3), "{limit:?}");
    }
}

#[test]
fn a_table_of_searches() {
    let (world, owner) = World::open();
    for json in [
        r#"{"name":"Build-server Tokyo","networks":"10.0.0.0/8"}"#,
        r#"{"name":"経理サーバー","networks":"203.0.113.7 2001:db8::/32"}"#,
        r#"{"name":"Tokyo_cron","networks":"10.1.0.0/16 0.0.0.0/0"}"#,
        r#"{"name":"Straße"}"#,
    ] {
        world.issue(owner, json);
    }
    let (build, keiri, cron, street) =
        ("Build-server Tokyo", "経理サーバー", "Tokyo_cron", "Straße");
    let all = format!("{build} {street} {cron} {keiri}");
    for (q, expected) in [
        ("", &*all),
        ("  ", &all),
        ("build", build),
        ("BUI", build),
        ("uild", build),
        ("kyo", &format!("{build} {cron}")),
        ("kyoto", ""),
        ("tok", &format!("{build} {cron}")),
        ("tok ser", build),
        ("server-t", build),
        ("ＴＯＫＹＯ ＣＲＯＮ", cron),
        ("tokyo_cron", cron),
        ("サー", keiri),
        ("経理サ", keiri),
        ("理", keiri),
        ("ｰﾊﾞ", keiri),
        ("ば 経", keiri),
        ("バ\u{200b}ー", keiri),
        ("経理課", ""),
        ("STRASSE", street),
        ("rass", street),
        ("!!", ""),
        ("10.2.3.4", &format!("{build} {cron}")),
        ("10.1.2.3", &format!("{build} {cron}")),
        ("10.1.0.0/16", &format!("{build} {cron}")),
        ("10.0.0.0/7", cron),
        ("203.0.113.7", &format!("{cron} {keiri}")),
        ("::ffff:203.0.113.7", &format!("{cron} {keiri}")),
        ("2001:db8::1", keiri),
        ("2001:db9::1", ""),
        ("a1B2c3D4", &all),
        ("clv_a1B2c3D4", &all),
        ("zzzzzzzz0000000000", ""),
        ("' OR 1=1 --", ""),
        ("%", ""),
    ] {
        assert_eq!(search(&world, owner, q), expected, "{q}");
    }
    for key in world.page(owner, Listing::default()).keys {
        for q in [
            key.id.to_string(),
            format!("clv_{}", key.id),
            format!(" clv_{} ", &key.id.as_str()[..14]),
        ] {
            assert_eq!(search(&world, owner, &q), key.name, "{q}");
        }
    }
}

#[test]
fn what_is_renamed_is_not_found_by_what_it_was_and_what_is_deleted_is_until_it_goes() {
    let (world, owner) = World::open();
    let key = world.issue(owner, r#"{"name":"Old","networks":"10.0.0.0/8"}"#);
    let (key, ..) = world.changed(owner, edit(&key, r#"{"name":"New","networks":"::1"}"#));
    let key = key.unwrap();
    for (q, expected) in [("old", ""), ("new", "New"), ("10.1.1.1", ""), ("::1", "New")] {
        assert_eq!(search(&world, owner, q), expected);
    }
    world.delete(owner, &key);
    let other = world.issue(owner, r#"{"name":"New, too","networks":"::/0"}"#);
    for q in ["", "new", "::1", &key.id.as_str()[..8]] {
        for (deleted, expected) in [
            (Deleted::Too, vec![key.id, other.id]),
            (Deleted::Only, vec![key.id]),
            (Deleted::No, vec![other.id]),
        ] {
            for sort in Sort::ALL {
                let page = world.page(
                    owner,
                    Listing { q: Some(q.into()), deleted, sort, ..Listing::default() },
                );
                let mut found: Vec<_> = page.keys.iter().map(|key| key.id).collect();
                found.sort_unstable();
                let mut expected = expected.clone();
                expected.sort_unstable();
                assert_eq!(
                    (found, page.total as usize),
                    (expected.clone(), expected.len()),
                    "{q} {deleted:?} {sort:?}"
                );
            }
        }
    }
    world.wait(30 * 24 * HOUR);
    while world.next_effect().is_some() {}
    let owner = world.renewed(owner);
    for q in ["", "new", "::1", &key.id.as_str()[..8]] {
        let page = world.page(owner, Listing { q: Some(q.into()), ..Listing::default() });
        assert_eq!((page.keys.len(), page.total, page.keys[0].id), (1, 1, other.id), "{q}");
    }
    assert_eq!((world.count("key_network"), world.count("key")), (1, 1));
}

/// Twenty thousand keys, written by hand.
fn full() -> (World, Browser) {
    let (world, owner) = World::open();
    world.issue(owner, r#"{"name":"server","networks":"10.0.0.0/8"}"#);
    let numbers =
        "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";
    let id = "'a1B2c3D4' || printf('%010d', i)";
    let keys = format!(
        "INSERT INTO key (id, digest, name, name_folded, name_order, state, limits, expires_ms,
            created_at_ms, created_by, changed_at_ms, changed_by, revision)
            {numbers} SELECT {id}, digest, name || i, name_folded || i, name_order || length(i) || i,
            state, limits, expires_ms,
            created_at_ms + i, created_by, changed_at_ms + i, changed_by, i FROM key JOIN n WHERE revision = 1"
    );
    let networks = format!("INSERT INTO key_network {numbers} SELECT '10.0.0.0/8', {id} FROM n");
    world.sql.apply(&[keys, networks].map(Statement::new)).unwrap();
    assert_eq!(world.count("key"), 20_000);
    (world, owner)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test that measures wants a clock")]
fn twenty_thousand_keys_are_listed_by_indexes_alone() {
    let (world, owner) = full();
    let begin = std::time::Instant::now();
    for sort in Sort::ALL {
        for (q, total, total_is_exact) in [
            ("", 10_000, false),
            ("server", 10_000, false),
            ("server19", 1_111, true),
            ("ver1234", 11, true),
            ("10.1.2.3", 10_000, false),
            ("a1B2c3D4000001", 10_000, true),
            ("nowhere", 0, true),
        ] {
            let listing = Listing { q: Some(q.into()), sort, ..Listing::default() };
            let page = world.page(owner, listing.clone());
            assert_eq!((page.total, page.total_is_exact), (total, total_is_exact), "{q}");
            let next = world.page(owner, Listing { cursor: page.next.clone(), ..listing });
            assert_eq!(next.keys.len(), page.keys.len());
        }
    }
    // 112 pages; unoptimised, on a shared machine. A search that scans and sorts takes a multiple.
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

/// What SQLite does for the statements that the listing sends: they are overheard, and explained.
#[test]
fn no_page_scans_or_sorts_the_whole_table() {
    let (world, owner) = full();
    world.sql.apply(&[Statement::new("ANALYZE")]).unwrap();
    for sort in Sort::ALL {
        world.sql.overhear();
        let page = world.page(owner, Listing { sort, ..Listing::default() });
        world.page(owner, Listing { sort, cursor: page.next, ..Listing::default() });
        for statement in world.sql.overheard() {
            let plan = plan(&world, &statement);
            if !statement.text().contains("ORDER BY key.")
                && !statement.text().contains("ORDER BY ifnull")
            {
                continue;
            }
            let index = match sort {
                Sort::Created | Sort::CreatedDown => "key_by_created",
                Sort::Name | Sort::NameDown => "key_by_name",
                Sort::Expires | Sort::ExpiresDown => "key_by_expires",
                Sort::Changed | Sort::ChangedDown => "key_by_changed",
                Sort::Used | Sort::UsedDown => "key_by_used",
            };
            assert!(plan.contains(index), "{sort:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sort:?}: {plan}");
            let goes_on = statement.text().contains("(?, ?)");
            assert_eq!(
                goes_on,
                plan.contains("SEARCH key"),
                "a later page begins at its cursor: {plan}"
            );
        }
    }
    for (q, index) in
        [("erver19", "key_by_name"), ("10.1.2.3", "key_network"), ("a1B2c3D4000001", "PRIMARY KEY")]
    {
        world.sql.overhear();
        world.page(owner, Listing { q: Some(q.into()), ..Listing::default() });
        let listed = world
            .sql
            .overheard()
            .into_iter()
            .filter(|s| s.text().contains("FROM key") && s.text().contains("ORDER BY key"));
        for statement in listed {
            assert!(plan(&world, &statement).contains(index), "{q}: {}", plan(&world, &statement));
        }
    }
}

fn plan(world: &World, statement: &Statement) -> String {
    let explain = Statement::new(format!("EXPLAIN QUERY PLAN {}", statement.text()));
    let rows = world.sql.rows(&explain.bind_all(statement.values().iter().cloned())).unwrap();
    let detail = |mut row: Row| {
        for _ in 0..3 {
            row.integer().unwrap();
        }
        row.text().unwrap()
    };
    rows.into_iter().map(detail).collect::<Vec<_>>().join("; ")
}

/// Search and order go by what is stored with the name, whichever command wrote it.
#[test]
fn a_renamed_key_is_found_and_ordered_like_one_that_was_issued_with_the_name() {
    let (world, owner) = World::open();
    for name in ["Café 2", "ｶﾞｰﾄﾞ 10", "STRASSE ß", "Key 010"] {
        let json = serde_json::json!({ "name": name }).to_string();
        world.issue(owner, &json);
        let renamed = world.issue(owner, r#"{"name":"x"}"#);
        world.changed(owner, edit(&renamed, &json));
    }
    assert_eq!(world.count("key"), 8);
    let distinct = "(SELECT DISTINCT name, name_folded, name_order FROM key)";
    assert_eq!(world.count(distinct), 4);
}
