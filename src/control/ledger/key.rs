//! A key's row: reading it, writing it with its search index, and its views.

use std::collections::BTreeMap;

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::{Ceiling, Issued, Issuer, Issuing, SealingGeneration};
use claviger_core::credential::limits::Limits;
use claviger_core::credential::limits::network::Networks;
use claviger_core::replication::record::{Credential, Record, Revision, Standing};

use super::account::Account;
use crate::ledger::name_order::name_order;
use crate::objects::object::TaskStep;
use crate::objects::search_terms::fold;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement, Value};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::draft::Decided;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::keys::{IssuedBy, KeyView, MemberWithoutMfa, RESTORABLE};

/// The state of a key, apart from expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The key is enabled.
    Active,
    /// The key is disabled.
    Disabled,
    /// The key is refused like an unknown one, and can be restored within the restore period.
    Deleted {
        /// Time of the deletion, Unix ms.
        at: UnixMs,
        /// `true` if a restore enables the key.
        enabled: bool,
    },
}

impl State {
    /// Returns the stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Deleted { .. } => "deleted",
        }
    }

    /// Returns the state of a key that is not deleted.
    pub fn of(enabled: bool) -> Self {
        if enabled { Self::Active } else { Self::Disabled }
    }

    /// Returns `true` if the key is enabled; for a deleted key, if it was.
    pub fn is_enabled(self) -> bool {
        match self {
            Self::Active => true,
            Self::Disabled => false,
            Self::Deleted { enabled, .. } => enabled,
        }
    }

    /// Returns the time of the deletion, Unix ms.
    pub fn deleted_at(self) -> Option<UnixMs> {
        match self {
            Self::Active | Self::Disabled => None,
            Self::Deleted { at, .. } => Some(at),
        }
    }

    /// Returns the stored name of the state that a restored key returns to; `None` if the key is
    /// not deleted.
    pub fn returns_as(self) -> Option<&'static str> {
        self.deleted_at().map(|_| Self::of(self.is_enabled()).as_str())
    }

    /// Reads the three columns of a state.
    pub fn read(row: &mut Row) -> Result<Self, SqlError> {
        let (state, deleted_at, returns_as) = (row.text()?, row.optional_time()?, row.text()?);
        match (state.as_str(), deleted_at) {
            ("active", None) => Ok(Self::Active),
            ("disabled", None) => Ok(Self::Disabled),
            ("deleted", Some(at)) => Ok(Self::Deleted { at, enabled: returns_as == "active" }),
            _ => Err(SqlError::Column { column: 3, expected: "a state" }),
        }
    }
}

/// The author and time of a change of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Time of the change, Unix ms.
    pub at: UnixMs,
    /// Member who made it.
    pub member: MemberId,
    /// Present name of that member.
    pub name: String,
}

/// A key as the ledger stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// ID of the key.
    pub id: KeyId,
    /// Digest of its secret.
    pub digest: Digest,
    /// Name of the key.
    pub name: String,
    /// Enabled, disabled or deleted.
    pub state: State,
    /// Limits on its use.
    pub limits: Limits,
    /// Stamp of its issue.
    pub created: Stamp,
    /// Time and responsible member of its last change.
    pub changed: Stamp,
    /// Revision of its last change.
    pub revision: Revision,
    /// `true` if it is protected from deletion.
    pub protected: bool,
    /// Time of the last accepted request, Unix ms, as the edge has reported; read only.
    pub last_used_at: Option<UnixMs>,
    /// Ceiling for keys that it issues; `None`: it may not issue.
    pub ceiling: Option<Ceiling>,
    /// Its sealing generation: that of the keys that it issues, and of its tokens. It never falls,
    /// even when the ceiling is removed.
    pub sealing: SealingGeneration,
    /// Issuer, if it is not a member. The stamps then name the member who is responsible for the
    /// issuer.
    pub issued: Option<Issued>,
    /// Present name of its issuer, if that is a key; read only.
    pub issuer_name: Option<String>,
    /// `true` if its issuer's sealing generation has ended; read only.
    pub ended: bool,
    /// `true` if its secret is stored, encrypted; only [`keep`] writes it.
    pub viewable: bool,
    /// Networks that are tried on it, and refuse no caller; empty for none. No record has them.
    pub observed: Networks,
    /// Predecessor that it replaced, if its row is still there; never changes.
    pub replaces: Option<KeyId>,
    /// Successor that replaced it. It stays, and the key's expiry never rises from then on.
    pub replaced_by: Option<KeyId>,
    /// Expiry of the predecessor, Unix ms, if that is enabled; read only.
    pub overlap_until: Option<UnixMs>,
    /// Member who answers for it, if that member has no MFA, demanded or not; read only.
    pub without_mfa: Option<MemberWithoutMfa>,
}

