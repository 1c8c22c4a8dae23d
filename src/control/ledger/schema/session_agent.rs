//! The migration for what a member recognises a session by.

use crate::objects::sql::migrate::Migration;

/// Adds to each session what a member recognises it by.
pub(super) const SESSION_AGENT: Migration = Migration {
    statements: &[
        // `User-Agent` at its beginning; NULL: none, or of an earlier release; immutable.
        "ALTER TABLE session ADD COLUMN agent TEXT",
        // Address of the last use; NULL: none, or as at its beginning; mutable.
        "ALTER TABLE session ADD COLUMN last_address TEXT",
        // Memberships of the person when it began; immutable.
        "ALTER TABLE session ADD COLUMN accounts INTEGER NOT NULL DEFAULT 1 CHECK (accounts > 0)",
    ],
};
