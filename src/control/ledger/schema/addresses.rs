//! The migration for changes of a member's address.

use crate::objects::sql::migrate::Migration;

/// Adds the version of a member's address.
pub(super) const ADDRESSES: Migration = Migration {
    statements: &[
        // Number of changes of the person's address that the row has followed; rises.
        "ALTER TABLE member ADD COLUMN address_version INTEGER NOT NULL DEFAULT 0 CHECK (address_version >= 0)",
    ],
};
