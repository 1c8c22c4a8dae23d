//! The ledger's schema. Migrations are append-only: a released migration is never edited, because
//! ledgers have already run it.
//!
//! Times are Unix milliseconds. *Immutable* columns are written once; *mutable* ones change in
//! place.

mod access;
mod addresses;
mod api_users;
mod factors;
mod members;
mod mfa;
mod networks;
mod notice_list;
mod notices;
mod passkeys;
mod policy;
mod proofs;
mod rotation;
mod session_agent;

use self::access::ACCESS_OPERATORS;
use self::addresses::ADDRESSES;
use self::api_users::API_USERS;
use self::factors::FACTORS;
use self::members::MEMBERS;
use self::mfa::MFA;
use self::networks::NETWORKS;
use self::notice_list::NOTICE_LIST;
use self::notices::NOTICES;
use self::passkeys::PASSKEYS;
use self::policy::POLICY;
use self::proofs::PROOFS;
use self::rotation::ROTATION;
use self::session_agent::SESSION_AGENT;
use crate::objects::sql::migrate::Migration;
use crate::objects::tasks;

/// All migrations, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    FIRST,
    PUBLICATION,
    OPERATOR,
    LEASE_DOCUMENT,
    ISSUING,
    SERVICE,
    VIEWING,
    DELETION,
    CALLERS,
    ACTIVITY,
    REVOKED_BY_ID,
    ISSUER_END,
    MAIL_REFUSED,
    CHEAP_ISSUES,
    VERIFIABLE_SEALED_ID,
    CHEAP_AUDIT,
    SUPERSEDED,
    NAME_ORDER,
    REFUSED_USES,
    LAST_USE,
    SESSION_AGENT,
    MEMBERS,
    ROTATION,
    POLICY,
    FACTORS,
    MFA,
    ACCESS_OPERATORS,
    NOTICES,
    PROOFS,
    ADDRESSES,
    PASSKEYS,
    NOTICE_LIST,
    API_USERS,
    NETWORKS,
];