/// ID of the member who answers for the MFA of a key, as in the records of the edge: who issued it
/// or the key that issued it. The service password is no member's.
macro_rules! answering_member {
    () => {
        "CASE WHEN key.issued_by IS NULL THEN key.created_by
        ELSE (SELECT issuer.created_by FROM key AS issuer WHERE issuer.id = key.issued_by) END"
    };
}

/// Holds for keys of which [`Key::without_mfa`] is set.
pub const IS_WITHOUT_MFA: &str = concat!(
    "EXISTS (SELECT 1 FROM member WHERE member.mfa = 0 AND member.id = ",
    answering_member!(),
    ")"
);

/// The columns of a key, in the order of [`Key::read`].
pub const COLUMNS: &str = "key.id, key.digest, key.name, key.state, key.deleted_at_ms, ifnull(key.returns_as, ''), key.limits,
    key.created_at_ms, key.created_by, creator.name, key.changed_at_ms, key.changed_by, changer.name, key.revision,
    key.protected, (SELECT max(last_used_at_ms) FROM usage WHERE usage.key = key.id),
    ifnull(key.ceiling, ''), key.sealing_generation, ifnull(key.issued_by, ''), ifnull(key.issued_generation, 0),
    ifnull((SELECT issuer.name FROM key AS issuer WHERE issuer.id = key.issued_by), ''),
    key.sealed IS NOT NULL,
    EXISTS (SELECT 1 FROM issuer_end WHERE issuer_end.issuer = key.issued_by AND issuer_end.generation = key.issued_generation),
    ifnull((SELECT former.id FROM key AS former WHERE former.id = key.replaces), ''), ifnull(key.replaced_by, ''),
    (SELECT former.expires_ms FROM key AS former WHERE former.id = key.replaces AND former.state = 'active'),
    ifnull(answering.id, ''), ifnull(answering.name, ''), answering.removed_at_ms IS NOT NULL,
    ifnull(key.networks_observed, '[]')";

/// The joins that supply the members in [`COLUMNS`]. They are `LEFT JOIN`s, so that a search always
/// starts from the keys.
pub const MEMBERS: &str = concat!(
    "LEFT JOIN member AS creator ON creator.id = key.created_by
    LEFT JOIN member AS changer ON changer.id = key.changed_by
    LEFT JOIN member AS answering ON answering.mfa = 0 AND answering.id = ",
    answering_member!()
);

impl Key {
    /// Loads the key with this ID, even if it is deleted.
    pub fn load(sql: &dyn Sql, id: KeyId) -> Result<Option<Self>, SqlError> {
        let text = format!("SELECT {COLUMNS} FROM key {MEMBERS} WHERE key.id = ?");
        let row = sql.first(&Statement::new(text).bind(id.as_str()))?;
        row.map(|mut row| Self::read(&mut row)).transpose()
    }

