//! The audit trail.

use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::command::Command;
use claviger_core::base::secret::Digest;

use crate::world::{World, draft, edit, set_enabled, step_up};

#[test]
fn who_did_what_from_where_is_written_down_without_secrets() {
    let (world, owner) = World::open();
    let (id, digest) = world.draw_key();
    let issue = Command::Issue {
        id,
        digest,
        draft: draft("{}"),
        idempotency_key: "i-1".into(),
        sealed: None,
    };
    let (key, ..) = world.changed(owner, issue);
    let (key, ..) = world.changed(owner, edit(&key.unwrap(), r#"{"name":"Cron"}"#));
    let (key, ..) = world.changed(owner, set_enabled(&key.unwrap(), false));
    let (key, ..) = world.changed(owner, set_enabled(&key.unwrap(), true));
    world.delete(owner, &key.unwrap());
    world.ask(owner, step_up(1));
    world.ask(owner, Command::SignOut);

    let read =
        "SELECT action, coalesce(revision, 0), coalesce(json_extract(before, '$.name'), '-'),
        coalesce(json_extract(after, '$.state'), '-') FROM audit ORDER BY number";
    let rows = world.sql.read_all(&Statement::new(read), |mut row| {
        Ok(format!("{} {} {} {}", row.text()?, row.integer()?, row.text()?, row.text()?))
    });
    let expected = [
        "open 0 - -",
        "sign_in 0 - -",
        "issue 1 - active",
        "edit 2 Build server active",
        "disable 3 Cron disabled",
        "enable 4 Cron active",
        "begin_deletion 0 - -",
        "delete 5 Cron deleted",
        "step_up 0 - -",
        "sign_out 0 - -",
    ];
    assert_eq!(rows.unwrap(), expected);
    let foreign = "SELECT count(*) FROM audit WHERE member <> ? OR address <> '203.0.113.7' OR address IS NULL";
    assert_eq!(world.sql.integer(&Statement::new(foreign).bind(owner.member.as_str())), Ok(0));

    let trail = world.sql.dump("audit") + &world.sql.dump("journal");
    for digest in [digest, owner.proof.digest] {
        let base64 = serde_json::to_string(&digest).unwrap();
        let hex = base16ct::lower::encode_string(digest.as_bytes());
        let bytes = format!("{:?}", digest.as_bytes());
        for text in [base64.trim_matches('"'), &hex, &bytes, "digest", "Blob"] {
            assert!(!trail.contains(text), "{text}");
        }
    }
    assert_ne!(digest, Digest::of(b""));
}

#[test]
fn audit_rows_are_insert_only() {
    let (world, _) = World::open();
    for text in ["UPDATE audit SET at_ms = 0", "DELETE FROM audit"] {
        let error = world.sql.apply(&[Statement::new(text)]).unwrap_err().to_string();
        assert!(error.contains("insert-only"), "{error}");
    }
}