/// Creates keys, members, sessions, journal and audit.
const FIRST: Migration = Migration {
    statements: &[
        tasks::TABLE,
        tasks::INDEX,
        "CREATE TABLE account (
            one          INTEGER PRIMARY KEY CHECK (one = 1),    -- there is one row
            id           TEXT    NOT NULL CHECK (length(id) = 8), -- of the account; immutable
            name         TEXT    NOT NULL,                       -- mutable
            zone         TEXT    NOT NULL,                       -- IANA name, as the database spells it; mutable
            freshness_s  INTEGER NOT NULL CHECK (freshness_s >= 0), -- T of promise P1, in seconds; mutable
            epoch        TEXT    NOT NULL CHECK (length(epoch) = 16), -- this history, in hex; mutable
            revision     INTEGER NOT NULL CHECK (revision >= 0), -- number of the last change; rises
            opened_at_ms INTEGER NOT NULL                        -- immutable
        ) STRICT",
        "CREATE TABLE member (
            id             TEXT    PRIMARY KEY CHECK (length(id) = 11), -- immutable
            name           TEXT    NOT NULL,                            -- mutable
            email          TEXT    NOT NULL UNIQUE,                     -- folded; the name object's name; mutable
            role           TEXT    NOT NULL CHECK (role IN ('owner', 'admin', 'viewer')), -- mutable
            language       TEXT    NOT NULL CHECK (language IN ('en', 'ja')), -- mutable
            secret_version INTEGER NOT NULL CHECK (secret_version >= 0), -- which password goes with the row; rises
            created_at_ms  INTEGER NOT NULL                             -- immutable
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE session (
            id            TEXT    PRIMARY KEY CHECK (length(id) = 10),      -- immutable
            digest        BLOB    NOT NULL CHECK (length(digest) = 32),     -- SHA-256 of the secret; immutable
            member        TEXT    NOT NULL REFERENCES member (id),          -- immutable
            address       TEXT,                                             -- where it began; immutable
            created_at_ms INTEGER NOT NULL,                                 -- immutable
            proven_at_ms  INTEGER NOT NULL,                                 -- last proof of identity; rises
            seen_at_ms    INTEGER NOT NULL                                  -- last use, coarse; rises
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX session_of_member ON session (member, created_at_ms)",
        // `limits` has the JSON form that records carry; the other columns exist for searching.
        "CREATE TABLE key (
            id            TEXT    PRIMARY KEY CHECK (length(id) = 18),      -- immutable
            digest        BLOB    NOT NULL CHECK (length(digest) = 32),     -- SHA-256 of the secret; immutable
            name          TEXT    NOT NULL,                                 -- mutable
            name_folded   TEXT    NOT NULL,                                 -- the name without case, for order; mutable
            state         TEXT    NOT NULL CHECK (state IN ('active', 'disabled', 'deleted')), -- mutable
            limits        TEXT    NOT NULL CHECK (json_valid(limits)),      -- JSON of `record::Limits`; mutable
            expires_ms    INTEGER,                                          -- end; NULL = never; as in limits; mutable
            created_at_ms INTEGER NOT NULL,                                 -- immutable
            created_by    TEXT    NOT NULL REFERENCES member (id),          -- immutable
            changed_at_ms INTEGER NOT NULL,                                 -- time of the last change; mutable
            changed_by    TEXT    NOT NULL REFERENCES member (id),          -- author of the last change; mutable
            revision      INTEGER NOT NULL UNIQUE CHECK (revision > 0)      -- number of the last change; rises
        ) STRICT, WITHOUT ROWID",
        // One index per sort order of the list. Deleted keys are tombstones and appear in no list.
        "CREATE INDEX key_by_created ON key (created_at_ms, id) WHERE state <> 'deleted'",
        "CREATE INDEX key_by_name ON key (name_folded, id) WHERE state <> 'deleted'",
        "CREATE INDEX key_by_expires ON key (ifnull(expires_ms, 9007199254740991), id) WHERE state <> 'deleted'",
        "CREATE INDEX key_by_changed ON key (changed_at_ms, id) WHERE state <> 'deleted'",
        "CREATE TABLE key_word (
            word TEXT NOT NULL,                         -- a folded word of the key's name; immutable
            key  TEXT NOT NULL REFERENCES key (id),     -- immutable
            PRIMARY KEY (word, key)
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX key_word_of_key ON key_word (key)",
        "CREATE TABLE key_network (
            block TEXT NOT NULL,                        -- a network of the key, in stored form; immutable
            key   TEXT NOT NULL REFERENCES key (id),    -- immutable
            PRIMARY KEY (block, key)
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX key_network_of_key ON key_network (key)",
        "CREATE TABLE idempotency (
            member          TEXT    NOT NULL REFERENCES member (id), -- who issued; immutable
            idempotency_key TEXT    NOT NULL,                        -- as the client chose it; immutable
            key             TEXT    NOT NULL REFERENCES key (id),    -- what it issued; immutable
            at_ms           INTEGER NOT NULL,                        -- immutable
            PRIMARY KEY (member, idempotency_key)
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX idempotency_at ON idempotency (at_ms)",
        "CREATE TABLE journal (
            revision INTEGER PRIMARY KEY CHECK (revision > 0), -- number of the change; immutable
            subject  TEXT    NOT NULL,                         -- what was changed: a key ID; immutable
            what     TEXT    NOT NULL,                         -- how: an `audit` action; immutable
            at_ms    INTEGER NOT NULL                          -- immutable
        ) STRICT",
        "CREATE TABLE audit (
            number   INTEGER PRIMARY KEY,                -- rises; immutable, as is the whole row
            at_ms    INTEGER NOT NULL,
            member   TEXT    NOT NULL,                   -- who
            action   TEXT    NOT NULL,                   -- what: one of `audit::Action`
            key      TEXT,                               -- to which key; NULL when to none
            address  TEXT,                               -- from where; NULL when the platform tells none
            revision INTEGER,                            -- number of the change; NULL when it was none
            before   TEXT    CHECK (json_valid(before)), -- name, state, limits of the key; NULL when there was none
            after    TEXT    CHECK (json_valid(after))   -- the same, afterwards
        ) STRICT",
        "CREATE INDEX audit_of_key ON audit (key, number)",
        "CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
            BEGIN SELECT raise(ABORT, 'audit rows are insert-only'); END",
        "CREATE TRIGGER audit_is_never_removed BEFORE DELETE ON audit
            BEGIN SELECT raise(ABORT, 'audit rows are insert-only'); END",
    ],
};