    /// Loads the keys with these IDs, deleted ones included, in no order and with one statement.
    pub fn load_many(sql: &dyn Sql, ids: &[KeyId]) -> Result<Vec<Self>, SqlError> {
        let text = format!(
            "SELECT {COLUMNS} FROM key {MEMBERS} WHERE key.id IN (SELECT value FROM json_each(?))"
        );
        sql.read_all(&Statement::new(text).bind(json(&ids)), |mut row| Self::read(&mut row))
    }

    /// Loads the keys that a member issued, deleted ones excluded, the oldest first.
    pub fn load_of_member(sql: &dyn Sql, member: MemberId) -> Result<Vec<Self>, SqlError> {
        let text = format!(
            "SELECT {COLUMNS} FROM key INDEXED BY key_of_member {MEMBERS}
            WHERE key.created_by = ? AND key.issued_by IS NULL AND key.deleted_at_ms IS NULL
            ORDER BY key.created_at_ms, key.id"
        );
        sql.read_all(&Statement::new(text).bind(member.as_str()), |mut row| Self::read(&mut row))
    }

    /// Reads the columns of [`COLUMNS`], and leaves those that follow.
    pub fn read(row: &mut Row) -> Result<Self, SqlError> {
        let mut key = Self {
            id: row.parsed("a key ID", KeyId::parse)?,
            digest: Digest::from_bytes(row.bytes()?),
            name: row.text()?,
            state: State::read(row)?,
            limits: row.parsed("limits", |json| serde_json::from_str(json).ok())?,
            created: Stamp::read(row)?,
            changed: Stamp::read(row)?,
            revision: row.revision()?,
            protected: row.integer()? != 0,
            last_used_at: row.optional_time()?,
            ceiling: row.parsed("a ceiling", |json| match json {
                "" => Some(None),
                json => serde_json::from_str(json).ok().map(Some),
            })?,
            sealing: SealingGeneration(row.count()?),
            issued: None,
            issuer_name: None,
            ended: false,
            viewable: false,
            observed: Networks::anywhere(),
            replaces: None,
            replaced_by: None,
            overlap_until: None,
            without_mfa: None,
        };
        let issuer = row.parsed("an issuer", |text| match text {
            "" => Some(None),
            text => Issuer::parse(text).map(Some),
        })?;
        let generation = SealingGeneration(row.count()?);
        key.issued = issuer.map(|by| Issued { by, generation, at: key.created.at });
        key.issuer_name = Some(row.text()?).filter(|name| !name.is_empty());
        key.viewable = row.integer()? != 0;
        key.ended = row.integer()? != 0;
        let mut linked = || {
            row.parsed("a key ID", |text| match text {
                "" => Some(None),
                text => KeyId::parse(text).map(Some),
            })
        };
        (key.replaces, key.replaced_by) = (linked()?, linked()?);
        key.overlap_until = row.optional_time()?;
        let id = row.parsed("a member ID", |text| match text {
            "" => Some(None),
            text => MemberId::parse(text).map(Some),
        })?;
        let (name, removed) = (row.text()?, row.integer()? != 0);
        key.without_mfa = id.map(|id| MemberWithoutMfa { id, name, removed });
        key.observed = row.parsed("networks", |json| serde_json::from_str(json).ok())?;
        Ok(key)
    }

