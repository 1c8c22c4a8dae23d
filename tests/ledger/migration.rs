//! Old databases under new code.

use claviger_control::ledger::ledger::Ledger;
use claviger_control::ledger::schema::MIGRATIONS;
use claviger_control::objects::object::{DurableObject, Entropy, ObjectError};
use claviger_control::objects::sql::migrate::migrate;
use claviger_control::objects::sql::{Sql, SqlError, SqlExt, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::effect::Effect;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_core::base::id::MemberId;
use claviger_core::replication::record::{Epoch, Record, Revision};
use claviger_core::replication::refresh::{Delta, RefreshRequest, Unsettled};

use crate::world::World;
use claviger_core::testing::key_id;

/// Every released schema, with rows in it, is brought to the newest by any request and keeps its
/// rows.
#[test]
fn every_older_version_with_rows_in_it_is_migrated() {
    for version in 1..=MIGRATIONS.len() {
        let world = of_version(version);
        let record = world.record(key_id());
        assert_eq!(record.unwrap().revision.0, 7);
        let newest =
            world.sql.integer(&Statement::new("SELECT max(number) FROM migration")).unwrap();
        assert_eq!(newest, i64::try_from(MIGRATIONS.len()).unwrap());
        assert_eq!(world.count("publication WHERE revision = 7"), 1);
        let Some(Effect::PutRecord { revision, .. }) = world.next_put() else { panic!("no put") };
        assert_eq!(revision.0, 7);
        crate::crash::tallied(&world);
        assert_eq!(world.sql_time("SELECT members FROM key_tally"), 1);
    }
}

/// Before migration 2 nobody kept account of what KV holds: all of it must be a miss, and be put
/// again.
#[test]
fn what_was_put_before_settlement_was_known_counts_for_nothing() {
    let world = of_version(1);
    let old = Epoch::from_stored("5f2c9a0b7d1e4386".into());
    let lease = RefreshRequest {
        epoch: Some(old.clone()),
        known_revision: Revision(7),
        ..RefreshRequest::default()
    };
    let Ok(LedgerReply::Refreshed(refresh)) = world.handle(LedgerRequest::Refresh(lease)) else {
        panic!("no refresh")
    };
    assert_ne!(refresh.epoch, old);
    assert_eq!((refresh.delta, refresh.unsettled), (Delta::Reset, Unsettled::Set(vec![])));
    assert_eq!(refresh.state.unwrap().freshness_ms, 20_000);
    world.sql.apply(&[Statement::new("DELETE FROM due WHERE kind = 'put_record'")]).unwrap();
    let Some(Effect::PutRecord { value, .. }) = world.next_put() else { panic!("no put") };
    assert_eq!(Record::from_kv(&value, key_id()).unwrap().epoch, refresh.epoch);
}

/// Before migration 3 there was one way to make an account: the deployment's own set-up link. And
/// nobody told names.
#[test]
fn an_account_that_is_older_than_operators_is_theirs_and_tells_its_name() {
    for version in [1, 2] {
        let world = of_version(version);
        world.record(key_id());
        assert_eq!(world.count("account WHERE operator = 1"), 1);
        assert_eq!(world.count("due WHERE kind = 'confirm_account'"), 1);
    }
}

/// Before migration 21 every row was a member's, and no use outlived its session.
#[test]
fn who_was_a_member_before_removal_was_known_still_is() {
    let world = of_version(20);
    world.record(key_id());
    assert_eq!(world.count("member WHERE removed_at_ms IS NULL AND seen_at_ms IS NULL"), 1);
    let mei = world.sign_in(MemberId::parse("ooooooooooo").unwrap());
    assert_eq!(world.ask(mei, Command::SignOut), LedgerReply::Done);
    assert_eq!(world.count("member WHERE seen_at_ms IS NOT NULL"), 1);
}

/// Before migration 23 a password was the only proof.
#[test]
fn a_session_of_before_second_factors_was_proven_by_password() {
    let world = of_version(22);
    world.record(key_id());
    assert_eq!(world.count("session WHERE proven_by = 'password'"), 1);
    assert_eq!(world.count("totp"), 0);
}

/// Before migration 8 a deleted key was gone for good: it can be restored now, but does not work by
/// that alone.
#[test]
fn a09_what_was_deleted_before_restoring_was_known_comes_back_disabled() {
    let world = of_version(7);
    world.sql.apply(&[Statement::new("UPDATE key SET state = 'deleted'")]).unwrap();
    world.record(key_id());
    assert_eq!(
        world.count("key WHERE deleted_at_ms = 1795262400000 AND returns_as = 'disabled'"),
        1
    );
    assert_eq!(world.count("due WHERE kind = 'scrub_keys'"), 1);
}

/// Before migration 18 names were folded by case and full-width ASCII alone, and ordered by that.
#[test]
fn names_of_an_older_release_are_folded_anew_some_at_a_time() {
    let world = of_version(17);
    let keys = 1_100;
    let copies = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {keys})
        INSERT INTO key (id, digest, name, name_folded, state, limits, expires_ms, created_at_ms,
            created_by, changed_at_ms, changed_by, revision)
        SELECT printf('a1B2c3D4%010d', i), digest, 'ビルド ' || i, 'ビルド ' || i, state, limits, expires_ms,
            created_at_ms, created_by, changed_at_ms, changed_by, 100 + i FROM key JOIN n"
    );
    let others = "DELETE FROM due";
    world.sql.apply(&[copies, others.to_owned()].map(Statement::new)).unwrap();
    world.record(key_id());
    let done = || world.count("key WHERE name_folded LIKE 'びるど%'");
    assert_eq!((done(), world.count("key WHERE name_order = name_folded")), (0, keys + 1));
    let mut seen = Vec::new();
    while world.count("name_folding") > 0 {
        assert_eq!(world.next_effect(), None);
        seen.push(done());
        world.wait(1_000);
    }
    assert_eq!(seen, [500, 1_000, 1_100, 1_100]);
    assert_eq!(world.count("key WHERE name_order LIKE 'びるど 3___' AND name LIKE '% ___'"), 900);
    assert_eq!(world.count("due WHERE kind = 'fold_names'"), 0);
    // What folds to the same is not written.
    assert_eq!(
        world.count("key WHERE name_folded = 'build server' AND name_order = 'build server'"),
        1
    );
}