/// Creates publication (the state of KV), the account state that leases carry, and usage.
///
/// Earlier releases put records into KV without tracking them. So this migration ends the history.
/// Under the next one every such record is a miss, and the rebuild that a new history starts puts
/// them again.
const PUBLICATION: Migration = Migration {
    statements: &[
        // T of promise P1, in milliseconds; mutable. Supersedes `freshness_s`, which is still
        // written, rounded up.
        "ALTER TABLE account ADD COLUMN freshness_ms INTEGER NOT NULL DEFAULT 10000 CHECK (freshness_ms >= 0)",
        // T before its last change, in milliseconds, and the time until which leases may still use
        // it; mutable.
        "ALTER TABLE account ADD COLUMN freshness_before_ms INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE account ADD COLUMN freshness_before_until_ms INTEGER NOT NULL DEFAULT 0",
        // 1 if the operator has suspended the account; mutable.
        "ALTER TABLE account ADD COLUMN suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1))",
        // Revision of the last change of the account state that leases carry; 0: none yet; rises.
        "ALTER TABLE account ADD COLUMN state_revision INTEGER NOT NULL DEFAULT 0 CHECK (state_revision >= 0)",
        // Number of histories so far, this one included: a short name for `epoch`; rises.
        "ALTER TABLE account ADD COLUMN generation INTEGER NOT NULL DEFAULT 1 CHECK (generation > 0)",
        // 1 if the next request begins a new history; mutable.
        "ALTER TABLE account ADD COLUMN epoch_is_over INTEGER NOT NULL DEFAULT 0 CHECK (epoch_is_over IN (0, 1))",
        // The last epoch that the directory passed on after a restore; NULL: none yet; mutable.
        "ALTER TABLE account ADD COLUMN epoch_noted TEXT",
        "UPDATE account SET freshness_ms = 1000 * freshness_s, epoch_is_over = 1",
        // One row for every KV name of the account: keys, and orphans (names without a key).
        "CREATE TABLE publication (
            key                TEXT    PRIMARY KEY CHECK (length(key) = 18), -- the key's ID; immutable
            revision           INTEGER NOT NULL UNIQUE CHECK (revision > 0), -- the key's last change; rises
            generation         INTEGER NOT NULL CHECK (generation >= 0),     -- history that the rest counts in; rises
            base               INTEGER NOT NULL CHECK (base >= 0),           -- oldest that KV may hold of it; mutable
            acknowledged       INTEGER NOT NULL CHECK (acknowledged >= 0),   -- last that KV took of it, 0 = none; mutable
            acknowledged_at_ms INTEGER,                                      -- when; mutable
            settled            INTEGER NOT NULL CHECK (settled >= 0),        -- last that settled, 0 = none; mutable
            owed_at_ms         INTEGER,                                      -- since when KV lacks it; NULL = it does not
            sent_at_ms         INTEGER,                                      -- of the put under way; NULL = none is
            unsure_at_ms       INTEGER                                       -- of the last put of unknown fate; mutable
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX publication_unsettled ON publication (generation, key, revision)
            WHERE base < revision AND settled < revision",
        "CREATE INDEX publication_owed ON publication (owed_at_ms) WHERE owed_at_ms IS NOT NULL",
        "INSERT INTO publication (key, revision, generation, base, acknowledged, settled)
            SELECT id, revision, 0, 0, 0, 0 FROM key",
        "CREATE TABLE repair (
            one    INTEGER PRIMARY KEY CHECK (one = 1),                 -- there is one row at most
            phase  TEXT    NOT NULL CHECK (phase IN ('list', 'compare')), -- names in KV, then keys of ours; mutable
            cursor TEXT,                                                -- how far the phase is; NULL = begins; mutable
            begun_at_ms INTEGER NOT NULL                                -- begin of the round; immutable
        ) STRICT",
        "CREATE TABLE rebuild (
            one         INTEGER PRIMARY KEY CHECK (one = 1),  -- there is one row while a rebuild is on its way
            cursor      TEXT    NOT NULL,                     -- the last key that was owed a put; rises
            begun_at_ms INTEGER NOT NULL                      -- mutable: a rebuild may begin anew
        ) STRICT",
        "CREATE TABLE usage (
            key             TEXT    NOT NULL,                                -- a key's ID; immutable
            day             INTEGER NOT NULL,                                -- days since 1970 in UTC; immutable
            uses            INTEGER NOT NULL CHECK (uses >= 0),              -- let through; rises
            denials         INTEGER NOT NULL CHECK (denials >= 0),           -- refused with the right secret; rises
            last_used_at_ms INTEGER,                                         -- last let through; NULL = never; rises
            addresses       TEXT    NOT NULL CHECK (json_valid(addresses)),  -- JSON list, the latest first; mutable
            PRIMARY KEY (key, day)
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX usage_by_day ON usage (day)",
        "CREATE TABLE usage_isolate (
            isolate  TEXT    PRIMARY KEY CHECK (length(isolate) = 16), -- an isolate's own number, in hex; immutable
            sequence INTEGER NOT NULL,                                 -- its last batch; rises
            at_ms    INTEGER NOT NULL                                  -- when that came; rises
        ) STRICT, WITHOUT ROWID",
        "INSERT INTO due (kind, subject, at_ms, attempts) SELECT 'repair', '', 0, 0 FROM account",
    ],
};