    /// Inserts the row of a new key, with its networks.
    pub fn insert(&self) -> Vec<Statement> {
        let text = "INSERT INTO key (id, digest, name, name_folded, name_order, state, limits, expires_ms,
                created_at_ms, created_by, changed_at_ms, changed_by, revision, protected, deleted_at_ms, returns_as,
                ceiling, sealing_generation, issued_by, issued_generation, replaces, networks_observed)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let row = Statement::new(text)
            .bind(self.id.as_str())
            .bind(self.digest.as_bytes().as_slice())
            .bind(self.name.as_str())
            .bind(fold(&self.name))
            .bind(name_order(&self.name))
            .bind(self.state.as_str())
            .bind(json(&self.limits))
            .bind(self.limits.expires.at())
            .bind(self.created.at)
            .bind(self.created.member.as_str())
            .bind(self.changed.at)
            .bind(self.changed.member.as_str())
            .bind(self.revision)
            .bind(self.protected)
            .bind(self.state.deleted_at())
            .bind(self.state.returns_as())
            .bind(self.ceiling.as_ref().map(json))
            .bind(self.sealing.0)
            .bind(self.issued.as_ref().map(|issued| issued.by.as_str()))
            .bind(self.issued.map(|issued| issued.generation.0))
            .bind(self.replaces.as_ref().map(KeyId::as_str))
            .bind(self.stored_observed());
        vec![row, self.insert_networks()]
    }

    /// Updates the columns that differ from `before`. The others stay unwritten, because SQLite
    /// rewrites the indexes of every column that a statement sets, changed or not.
    pub fn update(&self, before: &Self) -> Vec<Statement> {
        let mut columns = vec!["changed_at_ms = ?, changed_by = ?, revision = ?"];
        let mut values: Vec<Value> =
            vec![self.changed.at.into(), self.changed.member.as_str().into(), self.revision.into()];
        let mut found_by = Vec::new();
        if self.name != before.name {
            columns.push("name = ?, name_folded = ?, name_order = ?");
            values.extend([
                self.name.as_str().into(),
                fold(&self.name).into(),
                name_order(&self.name).into(),
            ]);
        }
        if self.state != before.state {
            columns.push("state = ?");
            values.push(self.state.as_str().into());
        }
        if self.state.deleted_at() != before.state.deleted_at() {
            columns.push("deleted_at_ms = ?, returns_as = ?");
            values.extend([self.state.deleted_at().into(), self.state.returns_as().into()]);
        }
        if self.limits != before.limits {
            columns.push("limits = ?");
            values.push(json(&self.limits).into());
        }
        if self.limits.expires != before.limits.expires {
            columns.push("expires_ms = ?");
            values.push(self.limits.expires.at().into());
        }
        if self.limits.networks != before.limits.networks {
            found_by.extend([self.delete_of("key_network"), self.insert_networks()]);
        }
        if self.observed != before.observed {
            columns.push("networks_observed = ?");
            values.push(self.stored_observed().into());
        }
        if self.protected != before.protected {
            columns.push("protected = ?");
            values.push(self.protected.into());
        }
        if (&self.ceiling, self.sealing) != (&before.ceiling, before.sealing) {
            columns.push("ceiling = ?, sealing_generation = ?");
            values.extend([self.ceiling.as_ref().map(json).into(), self.sealing.0.into()]);
        }
        if self.replaced_by != before.replaced_by {
            columns.push("replaced_by = ?");
            values.push(self.replaced_by.as_ref().map(KeyId::as_str).into());
        }
        let text = format!("UPDATE key SET {} WHERE id = ?", columns.join(", "));
        let row = Statement::new(text).bind_all(values).bind(self.id.as_str());
        core::iter::once(row).chain(found_by).collect()
    }

    fn stored_observed(&self) -> Option<String> {
        Some(&self.observed).filter(|observed| !observed.is_empty()).map(json)
    }

    fn insert_networks(&self) -> Statement {
        Statement::new("INSERT INTO key_network (block, key) SELECT value, ? FROM json_each(?)")
            .bind(self.id.as_str())
            .bind(json(&self.limits.networks))
    }

    fn delete_of(&self, table: &str) -> Statement {
        Statement::new(format!("DELETE FROM {table} WHERE key = ?")).bind(self.id.as_str())
    }

    /// Returns the values that a member decides: name, limits, ceiling, protection, and networks
    /// that are tried.
    pub fn decided(&self) -> Decided {
        Decided {
            name: self.name.clone(),
            limits: self.limits.clone(),
            ceiling: self.ceiling.clone(),
            protected: self.protected,
            observed: self.observed.clone(),
        }
    }

    /// Returns the key, unless it is deleted.
    pub fn living(self) -> Option<Self> {
        Some(self).filter(|key| key.state.deleted_at().is_none())
    }

    /// Returns the key as members see it.
    pub fn view(&self, account: &Account) -> KeyView {
        KeyView {
            id: self.id,
            name: self.name.clone(),
            enabled: self.state.is_enabled(),
            protected: self.protected,
            deleted_at: self.state.deleted_at(),
            limits: self.limits.clone(),
            created_at: self.created.at,
            created_by: self.author(&self.created),
            changed_at: self.changed.at,
            changed_by: self.author(&self.changed),
            revision: self.revision,
            last_used_at: self.last_used_at,
            issuable: self.ceiling.clone(),
            viewable: self.viewable,
            observed: self.observed.clone(),
            would_refuse: None,
            uses_24h: 0,
            refused_24h: BTreeMap::new(),
            last_refused_at: None,
            member: Some(self.created.member),
            issued_by: self.issued_by(),
            ended: self.ended,
            replaces: self.replaces,
            replaced_by: self.replaced_by,
            overlap_until: self.overlap_until,
            mfa_off: self.without_mfa.clone().filter(|_| account.policy.demands_mfa),
        }
    }

    fn issued_by(&self) -> Option<IssuedBy> {
        Some(match self.issued?.by {
            // If the issuer's row was removed, its ID serves as its name.
            Issuer::Key(id) => IssuedBy::Key {
                id,
                name: self.issuer_name.clone().unwrap_or_else(|| id.to_string()),
            },
            Issuer::Service => IssuedBy::Service,
        })
    }

    /// Returns the name of the author: the issuer's name if no member has changed the key since its
    /// issue.
    fn author(&self, stamp: &Stamp) -> String {
        match self.issued_by().filter(|_| *stamp == self.created) {
            None => stamp.name.clone(),
            Some(IssuedBy::Key { name, .. }) => name,
            Some(IssuedBy::Service) => SERVICE_NAME.to_owned(),
        }
    }

    /// Returns its generation and ceiling as an issuer; `None` if it may not issue.
    pub fn issuing(&self) -> Option<Issuing> {
        self.ceiling.clone().map(|ceiling| Issuing { generation: self.sealing, ceiling })
    }

    /// Returns its record for the edge.
    pub fn record(&self, account: &Account) -> Record {
        let credential = || Credential {
            digest: self.digest,
            limits: self.limits.clone(),
            issuing: self.issuing(),
            issued: self.issued,
            // An issuer's generation is in `issuing`.
            sealing: if self.ceiling.is_none() {
                self.sealing
            } else {
                SealingGeneration::default()
            },
            // A key that follows an issuer depends on its issuer's MFA.
            member: (account.policy.demands_mfa && self.issued.is_none())
                .then_some(self.created.member),
            user: None,
        };
        let standing = match self.state {
            State::Active => Standing::Active(credential()),
            State::Disabled => Standing::Disabled(credential()),
            State::Deleted { .. } => Standing::Deleted,
        };
        Record::new(account.epoch.clone(), self.revision, self.id, standing)
    }
}

