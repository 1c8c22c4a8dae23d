//! The migration for regenerated keys.

use crate::objects::sql::migrate::Migration;

/// Links a key with the successor that replaced it.
pub(super) const ROTATION: Migration = Migration {
    statements: &[
        // ID of the predecessor, also of one whose row is gone; NULL: it replaced none; immutable.
        "ALTER TABLE key ADD COLUMN replaces TEXT",
        // ID of the successor; NULL: it was not replaced; written once. Such a key has an expiry,
        // which never rises.
        "ALTER TABLE key ADD COLUMN replaced_by TEXT CHECK (replaced_by IS NULL OR expires_ms IS NOT NULL)",
        // For the count of keys at the limit.
        "CREATE INDEX key_replaced ON key (replaced_by) WHERE replaced_by IS NOT NULL AND state <> 'deleted'",
    ],
};