/// Marks the operator's account, and lists the accounts that its owners invited.
const OPERATOR: Migration = Migration {
    statements: &[
        // 1 if the account's owners are the deployment's operators; immutable.
        "ALTER TABLE account ADD COLUMN operator INTEGER NOT NULL DEFAULT 0 CHECK (operator IN (0, 1))",
        // Until this migration, every account was the first of its deployment.
        "UPDATE account SET operator = 1",
        "CREATE TABLE invitation (
            member          TEXT    NOT NULL REFERENCES member (id), -- who invited; immutable
            idempotency_key TEXT    NOT NULL,                        -- as the client chose it; immutable
            account         TEXT    NOT NULL,                        -- whom: an account's ID; immutable
            at_ms           INTEGER NOT NULL,                        -- immutable
            PRIMARY KEY (member, idempotency_key)
        ) STRICT, WITHOUT ROWID",
        // Sends each account's name to the directory, which lists names from this release on.
        "INSERT OR REPLACE INTO due (kind, subject, at_ms, attempts) SELECT 'confirm_account', '', 0, 0 FROM account",
    ],
};

/// Creates the lease document's state. Triggers count every change that affects the document,
/// whichever code makes it.
const LEASE_DOCUMENT: Migration = Migration {
    statements: &[
        "CREATE TABLE lease_document (
            one                INTEGER PRIMARY KEY CHECK (one = 1),                  -- there is one row
            version            INTEGER NOT NULL,                                     -- of what it tells; rises
            acknowledged       INTEGER NOT NULL,                                     -- last that KV took, 0 = none; rises
            number             INTEGER NOT NULL CHECK (number >= 0),                 -- of the last that was sent; rises
            epoch              TEXT,                                                 -- what that one told of; mutable
            sent_at_ms         INTEGER,                                              -- when it was sent; mutable
            is_under_way       INTEGER NOT NULL CHECK (is_under_way IN (0, 1)),      -- whether it is; mutable
            acknowledged_at_ms INTEGER,                                              -- when KV took one last; mutable
            unsure_at_ms       INTEGER                                               -- of the last of unknown fate; mutable
        ) STRICT",
        "INSERT INTO lease_document (one, version, acknowledged, number, is_under_way) VALUES (1, 1, 0, 0, 0)",
        "CREATE TRIGGER lease_document_tells_new_keys AFTER INSERT ON publication
            BEGIN UPDATE lease_document SET version = version + 1; END",
        "CREATE TRIGGER lease_document_tells_keys AFTER UPDATE ON publication
            WHEN NEW.revision IS NOT OLD.revision OR NEW.generation IS NOT OLD.generation
                OR NEW.base IS NOT OLD.base OR NEW.settled IS NOT OLD.settled
            BEGIN UPDATE lease_document SET version = version + 1; END",
        "CREATE TRIGGER lease_document_tells_the_account AFTER UPDATE ON account
            WHEN NEW.revision IS NOT OLD.revision OR NEW.state_revision IS NOT OLD.state_revision
                OR NEW.epoch IS NOT OLD.epoch OR NEW.epoch_is_over IS NOT OLD.epoch_is_over
            BEGIN UPDATE lease_document SET version = version + 1; END",
    ],
};

/// Adds keys that issue keys, and the keys that they issue.
const ISSUING: Migration = Migration {
    statements: &[
        // JSON of `issuer::Ceiling`; NULL: the key may not issue; mutable.
        "ALTER TABLE key ADD COLUMN ceiling TEXT CHECK (json_valid(ceiling))",
        // Number of times that the keys it issued were ended; rises, also across removing and
        // re-adding the ceiling.
        "ALTER TABLE key ADD COLUMN sealing_generation INTEGER NOT NULL DEFAULT 0 CHECK (sealing_generation >= 0)",
        // A key's ID, or 'service'; NULL: a member issued it. If set, `created_by` is the member
        // responsible for the issuer; immutable.
        "ALTER TABLE key ADD COLUMN issued_by TEXT",
        // Sealing generation of the issuer at issue; NULL: a member issued it; immutable.
        "ALTER TABLE key ADD COLUMN issued_generation INTEGER CHECK ((issued_generation IS NULL) = (issued_by IS NULL))",
        "CREATE INDEX key_issued ON key (expires_ms) WHERE issued_by IS NOT NULL AND state <> 'deleted'",
        "CREATE TABLE revoked_sealed (
            id       TEXT    PRIMARY KEY CHECK (length(id) = 18), -- a sealed key's; immutable
            issuer   TEXT    NOT NULL,                            -- a key's ID, or 'service'; immutable
            until_ms INTEGER NOT NULL                             -- when it ends in any case; immutable
        ) STRICT, WITHOUT ROWID",
        // From this release on, the account state includes the zone, so every lease must load it
        // again.
        "UPDATE account SET revision = revision + 1, state_revision = revision + 1",
    ],
};

