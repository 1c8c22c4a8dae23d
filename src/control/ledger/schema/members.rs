//! The migration for members and invitations.

use crate::objects::sql::migrate::Migration;

/// Adds invitations, and members who were removed. The row of a removed member stays, because keys
/// and the audit trail name it.
pub(super) const MEMBERS: Migration = Migration {
    statements: &[
        // Time of the removal; NULL: a member. A removed member's `email` is its ID; mutable.
        "ALTER TABLE member ADD COLUMN removed_at_ms INTEGER",
        // Last use of a session that has ended; NULL: none has, or before this release; rises.
        "ALTER TABLE member ADD COLUMN seen_at_ms INTEGER",
        "CREATE TRIGGER member_seen_of_sessions_that_go AFTER DELETE ON session
            BEGIN UPDATE member SET seen_at_ms = max(ifnull(seen_at_ms, 0), OLD.seen_at_ms)
                WHERE id = OLD.member; END",
        "CREATE TABLE member_invitation (
            id            TEXT    PRIMARY KEY CHECK (length(id) = 10),       -- immutable
            member        TEXT    NOT NULL UNIQUE CHECK (length(member) = 11), -- ID of the member whom it creates; immutable
            token         TEXT    NOT NULL UNIQUE CHECK (length(token) = 10), -- ID within the present token; mutable
            digest        BLOB    NOT NULL CHECK (length(digest) = 32),      -- SHA-256 of its secret; mutable
            email         TEXT    NOT NULL UNIQUE,                           -- invited address, folded; immutable
            role          TEXT    NOT NULL CHECK (role IN ('owner', 'admin', 'viewer')), -- immutable
            language      TEXT    NOT NULL CHECK (language IN ('en', 'ja')), -- immutable
            invited_by    TEXT    NOT NULL REFERENCES member (id),           -- immutable
            created_at_ms INTEGER NOT NULL,                                  -- immutable
            expires_ms    INTEGER NOT NULL,                                  -- end of the present token; rises
            mails         INTEGER NOT NULL CHECK (mails > 0)                 -- mails so far, one for each token; rises
        ) STRICT, WITHOUT ROWID",
        // Memberships that the name object has not released yet, with the member's last address.
        "CREATE TABLE leaving (
            member TEXT PRIMARY KEY REFERENCES member (id), -- immutable
            email  TEXT NOT NULL                            -- immutable
        ) STRICT, WITHOUT ROWID",
    ],
};
