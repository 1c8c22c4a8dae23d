//! The migration for the policy of the account.

use crate::objects::sql::migrate::Migration;

/// Adds the policy, and finds the keys of a member. An account without a row has the preset
/// *portal*.
pub(super) const POLICY: Migration = Migration {
    statements: &[
        "CREATE TABLE policy (
            one      INTEGER PRIMARY KEY CHECK (one = 1), -- there is one row, or none
            policy   TEXT    NOT NULL CHECK (json_valid(policy)), -- JSON of `policy::Policy`; mutable
            revision INTEGER NOT NULL CHECK (revision > 0) -- number of changes; rises
        ) STRICT",
        // Keys that members issued, without those that issuers issued and deleted ones.
        "CREATE INDEX key_of_member ON key (created_by)
            WHERE issued_by IS NULL AND deleted_at_ms IS NULL",
    ],
};