/// Creates the service credentials.
const SERVICE: Migration = Migration {
    statements: &[
        "CREATE TABLE service (
            one           INTEGER PRIMARY KEY CHECK (one = 1),             -- there is one row at most
            id            TEXT    NOT NULL CHECK (length(id) = 19),        -- the service ID; mutable
            digest        BLOB    NOT NULL CHECK (length(digest) = 32),    -- SHA-256 of the password; mutable
            sealed        TEXT    NOT NULL,                                -- the password, encrypted; mutable
            generation    INTEGER NOT NULL CHECK (generation >= 0),        -- the sealing generation; rises
            ceiling       TEXT    NOT NULL CHECK (json_valid(ceiling)),    -- JSON of `issuer::Ceiling`; mutable
            changed_at_ms INTEGER NOT NULL,                                -- time of the password's last change; mutable
            changed_by    TEXT             REFERENCES member (id),         -- author of the last change; NULL = none; mutable
            revision      INTEGER NOT NULL CHECK (revision >= 0)           -- number of the last change, 0 = none; rises
        ) STRICT",
    ],
};

/// Adds the column for viewable keys, whose secret can be shown again.
const VIEWING: Migration = Migration {
    statements: &[
        // The whole key, encrypted; NULL: it was shown once only; deleted with the row.
        "ALTER TABLE key ADD COLUMN sealed TEXT",
    ],
};

/// Adds deletions confirmed by a mailed code, restorable keys, deletion protection, and queued
/// mail.
const DELETION: Migration = Migration {
    statements: &[
        // 1 if the key is protected from deletion; mutable.
        "ALTER TABLE key ADD COLUMN protected INTEGER NOT NULL DEFAULT 0 CHECK (protected IN (0, 1))",
        // Time of the deletion; NULL: not deleted; mutable.
        "ALTER TABLE key ADD COLUMN deleted_at_ms INTEGER",
        // State (`active` or `disabled`) that a restored key returns to; NULL: not deleted;
        // mutable.
        "ALTER TABLE key ADD COLUMN returns_as TEXT CHECK (returns_as IN ('active', 'disabled'))",
        // Earlier releases said that deletion is final. So a key deleted before this one comes back
        // disabled.
        "UPDATE key SET deleted_at_ms = changed_at_ms, returns_as = 'disabled' WHERE state = 'deleted'",
        "CREATE INDEX key_deleted ON key (deleted_at_ms) WHERE deleted_at_ms IS NOT NULL",
        // From this release on, the list can include deleted keys until their rows are removed.
        "DROP INDEX key_by_created",
        "DROP INDEX key_by_name",
        "DROP INDEX key_by_expires",
        "DROP INDEX key_by_changed",
        // Supports the count against the limit of keys per account.
        "CREATE INDEX key_living ON key (id) WHERE state <> 'deleted'",
        "CREATE INDEX key_by_created ON key (created_at_ms, id)",
        "CREATE INDEX key_by_name ON key (name_folded, id)",
        "CREATE INDEX key_by_expires ON key (ifnull(expires_ms, 9007199254740991), id)",
        "CREATE INDEX key_by_changed ON key (changed_at_ms, id)",
        "INSERT INTO due (kind, subject, at_ms, attempts) SELECT 'scrub_keys', '', 0, 0 FROM account",
        "CREATE TABLE deletion (
            id          TEXT    PRIMARY KEY CHECK (length(id) = 10),      -- immutable
            member      TEXT    NOT NULL REFERENCES member (id),          -- who asked, and alone may confirm; immutable
            keys        TEXT    NOT NULL CHECK (json_valid(keys)),        -- JSON list of key IDs; immutable
            begun_at_ms INTEGER NOT NULL,                                 -- immutable
            mac         BLOB    NOT NULL CHECK (length(mac) = 32),        -- `Code::mac` of the present code; mutable
            codes       INTEGER NOT NULL CHECK (codes > 0),               -- codes that were mailed; rises
            expires_ms  INTEGER NOT NULL,                                 -- end of the present code; rises
            tries       INTEGER NOT NULL CHECK (tries BETWEEN 0 AND 5),   -- codes that were tried; rises
            done_at_ms  INTEGER                                           -- when it deleted; NULL = it has not; mutable
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX deletion_of_member ON deletion (member, begun_at_ms)",
        "CREATE TABLE mail (
            id              TEXT    PRIMARY KEY,                          -- name towards who delivers; immutable
            kind            TEXT    NOT NULL,                             -- of the letter, for counting; immutable
            member          TEXT    NOT NULL REFERENCES member (id),      -- to whom; immutable
            recipient       TEXT    NOT NULL,                             -- their address when it was written; immutable
            language        TEXT    NOT NULL,                             -- their language then; immutable
            letter          TEXT    NOT NULL CHECK (json_valid(letter)),  -- JSON of `mail::Letter`; immutable
            sealed          TEXT,                                         -- a code, encrypted; NULL = none, or no more
            created_at_ms   INTEGER NOT NULL,                             -- immutable
            useful_until_ms INTEGER NOT NULL,                             -- until when it is sent; immutable
            attempted_at_ms INTEGER,                                      -- last try; NULL = none; rises
            state           TEXT    NOT NULL
                CHECK (state IN ('queued', 'failing', 'sent', 'over', 'superseded')) -- mutable
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX mail_of_member ON mail (member, kind, created_at_ms)",
        "CREATE INDEX mail_attempted ON mail (attempted_at_ms) WHERE attempted_at_ms IS NOT NULL",
        "CREATE INDEX mail_created ON mail (created_at_ms)",
    ],
};

