//! The migration for second factors.

use crate::objects::sql::migrate::Migration;

/// Adds second factors, and sign-ins that wait for one.
pub(super) const FACTORS: Migration = Migration {
    statements: &[
        // Method of the last proof of identity, as `ProofMethod` names it; mutable.
        "ALTER TABLE session ADD COLUMN proven_by TEXT NOT NULL DEFAULT 'password'",
        // Authenticator apps.
        "CREATE TABLE totp (
            member          TEXT    PRIMARY KEY REFERENCES member (id), -- immutable
            sealed          TEXT    NOT NULL,                           -- seed, encrypted for account and member; mutable until confirmed
            begun_at_ms     INTEGER NOT NULL,                           -- mutable until confirmed
            confirmed_at_ms INTEGER,                                    -- NULL: waits for its first code; written once
            last_step       INTEGER NOT NULL                            -- step of the last accepted code; rises
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE recovery_code (
            member     TEXT NOT NULL REFERENCES member (id),  -- immutable
            mac        BLOB NOT NULL CHECK (length(mac) = 32), -- immutable
            generation TEXT NOT NULL,                         -- generation of the master secret that made the MAC; immutable
            PRIMARY KEY (member, mac)
        ) STRICT, WITHOUT ROWID",
        // Refused codes of a member within the present window.
        "CREATE TABLE factor_try (
            member   TEXT    PRIMARY KEY REFERENCES member (id), -- immutable
            since_ms INTEGER NOT NULL,                           -- first one in the window; mutable
            tries    INTEGER NOT NULL CHECK (tries > 0)          -- mutable
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE challenge (
            id             TEXT    PRIMARY KEY CHECK (length(id) = 10), -- ID within the token; immutable
            digest         BLOB    NOT NULL CHECK (length(digest) = 32), -- SHA-256 of its secret; immutable
            member         TEXT    NOT NULL REFERENCES member (id),     -- immutable
            secret_version INTEGER NOT NULL,                            -- version of the verified password; immutable
            accounts       INTEGER NOT NULL CHECK (accounts > 0),       -- memberships of the person; immutable
            began_ms       INTEGER,                                     -- begin of the session that it continues; NULL: none; immutable
            created_at_ms  INTEGER NOT NULL,                            -- immutable
            tries          INTEGER NOT NULL                             -- refused codes; rises
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX challenge_of_member ON challenge (member, created_at_ms)",
        "CREATE INDEX challenge_created ON challenge (created_at_ms)",
    ],
};
