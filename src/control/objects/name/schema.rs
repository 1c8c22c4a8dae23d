//! The name object's tables.

use crate::objects::sql::migrate::Migration;
use crate::objects::tasks;

/// The schema. Append only.
pub const MIGRATIONS: &[Migration] = &[Migration {
    statements: &[
        tasks::TABLE,
        tasks::INDEX,
        "CREATE TABLE claim (
            one           INTEGER PRIMARY KEY CHECK (one = 1),  -- there is one row at most
            name          TEXT    NOT NULL,                     -- the name that this object stands for; immutable
            account       TEXT    NOT NULL,                     -- whose; immutable
            member        TEXT    NOT NULL,                     -- whose; immutable
            claimed_at_ms INTEGER NOT NULL                      -- Unix milliseconds; immutable
        ) STRICT",
        "CREATE TABLE password (
            version   INTEGER PRIMARY KEY CHECK (version > 0),      -- rises with each password; immutable
            hash      TEXT    NOT NULL,                             -- PHC text with the pepper's generation as keyid; mutable
            confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1))  -- whether the ledger goes by it; rises
        ) STRICT",
        "CREATE UNIQUE INDEX password_confirmed ON password (confirmed) WHERE confirmed = 1",
        // Of releases before 0.2.0, which counted here. It stays, so that such a release can be
        // deployed again.
        "CREATE TABLE tries (
            block           TEXT    PRIMARY KEY,                -- an address block; '' for callers without address, '*' for all
            since_ms        INTEGER NOT NULL,                   -- first try of the window, Unix milliseconds; mutable
            tries           INTEGER NOT NULL CHECK (tries >= 0),  -- tries in the window; mutable
            succeeded_at_ms INTEGER                             -- last right password, Unix milliseconds; mutable
        ) STRICT, WITHOUT ROWID",
    ],
}];