/// Adds the addresses and the hours of the day from which a key was used.
const CALLERS: Migration = Migration {
    statements: &[
        // JSON list of uses by hour of the day in UTC; empty: not reported, or removed by age;
        // mutable.
        "ALTER TABLE usage ADD COLUMN hours TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(hours))",
        // JSON list of `refresh::Caller`, latest first; empty: not reported, or removed by age;
        // mutable.
        "ALTER TABLE usage ADD COLUMN callers TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(callers))",
        "CREATE INDEX usage_to_fade ON usage (day) WHERE callers <> '[]'",
    ],
};

/// Creates the indexes by which activity is filtered, in its order.
const ACTIVITY: Migration = Migration {
    statements: &[
        "CREATE INDEX audit_in_time ON audit (at_ms, number)",
        "CREATE INDEX audit_of_key_in_time ON audit (key, at_ms, number)",
        "CREATE INDEX audit_of_actor_in_time ON audit (member, at_ms, number)",
        "CREATE INDEX audit_of_action_in_time ON audit (action, at_ms, number)",
    ],
};

/// Creates the list of sealed keys that were revoked by their ID.
const REVOKED_BY_ID: Migration = Migration {
    statements: &[
        // 1 if the issuer is certain because the sealed key itself named it; immutable.
        "ALTER TABLE revoked_sealed ADD COLUMN proven INTEGER NOT NULL DEFAULT 0 CHECK (proven IN (0, 1))",
    ],
};

/// Records the time at which all keys of an issuer's sealing generation ended.
const ISSUER_END: Migration = Migration {
    statements: &[
        "CREATE TABLE issuer_end (
            issuer     TEXT    NOT NULL,                          -- a key's ID, or 'service'; immutable
            generation INTEGER NOT NULL CHECK (generation >= 0),  -- the sealing generation that ended; immutable
            at_ms      INTEGER NOT NULL,                          -- when; immutable
            PRIMARY KEY (issuer, generation)
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX issuer_end_at ON issuer_end (at_ms)",
        "CREATE INDEX key_of_issuer ON key (issued_by, issued_generation) WHERE issued_by IS NOT NULL",
        // For generations that ended earlier: the time of the issuer's last change, the best
        // estimate available.
        "INSERT INTO issuer_end (issuer, generation, at_ms)
            SELECT key.issued_by, key.issued_generation, max(ifnull(issuer.changed_at_ms, key.changed_at_ms))
            FROM key LEFT JOIN key AS issuer ON issuer.id = key.issued_by
            WHERE key.issued_by IS NOT NULL AND key.issued_by <> 'service'
                AND (issuer.id IS NULL OR issuer.sealing_generation > key.issued_generation)
            GROUP BY 1, 2",
        "INSERT INTO issuer_end (issuer, generation, at_ms)
            SELECT 'service', key.issued_generation, max(service.changed_at_ms) FROM key JOIN service
            WHERE key.issued_by = 'service' AND service.generation > key.issued_generation GROUP BY 2",
        "INSERT INTO due (kind, subject, at_ms, attempts) SELECT 'sweep_issued', '', 0, 0 FROM issuer_end WHERE true LIMIT 1
            ON CONFLICT DO UPDATE SET at_ms = 0",
    ],
};

