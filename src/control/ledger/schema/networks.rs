//! The migration for account-wide networks, and for networks that are tried on a key.

use crate::objects::sql::migrate::Migration;

/// Adds the account's networks: one row, or none before the first change.
pub(super) const NETWORKS: Migration = Migration {
    statements: &[
        "CREATE TABLE account_networks (
            one           INTEGER PRIMARY KEY CHECK (one = 1),           -- there is one row, or none
            list          TEXT    NOT NULL CHECK (json_valid(list)),     -- JSON of `account_networks::NetworkList`; mutable
            revision      INTEGER NOT NULL CHECK (revision > 0),         -- number of changes; rises
            changed_at_ms INTEGER NOT NULL,                              -- time of the last change; mutable
            changed_by    TEXT    REFERENCES member (id)                 -- its author; NULL: the operator; mutable
        ) STRICT",
        // Networks that are tried on the key, as a JSON list; NULL: none. They are in no record;
        // mutable.
        "ALTER TABLE key ADD COLUMN networks_observed TEXT CHECK (json_valid(networks_observed))",
    ],
};
