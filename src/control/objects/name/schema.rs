//! The name object's tables.

use crate::objects::sql::migrate::Migration;
use crate::objects::{attempts, tasks};

/// The schema. Append only.
pub const MIGRATIONS: &[Migration] = &[CLAIM, MEMBERSHIPS, ATTEMPTS];

/// Creates the claim of one member, and their passwords.
const CLAIM: Migration = Migration {
    statements: &[
        tasks::TABLE,
        tasks::INDEX,
        "CREATE TABLE claim (
            one           INTEGER PRIMARY KEY CHECK (one = 1),  -- there is one row at most
            name          TEXT    NOT NULL,                     -- the name that this object stands for; immutable
            account       TEXT    NOT NULL,                     -- whose first membership claimed it; immutable
            member        TEXT    NOT NULL,                     -- the ID in it; immutable
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
};

/// Lets a person belong to several accounts, change the password and reset it.
const MEMBERSHIPS: Migration = Migration {
    statements: &[
        "CREATE TABLE membership (
            account    TEXT    NOT NULL,                             -- immutable
            member     TEXT    NOT NULL,                             -- the person's ID in it; immutable
            confirmed  INTEGER NOT NULL CHECK (confirmed IN (0, 1)), -- whether its ledger holds it; rises
            version    INTEGER NOT NULL CHECK (version > 0),         -- of the password that first claimed it; immutable
            told       INTEGER NOT NULL CHECK (told >= 0),           -- of the newest password that its ledger knows; mutable
            mails      INTEGER NOT NULL DEFAULT 0 CHECK (mails IN (0, 1)), -- whether its ledger mails the last change; mutable
            used_at_ms INTEGER NOT NULL,                             -- when it was last chosen, Unix milliseconds; rises
            PRIMARY KEY (account, member)
        ) STRICT, WITHOUT ROWID",
        "INSERT INTO membership (account, member, confirmed, version, told, used_at_ms)
            SELECT account, member, ifnull((SELECT max(confirmed) FROM password), 0),
                ifnull((SELECT min(version) FROM password), 1),
                ifnull((SELECT max(version) FROM password WHERE confirmed = 1), 0), claimed_at_ms
            FROM claim",
        // Each membership has a task to ask for it.
        "UPDATE due SET subject = (SELECT account || '/' || member FROM claim)
            WHERE kind = 'ask_holds' AND EXISTS (SELECT 1 FROM claim)",
        // Of the last change; NULL: the password is the first one.
        "ALTER TABLE password ADD COLUMN changed_at_ms INTEGER",
        // IP address of the request that changed it; NULL: none was reported.
        "ALTER TABLE password ADD COLUMN changed_from TEXT",
        // 1 if a mailed code reset it.
        "ALTER TABLE password ADD COLUMN is_reset INTEGER NOT NULL DEFAULT 0 CHECK (is_reset IN (0, 1))",
        "CREATE TABLE reset (
            one           INTEGER PRIMARY KEY CHECK (one = 1),     -- there is one row at most
            id            TEXT    NOT NULL,                        -- of the last reset; mutable
            account       TEXT    NOT NULL,                        -- whose ledger mailed its code; mutable
            mac           BLOB    CHECK (length(mac) = 32),        -- of its code; NULL: used; mutable
            expires_ms    INTEGER NOT NULL,                        -- end of its code, Unix milliseconds; mutable
            tries         INTEGER NOT NULL CHECK (tries >= 0),     -- at its code; mutable
            hour_since_ms INTEGER NOT NULL,                        -- first reset of the hour's window; mutable
            hour_resets   INTEGER NOT NULL CHECK (hour_resets > 0), -- resets in it; mutable
            day_since_ms  INTEGER NOT NULL,                        -- first reset of the day's window; mutable
            day_resets    INTEGER NOT NULL CHECK (day_resets > 0)  -- resets in it; mutable
        ) STRICT",
    ],
};

/// Counts refused attempts, reports them to ledgers, and gives resets from a known browser limits
/// of their own.
const ATTEMPTS: Migration = Migration {
    statements: &[
        attempts::TABLE,
        "CREATE TABLE attempt_report (
            number INTEGER PRIMARY KEY CHECK (number > 0), -- rises; immutable
            report TEXT    NOT NULL CHECK (json_valid(report)), -- `RefusedAttempts` as JSON; immutable
            at_ms  INTEGER NOT NULL                        -- Unix milliseconds; immutable
        ) STRICT",
        // The last report that the ledger has; 0: none; rises.
        "ALTER TABLE membership ADD COLUMN attempts_told INTEGER NOT NULL DEFAULT 0 CHECK (attempts_told >= 0)",
        // The last reset from a browser with a mark. Its columns are those of `reset`.
        "CREATE TABLE browser_reset (
            one           INTEGER PRIMARY KEY CHECK (one = 1),
            id            TEXT    NOT NULL,
            account       TEXT    NOT NULL,
            mac           BLOB    CHECK (length(mac) = 32),
            expires_ms    INTEGER NOT NULL,
            tries         INTEGER NOT NULL CHECK (tries >= 0),
            hour_since_ms INTEGER NOT NULL,
            hour_resets   INTEGER NOT NULL CHECK (hour_resets > 0),
            day_since_ms  INTEGER NOT NULL,
            day_resets    INTEGER NOT NULL CHECK (day_resets > 0)
        ) STRICT",
    ],
};
