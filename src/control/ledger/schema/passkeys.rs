//! The migration for passkeys.

use crate::objects::sql::migrate::Migration;

/// Adds passkeys, and the challenges that they have answered.
pub(super) const PASSKEYS: Migration = Migration {
    statements: &[
        "CREATE TABLE passkey (
            id              TEXT    PRIMARY KEY CHECK (length(id) = 10),          -- name towards the member; immutable
            member          TEXT    NOT NULL REFERENCES member (id),              -- immutable
            credential      TEXT    NOT NULL UNIQUE,                              -- its ID, in base64url; immutable
            public_key      BLOB    NOT NULL CHECK (length(public_key) = 65),     -- point on P-256, uncompressed; immutable
            counter         INTEGER NOT NULL CHECK (counter >= 0),                -- signature counter; rises
            name            TEXT    NOT NULL,                                     -- mutable
            transports      TEXT    NOT NULL CHECK (json_valid(transports)),      -- JSON list of hints for browsers; immutable
            backup_eligible INTEGER NOT NULL CHECK (backup_eligible IN (0, 1)),   -- 1 if it may be copied; immutable
            backed_up       INTEGER NOT NULL CHECK (backed_up IN (0, 1)),         -- 1 if it was copied; mutable
            created_at_ms   INTEGER NOT NULL,                                     -- immutable
            used_at_ms      INTEGER                                               -- last use; NULL: none; rises
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX passkey_of_member ON passkey (member, created_at_ms, id)",
        // So that a challenge is answered once.
        "CREATE TABLE passkey_challenge (
            digest   BLOB    PRIMARY KEY CHECK (length(digest) = 32), -- SHA-256 of the challenge; immutable
            until_ms INTEGER NOT NULL                                 -- time from which its age refuses it; immutable
        ) STRICT, WITHOUT ROWID",
    ],
};
