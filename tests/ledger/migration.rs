//! Old databases under new code.

use claviger::ledger::Ledger;
use claviger::ledger::schema::MIGRATIONS;
use claviger::object::{Entropy, Object, ObjectError};
use claviger::protocol::{Command, LedgerRequest};
use claviger::sql::{Sql, SqlError, SqlExt, Statement, migrate};

use crate::world::World;

/// Every released schema, with rows in it, is brought to the newest by any request and keeps its rows. With one
/// migration there is one version; the next one adds its rows here.
#[test]
fn every_older_version_with_rows_in_it_is_migrated() {
    for version in 1..=MIGRATIONS.len() {
        let world = World::empty();
        migrate(&world.sql, &MIGRATIONS[..version], world.now()).unwrap();
        let rows = ROWS[..version].iter().flat_map(|rows| rows.iter()).map(|row| Statement::new(*row));
        world.sql.apply(&rows.collect::<Vec<_>>()).unwrap();

        let record = world.record(claviger::id::KeyId::parse("a1B2c3D47Hq0p2Zx9K").unwrap());
        assert_eq!(record.unwrap().revision.0, 7);
        let newest = world.sql.integer(&Statement::new("SELECT max(number) FROM migration")).unwrap();
        assert_eq!(newest, i64::try_from(MIGRATIONS.len()).unwrap());
        assert!(world.next_effect().is_some());
    }
}

/// Rows as each version's code wrote them: never edited.
const ROWS: &[&[&str]] = &[&[
    "INSERT INTO account VALUES (1, 'a1B2c3D4', 'Example KK', 'Asia/Tokyo', 10, '5f2c9a0b7d1e4386', 7, 1795262400000)",
    "INSERT INTO member VALUES ('ooooooooooo', 'Mei Tanaka', 'mei@example.jp', 'owner', 'ja', 1, 1795262400000)",
    r#"INSERT INTO key VALUES ('a1B2c3D47Hq0p2Zx9K', zeroblob(32), 'Build server', 'build server', 'active',
        '{"not_before":null,"expires":null,"networks":["10.0.0.0/8"],"interfaces":["http"],"permissions":["demo:read"]}',
        NULL, 1795262400000, 'ooooooooooo', 1795262400000, 'ooooooooooo', 7)"#,
    "INSERT INTO due VALUES ('put_record', 'a1B2c3D47Hq0p2Zx9K', 1795262400000, 0)",
]];

#[test]
fn a_newer_schema_is_refused_before_anything_is_read_or_written() {
    let (world, owner) = World::open();
    world.sql.apply(&[Statement::new("INSERT INTO migration VALUES (99, 0)")]).unwrap();
    let applies = world.sql.applies();
    let newer = SqlError::NewerSchema { found: 99, known: i64::try_from(MIGRATIONS.len()).unwrap() };
    let request = LedgerRequest::Console { session: owner.proof, address: None, command: Command::SignOut };
    let refused = Ledger::new(&world.sql).handle(request, world.now(), &Entropy([0; 32]));
    assert_eq!(refused, Err(ObjectError::Sql(newer)));
    assert_eq!(world.sql.applies(), applies);
}

/// What the code assumes, the tables hold.
#[test]
fn the_tables_refuse_what_cannot_be() {
    let (world, owner) = World::open();
    world.issue(owner, "{}");
    for text in [
        "INSERT INTO account SELECT 2, id, name, zone, freshness_s, epoch, revision, opened_at_ms FROM account",
        "UPDATE account SET revision = -1",
        "UPDATE account SET epoch = 'short'",
        "UPDATE member SET role = 'root'",
        "UPDATE member SET language = 'de'",
        "INSERT INTO member SELECT 'ppppppppppp', name, email, role, language, secret_version, 0 FROM member",
        "UPDATE session SET digest = x'00'",
        "UPDATE session SET member = 'nobody'",
        "UPDATE key SET state = 'gone'",
        "UPDATE key SET limits = '{'",
        "UPDATE key SET revision = 0",
        "UPDATE key SET expires_ms = 'soon'",
        "INSERT INTO key SELECT 'a1B2c3D4xxxxxxxxxx', digest, name, name_folded, state, limits, expires_ms,
            created_at_ms, created_by, changed_at_ms, changed_by, revision FROM key",
        "INSERT INTO journal SELECT * FROM journal",
        "INSERT INTO due VALUES ('put_record', 'x', 0, -1)",
    ] {
        assert!(world.sql.apply(&[Statement::new(text)]).is_err(), "{text}");
    }
}