/// Before migration 21 a session knew neither its agent nor the address of its last use.
#[test]
fn a_session_of_an_older_release_goes_on_and_is_listed() {
    let world = of_version(20);
    let (session, proof) = world.draw_session();
    let text = "INSERT INTO session VALUES (?, ?, 'ooooooooooo', '203.0.113.7', ?, ?, ?)";
    let row = Statement::new(text)
        .bind(session.id.as_str())
        .bind(session.digest.as_bytes().as_slice())
        .bind_all([world.now(), world.now(), world.now()].map(Into::into));
    world.sql.apply(&[row]).unwrap();
    let ask = |command| {
        let address = Some("203.0.113.7".to_owned());
        world.handle(LedgerRequest::Console { session: proof, address, command }).unwrap()
    };
    let LedgerReply::Session(view) = ask(Command::Show) else { panic!("no session") };
    assert_eq!(view.accounts, 1);
    let LedgerReply::Sessions { sessions } = ask(Command::ListSessions) else { panic!("no list") };
    assert_eq!((sessions.len(), sessions[0].agent.as_deref()), (1, None));
    assert_eq!(sessions[0].last_address.as_deref(), Some("203.0.113.7"));
}

/// A database that was written by each version up to this one, in turn.
fn of_version(version: usize) -> World {
    let world = World::empty();
    for step in 1..=version {
        migrate(&world.sql, &MIGRATIONS[..step], world.now()).unwrap();
        let rows: Vec<Statement> = ROWS[step - 1].iter().map(|row| Statement::new(*row)).collect();
        world.sql.apply(&rows).unwrap();
    }
    world
}