impl Stamp {
    /// Reads the three columns of a stamp: time, member and that member's name.
    pub fn read(row: &mut Row) -> Result<Self, SqlError> {
        Ok(Self {
            at: row.time()?,
            member: row.parsed("a member ID", MemberId::parse)?,
            name: row.text()?,
        })
    }
}

/// The name of the service password in places that show a member's or key's name.
const SERVICE_NAME: &str = "Service password";

/// Stores the encrypted secret of a key that was just issued. It is deleted with the row.
pub fn keep(id: KeyId, sealed: &Ciphertext) -> Statement {
    Statement::new("UPDATE key SET sealed = ? WHERE id = ?").bind(sealed.as_str()).bind(id.as_str())
}

/// Returns the encrypted secret of a key; `None` if it is not stored.
pub fn kept(sql: &dyn Sql, id: KeyId) -> Result<Option<Ciphertext>, SqlError> {
    let text = "SELECT sealed FROM key WHERE id = ? AND sealed IS NOT NULL";
    let row = sql.first(&Statement::new(text).bind(id.as_str()))?;
    row.map(|mut row| row.text().map(Ciphertext::from_stored)).transpose()
}

/// Numbers of stored keys: those from members, those from issuers, and deleted ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCounts {
    /// Keys that members issued, deleted ones excluded.
    pub members: u32,
    /// Stored keys that issuers issued, deleted ones excluded.
    pub issuers: u32,
    /// Deleted keys that can still be restored.
    pub deleted: u32,
}

