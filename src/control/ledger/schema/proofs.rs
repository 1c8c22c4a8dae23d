//! Tables of proofs of identity.

use crate::objects::sql::migrate::Migration;

/// Adds mailed codes that prove a member's identity.
pub(super) const PROOFS: Migration = Migration {
    statements: &[
        "CREATE TABLE proof_code (
            session    TEXT    PRIMARY KEY CHECK (length(session) = 10), -- that it is for; immutable
            mac        BLOB    NOT NULL CHECK (length(mac) = 32),        -- of the present code; mutable
            mails      INTEGER NOT NULL CHECK (mails > 0),               -- codes so far; rises
            expires_ms INTEGER NOT NULL,                                 -- of the present code; mutable
            tries      INTEGER NOT NULL CHECK (tries >= 0)               -- refused ones of the present code; mutable
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX proof_code_expires ON proof_code (expires_ms)",
    ],
};
