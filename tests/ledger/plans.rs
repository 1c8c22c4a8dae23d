//! No statement of the ledger scans a table that grows, but for those named here. Every test of the
//! ledger is a witness: each statement that it makes the ledger send is explained before it runs.

use claviger_control::ledger::schema::MIGRATIONS;
use claviger_control::objects::sql::Statement;

use crate::sql::sqlite::Sqlite;

/// Tables that stay small, and by what; aliases of them; and what is no table.
const SMALL: &[&str] = &[
    // One row, or one for each member, release, or operator's invitation of a day.
    "account",
    "account_networks",
    "member",
    "creator",
    "changer",
    "service",
    "policy",
    "repair",
    "rebuild",
    "name_folding",
    "lease_document",
    "key_tally",
    "migration",
    "invitation",
    "sqlite_master",
    // Twenty of a member.
    "session",
    // Five of a member.
    "challenge",
    // `PASSKEYS_MAX` of a member, and their answers of five minutes.
    "passkey",
    "passkey_challenge",
    // Twenty codes a member and day, for two days.
    "deletion",
    // `invitations::OPEN_MAX`.
    "member_invitation",
    "open",
    // `NETWORKS_MAX` for each kind of attempt.
    "attempt",
    // The days of a week.
    "service_usage",
    // Members who were removed a moment ago.
    "leaving",
    // `REVOKED_SEALED_MAX`.
    "revoked_sealed",
    "json_each",
    "hour",
    "reason",
    "CONSTANT",
    // What the parts of a statement have found: they are explained themselves.
    "(subquery-1)",
    "(subquery-2)",
    "(subquery-3)",
    "(subquery-4)",
    "(subquery-5)",
];

/// The scans of what grows: a part of the statement, and what is scanned. In the order of how often
/// they happen.
const NAMED: &[(&str, &str)] = &[
    // A page of API users, a search in their names or their number, of `API_USERS_MAX`.
    ("FROM api_user INDEXED BY api_user_by_", "api_user USING "),
    // The number of those in a list: a pass that reads the table in its own order, once.
    ("SELECT count(*) FROM api_user WHERE", "api_user"),
    // A page of keys or of the trail, and the last changes for a document: in an index's order,
    // which ends with the page.
    ("FROM key INDEXED BY key_by_", "key USING INDEX key_by_"),
    ("FROM key INDEXED BY key_deleted", "key USING INDEX key_deleted"),
    ("FROM audit INDEXED BY audit_in_time", "audit USING INDEX audit_in_time"),
    ("LIMIT 1 OFFSET ?", "audit USING COVERING INDEX audit_in_time"),
    (
        "FROM publication ORDER BY revision DESC LIMIT ?",
        "publication USING INDEX sqlite_autoindex_publication_2",
    ),
    // A search by name: all names of keys, twice for each page of the list or of activity.
    ("FROM key INDEXED BY key_by_name WHERE instr(", "key USING COVERING INDEX key_by_name"),
    // The keys that ended with their issuer: the generations that ended, then an index.
    ("FROM issuer_end CROSS JOIN key", "issuer_end"),
    // The next duty: the first of a kind that this release knows.
    ("FROM due INDEXED BY due_at", "due USING COVERING INDEX due_at"),
    // How far publication is: an operator looks.
    ("count(CASE WHEN generation = ?", "publication"),
    // The notices that wait, in order: all of them are mailed at once.
    ("FROM notice ORDER BY number LIMIT ?", "notice"),
    // Once a day: `ISOLATES_MAX`.
    ("usage_isolate WHERE at_ms", "usage_isolate"),
    ("FROM usage_isolate ORDER BY at_ms DESC LIMIT -1", "usage_isolate"),
];

/// Fails for a statement that scans what grows. A migration may: it runs once.
pub fn judge(sql: &Sqlite, statement: &Statement) {
    let text = statement.text();
    let migrates = MIGRATIONS.iter().any(|migration| migration.statements.contains(&text));
    if migrates || text.starts_with("CREATE TABLE IF NOT EXISTS migration") {
        return;
    }
    let plan = sql.plan(statement);
    for scan in plan.iter().filter_map(|step| step.strip_prefix("SCAN ")) {
        let table = scan.split(' ').next().unwrap_or_default();
        let is_named =
            NAMED.iter().any(|(part, named)| text.contains(part) && scan.starts_with(named));
        assert!(SMALL.contains(&table) || is_named, "{text}\n{}", plan.join("\n"));
    }
}

#[test]
fn a_scan_of_what_grows_is_seen_and_a_look_up_is_none() {
    let (world, _) = crate::world::World::open();
    let scans = |text: &'static str| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            judge(&world.sql, &Statement::new(text))
        }))
        .is_err()
    };
    for text in [
        "SELECT count(*) FROM key WHERE state <> 'deleted'",
        "DELETE FROM usage WHERE uses = 0",
        "UPDATE publication SET settled = 0 WHERE base = 1",
    ] {
        assert!(scans(text), "{text}");
    }
    for text in [
        "SELECT * FROM key WHERE id = 'x'",
        "SELECT * FROM account",
        "UPDATE usage SET uses = 1 WHERE day = 3",
    ] {
        assert!(!scans(text), "{text}");
    }
}