/// Rows as each version's code wrote them: never edited.
const ROWS: &[&[&str]] = &[
    &[
        "INSERT INTO account VALUES (1, 'a1B2c3D4', 'Example KK', 'Asia/Tokyo', 20, '5f2c9a0b7d1e4386', 7, 1795262400000)",
        "INSERT INTO member VALUES ('ooooooooooo', 'Mei Tanaka', 'mei@example.jp', 'owner', 'ja', 1, 1795262400000)",
        r#"INSERT INTO key VALUES ('a1B2c3D47Hq0p2Zx9K', zeroblob(32), 'Build server', 'build server', 'active',
        '{"not_before":null,"expires":null,"networks":["10.0.0.0/8"],"interfaces":["http"],"permissions":["demo:read"]}',
        NULL, 1795262400000, 'ooooooooooo', 1795262400000, 'ooooooooooo', 7)"#,
        "INSERT INTO due VALUES ('put_record', 'a1B2c3D47Hq0p2Zx9K', 1795262400000, 0)",
    ],
    &[
        "UPDATE account SET epoch = '1122334455667788', generation = 2, epoch_is_over = 0, freshness_ms = 1500,
            freshness_before_ms = 20000, freshness_before_until_ms = 1795262420000, state_revision = 6",
        "UPDATE publication SET generation = 2, base = 5, acknowledged = 5, acknowledged_at_ms = 1795262400000,
            settled = 5, owed_at_ms = 1795262400000, sent_at_ms = NULL, unsure_at_ms = 1795262300000",
        "INSERT INTO repair VALUES (1, 'compare', 'a1B2c3D4', 1795262400000)",
        "INSERT INTO rebuild VALUES (1, 'a1B2c3D4', 1795262400000)",
        r#"INSERT INTO usage VALUES ('a1B2c3D47Hq0p2Zx9K', 20778, 1, 0, 1795262400000, '["203.0.113.7"]')"#,
        "INSERT INTO usage_isolate VALUES ('00000000000000ff', 1, 1795262400000)",
    ],
    &["INSERT INTO invitation VALUES ('ooooooooooo', 'i-1', 'zzzzzzzz', 1795262400000)"],
    &[
        "UPDATE lease_document SET acknowledged = 1, number = 1795262400000, epoch = '1122334455667788',
            sent_at_ms = 1795262400000, is_under_way = 1, unsure_at_ms = 1795262300000",
        "INSERT INTO due VALUES ('put_lease', '', 1795262430000, 1)",
    ],
    &[
        r#"UPDATE key SET ceiling = '{"permissions":["demo:read"],"networks":[],"longest":null}', sealing_generation = 2"#,
        "INSERT INTO revoked_sealed VALUES ('a1B2c3D4Qx0mT7rWz5', 'a1B2c3D47Hq0p2Zx9K', 1795262430000)",
    ],
    &[
        r#"INSERT INTO service VALUES (1, 'a1B2c3D4CV5VrGm8Coo', zeroblob(32), 'b.AAAA', 1,
            '{"permissions":["*:*"],"networks":[],"longest":null}', 1795262400000, 'ooooooooooo', 8)"#,
    ],
    &["UPDATE key SET sealed = 'b.AAAA'"],
    &[
        r#"INSERT INTO deletion VALUES ('0123456789', 'ooooooooooo', '["a1B2c3D47Hq0p2Zx9K"]', 1795262400000, zeroblob(32),
            1, 1795263000000, 0, NULL)"#,
        r#"INSERT INTO mail VALUES ('deletion-code/a1B2c3D4/0123456789/1', 'deletion_code', 'ooooooooooo', 'mei@example.jp', 'ja',
            '{"letter":"deletion_code","deletion":"0123456789","account":"Example KK","keys":[],"until":1795263000000,"zone":"Asia/Tokyo"}',
            'b.AAAA', 1795262400000, 1795263000000, NULL, 'queued')"#,
        "INSERT INTO due VALUES ('send_mail', 'deletion-code/a1B2c3D4/0123456789/1', 1795262400000, 0)",
    ],
    &[r#"UPDATE usage SET hours = '[0,1]', callers = '[{"address":"203.0.113.7","count":1,"last_at":1795262400000}]'"#],
    &[],
    &["INSERT INTO revoked_sealed VALUES ('a1B2c3D4Qx0mT7rWz6', 'service', 1795262430000, 1)"],
    &["INSERT INTO issuer_end VALUES ('service', 0, 1795262400000)"],
    &["UPDATE mail SET state = 'over', refused = 1, sealed = NULL"],
    &[],
    &["INSERT INTO revoked_sealed VALUES ('a1B2c3D4Qx0mT7rWz5000003CRiZjE0t8ez', 'service', 1795262430000)"],
    &[],
    &[],
    &[],
    &[r#"UPDATE usage SET refusals = '{"expired":{"13":2}}', last_refused_at_ms = 1795262400000"#],
    &["UPDATE key SET last_used_ms = 1795262400000"],
    &["INSERT INTO session VALUES ('0123456789', zeroblob(32), 'ooooooooooo', '203.0.113.7', 1795262400000,
        1795262400000, 1795262400000, 'Mozilla/5.0', '198.51.100.4', 2)"],
    &[
        r#"INSERT INTO member VALUES ('kkkkkkkkkkk', 'Ken Sato', 'kkkkkkkkkkk', 'admin', 'en', 1, 1795262400000,
            1795262400000, 1795262400000)"#,
        "INSERT INTO leaving VALUES ('kkkkkkkkkkk', 'ken@example.jp')",
        "INSERT INTO due VALUES ('leave_name', 'kkkkkkkkkkk', 1795262430000, 0)",
        r#"INSERT INTO member_invitation VALUES ('0123456789', 'nnnnnnnnnnn', '9876543210', zeroblob(32), 'noor@example.jp',
            'viewer', 'en', 'ooooooooooo', 1795262400000, 1795867200000, 1)"#,
    ],
    &["UPDATE key SET replaces = 'a1B2c3D47Hq0p2Zx9L', replaced_by = 'a1B2c3D47Hq0p2Zx9M', expires_ms = 1795262400000"],
    &[r#"INSERT INTO policy VALUES (1, '{"preset":"portal","keys_per_member":"many","default_life":"never","longest_life":"never",
        "keys_follow_member":false,"viewable_allowed":true,"demands_mfa":false,"deletion_by_code":true,
        "mail_on_generation":false}', 1)"#],
    &[
        "INSERT INTO totp VALUES ('ooooooooooo', 'b.AAAA', 1795262400000, 1795262400000, 59842080)",
        "INSERT INTO recovery_code VALUES ('ooooooooooo', zeroblob(32), 'b')",
        "INSERT INTO factor_try VALUES ('ooooooooooo', 1795262400000, 1)",
        "INSERT INTO challenge VALUES ('0123456789', zeroblob(32), 'ooooooooooo', 1, 1, NULL, 1795262400000, 0)",
    ],
    &["UPDATE member SET mfa = 1 WHERE id = 'ooooooooooo'"],
    &["INSERT INTO invitation VALUES ('ann@example.com', 'i-1', 'yyyyyyyy', 1795262400000)"],
    &[
        "INSERT INTO attempt VALUES ('service', '203.0.113.0/24', 1795262400000, 3)",
        r#"INSERT INTO service_usage VALUES (20778, 1, 1795262400000, '[{"address":"203.0.113.7","count":1,"last_at":1795262400000}]')"#,
        "INSERT INTO member_sign_in VALUES ('ooooooooooo', '203.0.113.0/24', 1795262400000)",
        "INSERT INTO key_caller VALUES ('a1B2c3D47Hq0p2Zx9K', '203.0.113.0/24', 1795262400000)",
        "INSERT INTO key_end_notice VALUES ('a1B2c3D47Hq0p2Zx9K', 1795348800000, 1)",
        r#"INSERT INTO notice VALUES (1, 'act', 'ooooooooooo', '{"act":"activity_exported","by":"Mei Tanaka","at":1795262400000}')"#,
        "INSERT INTO notice_off VALUES ('ooooooooooo', 'key_end')",
        "INSERT INTO due VALUES ('send_notices', '', 1795262430000, 0)",
    ],
    &["INSERT INTO proof_code VALUES ('0123456789', zeroblob(32), 1, 1795262400000, 0)"],
    &["UPDATE member SET address_version = 1"],
    &[
        r#"INSERT INTO passkey VALUES ('0123456789', 'ooooooooooo', 'AQID', zeroblob(65), 7, 'Phone', '["internal"]', 1, 0,
            1795262400000, NULL)"#,
        "INSERT INTO passkey_challenge VALUES (zeroblob(32), 1795262700000)",
    ],
    &[
        r#"INSERT INTO member_notice VALUES ('ooooooooooo', 1, 1795262400000,
            '{"letter":"new_network","account":"Example KK","address":"203.0.113.7","at":1795262400000,"zone":"Asia/Tokyo"}')"#,
        "UPDATE member SET notices_read = 1 WHERE id = 'ooooooooooo'",
    ],
    &[
        r#"INSERT INTO api_user VALUES ('a1B2c3D4xxxxxxxxxx', 'app@example.com', 'active', 1, 'admin', 0, 'Asia/Tokyo',
            '{"not_before":null,"expires":null,"networks":[],"interfaces":["http"],"permissions":[]}', NULL, NULL,
            1795262400000, 'ooooooooooo', 1795262400000, 'ooooooooooo', NULL, 6)"#,
    ],
    &[
        r#"INSERT INTO account_networks VALUES (1, '{"mode":"observed","entries":[
            {"id":1,"network":"203.0.113.0/24","label":"Office","surfaces":["console"]}],"next":2}', 1, 1795262400000, 'ooooooooooo')"#,
        r#"UPDATE key SET networks_observed = '["203.0.113.0/24"]'"#,
    ],
];

