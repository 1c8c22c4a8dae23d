//! The migration for API users.

use crate::objects::sql::migrate::Migration;

/// Adds API users. They share revisions, `publication` and `usage` with keys, and have none of a
/// key's other rows.
pub(super) const API_USERS: Migration = Migration {
    statements: &[
        // `limits` has the JSON form that records carry.
        "CREATE TABLE api_user (
            id             TEXT    PRIMARY KEY CHECK (length(id) = 18),      -- immutable
            name           TEXT    NOT NULL UNIQUE,                          -- e-mail address in lower case; mutable
            state          TEXT    NOT NULL CHECK (state IN ('active', 'disabled', 'deleted')), -- disabled: locked; mutable
            secret_version INTEGER NOT NULL CHECK (secret_version > 0),      -- secret that counts; rises
            user_group     TEXT    NOT NULL CHECK (user_group IN ('admin', 'normal')), -- mutable
            own_data_only  INTEGER NOT NULL CHECK (own_data_only IN (0, 1)), -- mutable
            zone           TEXT    NOT NULL,                                 -- IANA name; mutable
            limits         TEXT    NOT NULL CHECK (json_valid(limits)),      -- JSON of `record::Limits`; mutable
            deleted_at_ms  INTEGER CHECK ((deleted_at_ms IS NOT NULL) = (state = 'deleted')), -- NULL: not deleted; mutable
            returns_as     TEXT    CHECK (returns_as IN ('active', 'disabled')), -- as for keys; mutable
            created_at_ms  INTEGER NOT NULL,                                 -- immutable
            created_by     TEXT    NOT NULL REFERENCES member (id),          -- immutable
            changed_at_ms  INTEGER NOT NULL,                                 -- time of the last change; mutable
            changed_by     TEXT    NOT NULL REFERENCES member (id),          -- author of the last change; mutable
            last_used_ms   INTEGER,                                          -- as for keys; rises
            revision       INTEGER NOT NULL UNIQUE CHECK (revision > 0)      -- number of the last change; rises
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX api_user_by_created ON api_user (created_at_ms, id)",
        "CREATE INDEX api_user_by_name ON api_user (name, id)",
        "CREATE INDEX api_user_by_changed ON api_user (changed_at_ms, id)",
        "CREATE INDEX api_user_by_used ON api_user (ifnull(last_used_ms, 0), id)",
        "CREATE INDEX api_user_deleted ON api_user (deleted_at_ms) WHERE deleted_at_ms IS NOT NULL",
        "CREATE TRIGGER api_user_last_use_of_new_usage AFTER INSERT ON usage WHEN NEW.last_used_at_ms IS NOT NULL
            BEGIN UPDATE api_user SET last_used_ms = NEW.last_used_at_ms
                WHERE id = NEW.key AND ifnull(last_used_ms, 0) <= NEW.last_used_at_ms - 600000; END",
        "CREATE TRIGGER api_user_last_use_of_changed_usage AFTER UPDATE OF last_used_at_ms ON usage WHEN NEW.last_used_at_ms IS NOT NULL
            BEGIN UPDATE api_user SET last_used_ms = NEW.last_used_at_ms
                WHERE id = NEW.key AND ifnull(last_used_ms, 0) <= NEW.last_used_at_ms - 600000; END",
    ],
};
