//! The schema of name objects of API users. Append only.

use crate::objects::sql::migrate::Migration;
use crate::objects::tasks;

/// All migrations, oldest first.
pub const MIGRATIONS: &[Migration] = &[Migration {
    statements: &[
        tasks::TABLE,
        tasks::INDEX,
        "CREATE TABLE claim (
            one     INTEGER PRIMARY KEY CHECK (one = 1), -- there is one row at most
            name    TEXT    NOT NULL,                    -- the name that this object stands for; immutable
            account TEXT    NOT NULL                     -- whose API user has it, or is to have it; immutable
        ) STRICT",
        "CREATE TABLE secret (
            version      INTEGER PRIMARY KEY CHECK (version > 0),       -- rises with each secret; immutable
            id           TEXT    NOT NULL CHECK (length(id) = 18),      -- of the API user; immutable
            hash         TEXT    NOT NULL,                              -- `StoredApiSecret`; mutable
            confirmed    INTEGER NOT NULL CHECK (confirmed IN (0, 1)),  -- 1 once a ledger goes by it; rises
            staged_at_ms INTEGER NOT NULL                               -- Unix milliseconds; immutable
        ) STRICT",
        "CREATE UNIQUE INDEX secret_confirmed ON secret (confirmed) WHERE confirmed = 1",
    ],
}];