#[test]
fn a_newer_schema_is_refused_before_anything_is_read_or_written() {
    let (world, owner) = World::open();
    world.sql.apply(&[Statement::new("INSERT INTO migration VALUES (99, 0)")]).unwrap();
    let applies = world.sql.applies();
    let newer =
        SqlError::NewerSchema { found: 99, known: i64::try_from(MIGRATIONS.len()).unwrap() };
    let request =
        LedgerRequest::Console { session: owner.proof, address: None, command: Command::SignOut };
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
        "INSERT INTO member (id, name, email, role, language, secret_version, created_at_ms)
            SELECT 'ppppppppppp', name, email, role, language, secret_version, 0 FROM member",
        "INSERT INTO member_invitation VALUES ('0123456789', 'nnnnnnnnnnn', '9876543210', zeroblob(32), 'a', 'root', 'en', 'ooooooooooo', 0, 0, 1)",
        "INSERT INTO member_invitation VALUES ('0123456789', 'nnnnnnnnnnn', '9876543210', zeroblob(32), 'a', 'admin', 'en', 'nobody', 0, 0, 1)",
        "INSERT INTO member_invitation VALUES ('0123456789', 'nnnnnnnnnnn', '9876543210', zeroblob(31), 'a', 'admin', 'en', 'ooooooooooo', 0, 0, 1)",
        "INSERT INTO leaving VALUES ('nobody', 'a')",
        "INSERT INTO policy VALUES (2, '{}', 1)",
        "INSERT INTO policy VALUES (1, '{', 1)",
        "INSERT INTO policy VALUES (1, '{}', 0)",
        "INSERT INTO totp VALUES ('nobody', 'b.AAAA', 0, NULL, 0)",
        "INSERT INTO recovery_code VALUES ('ooooooooooo', zeroblob(31), 'b')",
        "INSERT INTO factor_try VALUES ('ooooooooooo', 0, 0)",
        "INSERT INTO challenge VALUES ('0123456789', zeroblob(32), 'nobody', 1, 1, NULL, 0, 0)",
        "INSERT INTO challenge VALUES ('0123456789', zeroblob(31), 'ooooooooooo', 1, 1, NULL, 0, 0)",
        "INSERT INTO attempt VALUES ('service', '', 0, 0)",
        "INSERT INTO service_usage VALUES (1, -1, 0, '[]')",
        "INSERT INTO member_sign_in VALUES ('nobody', 'a', 0)",
        "INSERT INTO key_end_notice VALUES ('a', 0, 0)",
        "INSERT INTO proof_code VALUES ('0123456789', zeroblob(32), 0, 0, 0)",
        "INSERT INTO proof_code VALUES ('0123456789', zeroblob(8), 1, 0, 0)",
        "INSERT INTO notice VALUES (1, 'act', 'ooooooooooo', '{')",
        "INSERT INTO notice_off VALUES ('nobody', 'key_end')",
        "UPDATE session SET digest = x'00'",
        "UPDATE session SET member = 'nobody'",
        "UPDATE key SET state = 'gone'",
        "UPDATE key SET limits = '{'",
        "UPDATE key SET revision = 0",
        "UPDATE key SET expires_ms = 'soon'",
        "INSERT INTO key (id, digest, name, name_folded, state, limits, expires_ms,
            created_at_ms, created_by, changed_at_ms, changed_by, revision)
            SELECT 'a1B2c3D4xxxxxxxxxx', digest, name, name_folded, state, limits, expires_ms,
            created_at_ms, created_by, changed_at_ms, changed_by, revision FROM key",
        "INSERT INTO journal SELECT * FROM journal",
        "INSERT INTO due VALUES ('put_record', 'x', 0, -1)",
        "UPDATE account SET freshness_ms = -1",
        "UPDATE account SET suspended = 2",
        "UPDATE account SET generation = 0",
        "INSERT INTO publication SELECT 'a1B2c3D4xxxxxxxxxx', revision, generation, base, acknowledged,
            acknowledged_at_ms, settled, owed_at_ms, sent_at_ms, unsure_at_ms FROM publication",
        "UPDATE publication SET revision = 0",
        "INSERT INTO repair VALUES (1, 'rest', NULL, 0)",
        "INSERT INTO rebuild VALUES (2, '', 0)",
        "INSERT INTO name_folding VALUES (2, '')",
        "INSERT INTO usage VALUES ('x', 0, -1, 0, NULL, '[]')",
        "INSERT INTO usage VALUES ('x', 0, 0, 0, NULL, '')",
        "INSERT INTO usage_isolate VALUES ('ff', 1, 0)",
        "UPDATE account SET operator = 2",
        "UPDATE key SET ceiling = '{'",
        "UPDATE key SET sealing_generation = -1",
        "UPDATE key SET issued_by = 'service'",
        "INSERT INTO issuer_end VALUES ('service', -1, 0)",
        "INSERT INTO revoked_sealed VALUES ('a1B2c3D4Qx0mT7rWz5', 'service', 0)",
        "UPDATE key SET protected = 2",
        "UPDATE key SET expires_ms = NULL, replaced_by = 'a1B2c3D4xxxxxxxxxx'",
        "UPDATE key SET returns_as = 'deleted'",
        "INSERT INTO deletion VALUES ('0123456789', 'nobody', '[]', 0, zeroblob(32), 1, 0, 0, NULL)",
        "INSERT INTO deletion VALUES ('0123456789', 'ooooooooooo', '[]', 0, zeroblob(32), 1, 0, 6, NULL)",
        "INSERT INTO deletion VALUES ('0123456789', 'ooooooooooo', '[]', 0, zeroblob(31), 1, 0, 0, NULL)",
        "INSERT INTO passkey VALUES ('1123456789', 'nobody', 'AAAA', zeroblob(65), 7, 'Phone', '[]', 1, 0, 0, NULL)",
        "INSERT INTO passkey VALUES ('1123456789', 'ooooooooooo', 'AAAA', zeroblob(64), 7, 'Phone', '[]', 1, 0, 0, NULL)",
        "INSERT INTO passkey VALUES ('1123456789', 'ooooooooooo', 'AAAA', zeroblob(65), -1, 'Phone', '[]', 1, 0, 0, NULL)",
        "INSERT INTO passkey_challenge VALUES (zeroblob(31), 0)",
        "INSERT INTO account_networks VALUES (2, '{}', 1, 0, NULL)",
        "INSERT INTO account_networks VALUES (1, '{', 1, 0, NULL)",
        "INSERT INTO account_networks VALUES (1, '{}', 0, 0, NULL)",
        "INSERT INTO account_networks VALUES (1, '{}', 1, 0, 'nobody')",
        "UPDATE key SET networks_observed = '['",
        "INSERT INTO member_notice VALUES ('nobody', 1, 0, '{}')",
        "INSERT INTO member_notice VALUES ('ooooooooooo', 0, 0, '{}')",
        "INSERT INTO member_notice VALUES ('ooooooooooo', 1, 0, '{')",
        "UPDATE member SET notices_read = -1",
        "INSERT INTO mail VALUES ('x', 'k', 'nobody', 'a', 'en', '{}', NULL, 0, 0, NULL, 'queued', 0)",
        "INSERT INTO mail VALUES ('x', 'k', 'ooooooooooo', 'a', 'en', '{}', NULL, 0, 0, NULL, 'lost', 0)",
        "INSERT INTO mail VALUES ('x', 'k', 'ooooooooooo', 'a', 'en', '{}', NULL, 0, 0, NULL, 'over', 2)",
    ] {
        assert!(world.sql.apply(&[Statement::new(text)]).is_err(), "{text}");
    }
}