impl KeyCounts {
    /// Loads the counts that triggers maintain: one row, at any number of keys.
    pub fn load(sql: &dyn Sql) -> Result<Self, SqlError> {
        let text = "SELECT max(0, members), max(0, issuers), max(0, deleted) FROM key_tally";
        let row = sql.first(&Statement::new(text))?;
        let mut row = row.ok_or(SqlError::Column { column: 0, expected: "a row" })?;
        Ok(Self { members: row.count()?, issuers: row.count()?, deleted: row.count()? })
    }
}

/// Returns the number of keys that count against a limit of `max`: those that members issued,
/// deleted ones excluded. A key and the predecessor that it replaced count as one, because a
/// rotation makes no further key. Below the limit the maintained counts decide alone; the result
/// may then include predecessors.
pub fn counted(sql: &dyn Sql, max: u32) -> Result<u32, SqlError> {
    let keys = KeyCounts::load(sql)?.members;
    let Some(over) = keys.checked_sub(max) else { return Ok(keys) };
    // One predecessor more than the excess decides.
    let text = "SELECT count(*) FROM (SELECT 1 FROM key INDEXED BY key_replaced
        JOIN key AS successor ON successor.id = key.replaced_by
        WHERE key.replaced_by IS NOT NULL AND key.state <> 'deleted' AND successor.state <> 'deleted' LIMIT ?)";
    let paired = sql.integer(&Statement::new(text).bind(over.saturating_add(1)))?;
    Ok(keys.saturating_sub(u32::try_from(paired).unwrap_or_default()))
}

/// Schedules the removal of keys and API users that are deleted now.
pub fn schedule_scrub(now: UnixMs) -> Statement {
    Task::own(TaskKind::ScrubKeys).schedule(now.saturating_add(RESTORABLE))
}

/// Removes the deleted keys whose restore period has ended, with their networks. KV and leases
/// do not change: the rows in `publication` stay as tombstones. `users` does the same for API
/// users: the next deletion of one, and the writes.
pub fn scrub(
    sql: &dyn Sql,
    (oldest_user, users): (Option<UnixMs>, Vec<Statement>),
    now: UnixMs,
) -> Result<TaskStep, SqlError> {
    let since = now.saturating_sub(RESTORABLE);
    let oldest =
        Statement::new("SELECT min(deleted_at_ms) FROM key WHERE deleted_at_ms > ?").bind(since);
    let oldest = sql.first(&oldest)?.map_or(Ok(None), |mut row| row.optional_time())?;
    let gone = "SELECT id FROM key WHERE deleted_at_ms <= ?";
    let remove = |text: String| Statement::new(text).bind(since);
    let mut writes = vec![
        remove(format!("DELETE FROM key_network WHERE key IN ({gone})")),
        remove("DELETE FROM key WHERE deleted_at_ms <= ?".to_owned()),
        // The last use of a key is kept as long as its row, so the sweep can remove it now.
        Task::own(TaskKind::SweepUsage).schedule(now),
    ];
    writes.extend(users);
    let oldest = [oldest, oldest_user].into_iter().flatten().min();
    Ok(TaskStep::Chore { writes, again: oldest.map(|at| at.saturating_add(RESTORABLE)) })
}

/// Serialises a value whose map keys are all text, which cannot fail. If it did, SQLite would
/// refuse the empty text in every JSON column.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
