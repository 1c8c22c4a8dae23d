//! The migration for the list of past notices.

use crate::objects::sql::migrate::Migration;

/// Adds the past notices of each member.
pub(super) const NOTICE_LIST: Migration = Migration {
    statements: &[
        "CREATE TABLE member_notice (
            member TEXT    NOT NULL REFERENCES member (id),    -- recipient; immutable
            number INTEGER NOT NULL CHECK (number > 0),        -- rises for each member; immutable
            at_ms  INTEGER NOT NULL,                           -- immutable
            letter TEXT    NOT NULL CHECK (json_valid(letter)), -- JSON of `envelope::Letter`; immutable
            PRIMARY KEY (member, number)
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX member_notice_at ON member_notice (at_ms)",
        // Number of the last notice that the member has looked at; rises.
        "ALTER TABLE member ADD COLUMN notices_read INTEGER NOT NULL DEFAULT 0 CHECK (notices_read >= 0)",
    ],
};
