//! The migration for operators whom Cloudflare Access recognises.

use crate::objects::sql::migrate::Migration;

/// Lets an operator who is no member invite accounts: the author of an invitation may be an
/// address.
pub(super) const ACCESS_OPERATORS: Migration = Migration {
    statements: &[
        "CREATE TABLE invitation_by_operator (
            member          TEXT    NOT NULL, -- who invited: a member's ID, or an operator's address; immutable
            idempotency_key TEXT    NOT NULL, -- as the client chose it; immutable
            account         TEXT    NOT NULL, -- whom: an account's ID; immutable
            at_ms           INTEGER NOT NULL, -- immutable
            PRIMARY KEY (member, idempotency_key)
        ) STRICT, WITHOUT ROWID",
        "INSERT INTO invitation_by_operator SELECT member, idempotency_key, account, at_ms FROM invitation",
        "DROP TABLE invitation",
        "ALTER TABLE invitation_by_operator RENAME TO invitation",
    ],
};