/// Adds mail that the mail service has refused permanently.
const MAIL_REFUSED: Migration = Migration {
    statements: &[
        // 1 if the message was refused permanently; its state is then 'over'; mutable.
        "ALTER TABLE mail ADD COLUMN refused INTEGER NOT NULL DEFAULT 0 CHECK (refused IN (0, 1))",
    ],
};

/// Makes the cost of an issue independent of the number of keys.
const CHEAP_ISSUES: Migration = Migration {
    statements: &[
        // Number of keys of each kind, maintained by the triggers below for every writer. There is
        // no constraint: a wrong count must never prevent switching off a key.
        "CREATE TABLE key_tally (
            one     INTEGER PRIMARY KEY CHECK (one = 1), -- there is one row
            members INTEGER NOT NULL,                    -- keys that members issued, deleted ones left out; mutable
            issuers INTEGER NOT NULL,                    -- stored keys that issuers issued, deleted ones left out; mutable
            deleted INTEGER NOT NULL                     -- deleted keys whose row is still there; mutable
        ) STRICT",
        "INSERT INTO key_tally (one, members, issuers, deleted)
            SELECT 1, count(CASE WHEN state <> 'deleted' AND issued_by IS NULL THEN 1 END),
                count(CASE WHEN state <> 'deleted' AND issued_by IS NOT NULL THEN 1 END),
                count(CASE WHEN state = 'deleted' THEN 1 END)
            FROM key",
        "CREATE TRIGGER key_tally_of_new_keys AFTER INSERT ON key
            BEGIN UPDATE key_tally SET
                members = members + (NEW.state <> 'deleted' AND NEW.issued_by IS NULL),
                issuers = issuers + (NEW.state <> 'deleted' AND NEW.issued_by IS NOT NULL),
                deleted = deleted + (NEW.state = 'deleted'); END",
        "CREATE TRIGGER key_tally_of_keys_that_go AFTER DELETE ON key
            BEGIN UPDATE key_tally SET
                members = members - (OLD.state <> 'deleted' AND OLD.issued_by IS NULL),
                issuers = issuers - (OLD.state <> 'deleted' AND OLD.issued_by IS NOT NULL),
                deleted = deleted - (OLD.state = 'deleted'); END",
        "CREATE TRIGGER key_tally_of_changed_keys AFTER UPDATE OF state ON key
            WHEN (NEW.state = 'deleted') <> (OLD.state = 'deleted')
            BEGIN UPDATE key_tally SET
                members = members + (NEW.issued_by IS NULL) * ((NEW.state <> 'deleted') - (OLD.state <> 'deleted')),
                issuers = issuers + (NEW.issued_by IS NOT NULL) * ((NEW.state <> 'deleted') - (OLD.state <> 'deleted')),
                deleted = deleted + (NEW.state = 'deleted') - (OLD.state = 'deleted'); END",
        "DROP INDEX key_living",
        // No foreign key to `key`: with one, each insert or delete of a key scanned this whole
        // table. Since `API_USERS`, some rows have the ID of an API user, and some a text with a
        // prefix: `idempotency` has the forms.
        "CREATE TABLE idempotency_without_reference (
            member          TEXT    NOT NULL REFERENCES member (id), -- who issued; immutable
            idempotency_key TEXT    NOT NULL,                        -- as the client chose it; immutable
            key             TEXT    NOT NULL,                        -- what it issued: a key's ID, also of one that is gone; immutable
            at_ms           INTEGER NOT NULL,                        -- immutable
            PRIMARY KEY (member, idempotency_key)
        ) STRICT, WITHOUT ROWID",
        "INSERT INTO idempotency_without_reference SELECT member, idempotency_key, key, at_ms FROM idempotency",
        "DROP TABLE idempotency",
        "ALTER TABLE idempotency_without_reference RENAME TO idempotency",
        "CREATE INDEX idempotency_at ON idempotency (at_ms)",
    ],
};

