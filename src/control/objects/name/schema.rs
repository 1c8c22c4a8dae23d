//! The name object's tables.

use crate::objects::sql::migrate::Migration;
use crate::objects::{attempts, tasks};

/// The schema. Append only.
pub const MIGRATIONS: &[Migration] = &[CLAIM, MEMBERSHIPS, ATTEMPTS, MAILBOX];

/// Adds mailbox codes, mail, and moves between addresses.
const MAILBOX: Migration = Migration {
    statements: &[
        "CREATE TABLE mailbox_code (
            purpose       TEXT    NOT NULL,                        -- one of `MailboxPurpose`; immutable
            account       TEXT    NOT NULL,                        -- of the subject; immutable
            member        TEXT    NOT NULL,                        -- of the subject; immutable
            id            TEXT    NOT NULL,                        -- of the last code; mutable
            mac           BLOB    NOT NULL CHECK (length(mac) = 32), -- of that code; mutable
            expires_ms    INTEGER NOT NULL,                        -- end of that code, Unix milliseconds; mutable
            tries         INTEGER NOT NULL CHECK (tries >= 0),     -- wrong ones at that code; mutable
            hour_since_ms INTEGER NOT NULL,                        -- first code of the hour's window; mutable
            hour_codes    INTEGER NOT NULL CHECK (hour_codes > 0), -- codes in it; mutable
            day_since_ms  INTEGER NOT NULL,                        -- first code of the day's window; mutable
            day_codes     INTEGER NOT NULL CHECK (day_codes > 0),  -- codes in it; mutable
            PRIMARY KEY (purpose, account, member)
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE mailbox_codes (
            one           INTEGER PRIMARY KEY CHECK (one = 1),     -- there is one row at most
            hour_since_ms INTEGER NOT NULL,                        -- first code of the hour's window; mutable
            hour_codes    INTEGER NOT NULL CHECK (hour_codes > 0), -- codes in it; mutable
            day_since_ms  INTEGER NOT NULL,                        -- first code of the day's window; mutable
            day_codes     INTEGER NOT NULL CHECK (day_codes > 0)   -- codes in it; mutable
        ) STRICT",
        "CREATE TABLE mail (
            id              TEXT    PRIMARY KEY,                         -- idempotency key of the message; immutable
            account         TEXT    NOT NULL,                            -- which it is about; immutable
            recipient       TEXT    NOT NULL,                            -- immutable
            language        TEXT    NOT NULL,                            -- immutable
            letter          TEXT    NOT NULL CHECK (json_valid(letter)), -- `Letter` as JSON; immutable
            sealed          TEXT,                                        -- encrypted code; NULL: none, or no longer of use; mutable
            created_at_ms   INTEGER NOT NULL,                            -- Unix milliseconds; immutable
            useful_until_ms INTEGER NOT NULL,                            -- Unix milliseconds; immutable
            state           TEXT    NOT NULL CHECK (state IN ('queued', 'failing', 'sent', 'over', 'refused')) -- mutable
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE departure (
            id       TEXT    PRIMARY KEY,                          -- of the change; immutable
            change   TEXT    NOT NULL CHECK (json_valid(change)),  -- `AddressChange` as JSON; immutable
            has_left INTEGER NOT NULL CHECK (has_left IN (0, 1))   -- 1 once the new address has the person; rises
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE arrival (
            one        INTEGER PRIMARY KEY CHECK (one = 1),          -- there is one row at most
            id         TEXT    NOT NULL,                             -- of the last change that led here; mutable
            address    TEXT,                                         -- IP address of its request; NULL: none was reported; mutable
            is_settled INTEGER NOT NULL CHECK (is_settled IN (0, 1)) -- 1 once the old address has let go
        ) STRICT",
        // Number of changes of the person's address; immutable.
        "ALTER TABLE claim ADD COLUMN address_version INTEGER NOT NULL DEFAULT 0 CHECK (address_version >= 0)",
        // Version of the address that its ledger knows; rises.
        "ALTER TABLE membership ADD COLUMN address_told INTEGER NOT NULL DEFAULT 0 CHECK (address_told >= 0)",
    ],
};

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
