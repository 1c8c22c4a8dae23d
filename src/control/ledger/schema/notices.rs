//! The migration for refused attempts, uses of the service password, and notices.

use crate::objects::attempts;
use crate::objects::sql::migrate::Migration;

/// Adds counts of refused attempts, uses of the service password, the networks of members and keys,
/// and notices that wait.
pub(super) const NOTICES: Migration = Migration {
    statements: &[
        attempts::TABLE,
        "CREATE TABLE service_usage (
            day             INTEGER PRIMARY KEY,                            -- days since 1970 in UTC; immutable
            uses            INTEGER NOT NULL CHECK (uses >= 0),             -- requests with the right password; rises
            last_used_at_ms INTEGER NOT NULL,                               -- last of them; rises
            callers         TEXT    NOT NULL CHECK (json_valid(callers))    -- JSON of `Caller`, the latest first; mutable
        ) STRICT",
        "CREATE TABLE member_sign_in (
            member     TEXT    NOT NULL REFERENCES member (id), -- immutable
            network    TEXT    NOT NULL,                        -- a /24 or /48 of sign-ins; immutable
            seen_at_ms INTEGER NOT NULL,                        -- last sign-in from it; rises
            PRIMARY KEY (member, network)
        ) STRICT, WITHOUT ROWID",
        // No foreign key to `key`: with one, each deletion of a key scanned this whole table.
        "CREATE TABLE key_caller (
            key        TEXT    NOT NULL, -- a key's ID; immutable
            network    TEXT    NOT NULL, -- a /24 or /48 of its uses; immutable
            seen_at_ms INTEGER NOT NULL, -- last use from it, to within a day; rises
            PRIMARY KEY (key, network)
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE key_end_notice (
            key        TEXT    PRIMARY KEY,                -- a key's ID; immutable
            expires_ms INTEGER NOT NULL,                   -- end of the key that was noticed; mutable
            days       INTEGER NOT NULL CHECK (days > 0)   -- days before it of the last notice; mutable
        ) STRICT, WITHOUT ROWID",
        "CREATE TRIGGER notices_of_keys_that_go AFTER DELETE ON key
            BEGIN
                DELETE FROM key_caller WHERE key = OLD.id;
                DELETE FROM key_end_notice WHERE key = OLD.id;
            END",
        "CREATE TABLE notice (
            number INTEGER PRIMARY KEY,                       -- rises; immutable
            kind   TEXT    NOT NULL,                          -- one of `NoticeKind`, or 'act'; immutable
            member TEXT    NOT NULL,                          -- who issued the key, or acted; immutable
            item   TEXT    NOT NULL CHECK (json_valid(item))  -- `NoticeItem` as JSON; immutable
        ) STRICT",
        "CREATE TABLE notice_off (
            member TEXT NOT NULL REFERENCES member (id), -- immutable
            kind   TEXT NOT NULL,                        -- one of `NoticeKind`, which is not mailed; immutable
            PRIMARY KEY (member, kind)
        ) STRICT, WITHOUT ROWID",
        "INSERT INTO due (kind, subject, at_ms, attempts) SELECT 'notice_key_ends', '', 0, 0 FROM account",
    ],
};