/// Sealed-key IDs now contain a generation and a tag. Sealed keys with an older ID are no longer
/// accepted, so this drops all data about them.
const VERIFIABLE_SEALED_ID: Migration = Migration {
    statements: &[
        "DROP TABLE revoked_sealed",
        "CREATE TABLE revoked_sealed (
            id       TEXT    PRIMARY KEY CHECK (length(id) = 35), -- a sealed key's, which lived; immutable
            issuer   TEXT    NOT NULL,                            -- its issuer: a key's ID, or 'service'; immutable
            until_ms INTEGER NOT NULL                             -- when it has ended by every clock; immutable
        ) STRICT, WITHOUT ROWID",
    ],
};

/// Finds the keys of which KV may hold an earlier record. One index serves this question and that
/// for unsettled keys, so that a change writes as many rows as before.
const SUPERSEDED: Migration = Migration {
    statements: &[
        "DROP INDEX publication_unsettled",
        "CREATE INDEX publication_superseded ON publication (generation, settled < revision, key, revision)
            WHERE base < revision",
    ],
};

/// Drops an index on audit rows, which are only read in order of time.
const CHEAP_AUDIT: Migration = Migration { statements: &["DROP INDEX audit_of_key"] };

/// Adds the natural order of names, and lets a search find any part of a name.
///
/// SQL cannot fold a text, so each key keeps its order until the task `fold_names` reaches it.
const NAME_ORDER: Migration = Migration {
    statements: &[
        // The name as lists order it: `name_order`; mutable. `name_folded` is for search alone.
        "ALTER TABLE key ADD COLUMN name_order TEXT NOT NULL DEFAULT ''",
        "DROP INDEX key_by_name",
        "UPDATE key SET name_order = name_folded",
        // Holds the folded name, because a search reads all of them.
        "CREATE INDEX key_by_name ON key (name_order, id, name_folded)",
        "DROP TABLE key_word",
        "CREATE TABLE name_folding (
            one    INTEGER PRIMARY KEY CHECK (one = 1), -- there is one row while names are folded anew
            cursor TEXT    NOT NULL                     -- the last key that was; rises
        ) STRICT",
        "INSERT INTO name_folding (one, cursor) SELECT 1, '' FROM account",
        "INSERT INTO due (kind, subject, at_ms, attempts) SELECT 'fold_names', '', 0, 0 FROM account",
    ],
};

/// Adds refused requests by reason, apart from those that were let through.
const REFUSED_USES: Migration = Migration {
    statements: &[
        // JSON: by reason, the number in each UTC hour that has any; emptied with age; mutable.
        "ALTER TABLE usage ADD COLUMN refusals TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(refusals))",
        // Last refused request; NULL: none, or reported by an edge of an earlier release; rises.
        "ALTER TABLE usage ADD COLUMN last_refused_at_ms INTEGER",
        "DROP INDEX usage_to_fade",
        "CREATE INDEX usage_to_fade ON usage (day) WHERE callers <> '[]' OR refusals <> '{}'",
    ],
};

/// Adds the last use to the row of a key, so that lists are ordered and filtered by it.
const LAST_USE: Migration = Migration {
    statements: &[
        // Time of the last accepted request, as the rows of `usage` say, to within ten minutes;
        // NULL: none; rises. The triggers below maintain it for every writer. A finer time would
        // write two rows more each time that a key's usage is written.
        "ALTER TABLE key ADD COLUMN last_used_ms INTEGER",
        "UPDATE key SET last_used_ms = (SELECT max(last_used_at_ms) FROM usage WHERE usage.key = key.id)",
        "CREATE INDEX key_by_used ON key (ifnull(last_used_ms, 0), id)",
        "CREATE TRIGGER key_last_use_of_new_usage AFTER INSERT ON usage WHEN NEW.last_used_at_ms IS NOT NULL
            BEGIN UPDATE key SET last_used_ms = NEW.last_used_at_ms
                WHERE id = NEW.key AND ifnull(last_used_ms, 0) <= NEW.last_used_at_ms - 600000; END",
        "CREATE TRIGGER key_last_use_of_changed_usage AFTER UPDATE OF last_used_at_ms ON usage WHEN NEW.last_used_at_ms IS NOT NULL
            BEGIN UPDATE key SET last_used_ms = NEW.last_used_at_ms
                WHERE id = NEW.key AND ifnull(last_used_ms, 0) <= NEW.last_used_at_ms - 600000; END",
    ],
};
