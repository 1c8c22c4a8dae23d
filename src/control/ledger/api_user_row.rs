//! An API user's row: reading it, writing it, its view and its record.

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::api_user::{ApiSecretVersion, ApiUser, ApiUserGroup, ApiUserName};
use claviger_core::credential::issuer::SealingGeneration;
use claviger_core::credential::limits::Limits;
use claviger_core::replication::record::{Credential, Record, Revision, Standing};
use serde_json::json;

use super::account::Account;
use super::key::{Stamp, State};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::api_name::HeldApiName;
use crate::protocol::api_users::{API_USERS_MAX, ApiUserView};
use crate::protocol::integer::INTEGER_MAX;
use crate::protocol::keys::RESTORABLE;
use crate::protocol::zone::Zone;

/// Label of the digest in records. No secret has this digest: a secret has no such byte as the
/// label's last.
const DIGEST_LABEL: &[u8] = b"claviger/api-user/1\0";

/// The values of an API user that a member decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedApiUser {
    /// Name of the user.
    pub name: ApiUserName,
    /// Group of the user.
    pub group: ApiUserGroup,
    /// `true` if it sees the data alone that it sent itself.
    pub own_data_only: bool,
    /// Time zone of its requests and answers.
    pub zone: Zone,
    /// Limits on its use.
    pub limits: Limits,
}

/// An API user as the ledger stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApiUser {
    /// ID of the user.
    pub id: KeyId,
    /// Name, group, zone and limits.
    pub decided: DecidedApiUser,
    /// Active, locked (disabled) or deleted.
    pub state: State,
    /// Version of the secret that counts.
    pub secret: ApiSecretVersion,
    /// Stamp of its creation.
    pub created: Stamp,
    /// Stamp of its last change.
    pub changed: Stamp,
    /// Revision of its last change.
    pub revision: Revision,
    /// Time of the last accepted request, Unix ms, as the edge has reported; read only.
    pub last_used_at: Option<UnixMs>,
}

/// The columns of an API user, in the order of [`StoredApiUser::read`].
pub const COLUMNS: &str = "api_user.id, api_user.name, api_user.user_group, api_user.own_data_only, api_user.zone,
    api_user.limits, api_user.state, api_user.deleted_at_ms, ifnull(api_user.returns_as, ''), api_user.secret_version,
    api_user.created_at_ms, api_user.created_by, creator.name, api_user.changed_at_ms, api_user.changed_by,
    changer.name, api_user.revision, (SELECT max(last_used_at_ms) FROM usage WHERE usage.key = api_user.id)";

/// The joins that supply the members in [`COLUMNS`].
pub const MEMBERS: &str = "LEFT JOIN member AS creator ON creator.id = api_user.created_by
    LEFT JOIN member AS changer ON changer.id = api_user.changed_by";

impl StoredApiUser {
    /// Loads the user with this ID, even if it is deleted.
    pub fn load(sql: &dyn Sql, id: KeyId) -> Result<Option<Self>, SqlError> {
        let text = format!("SELECT {COLUMNS} FROM api_user {MEMBERS} WHERE api_user.id = ?");
        let row = sql.first(&Statement::new(text).bind(id.as_str()))?;
        row.map(|mut row| Self::read(&mut row)).transpose()
    }

    /// Reads the columns of [`COLUMNS`], and leaves those that follow.
    pub fn read(row: &mut Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.parsed("a key ID", KeyId::parse)?,
            decided: DecidedApiUser {
                name: row.parsed("a name", ApiUserName::parse)?,
                group: row.parsed("a group", ApiUserGroup::parse)?,
                own_data_only: row.integer()? != 0,
                zone: row.parsed("a zone", |name| Zone::parse(name).ok())?,
                limits: row.parsed("limits", |json| serde_json::from_str(json).ok())?,
            },
            state: State::read(row)?,
            secret: read_version(row)?,
            created: Stamp::read(row)?,
            changed: Stamp::read(row)?,
            revision: row.revision()?,
            last_used_at: row.optional_time()?,
        })
    }

    /// Inserts the row, or updates it.
    pub fn store(&self) -> Statement {
        let text = "INSERT INTO api_user (id, name, state, secret_version, user_group, own_data_only, zone, limits,
                deleted_at_ms, returns_as, created_at_ms, created_by, changed_at_ms, changed_by, revision)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, state = excluded.state,
                secret_version = excluded.secret_version, user_group = excluded.user_group,
                own_data_only = excluded.own_data_only, zone = excluded.zone, limits = excluded.limits,
                deleted_at_ms = excluded.deleted_at_ms, returns_as = excluded.returns_as,
                changed_at_ms = excluded.changed_at_ms, changed_by = excluded.changed_by, revision = excluded.revision";
        let DecidedApiUser { name, group, own_data_only, zone, limits } = &self.decided;
        Statement::new(text)
            .bind(self.id.as_str())
            .bind(name.as_str())
            .bind(self.state.as_str())
            .bind(i64::try_from(self.secret.0).unwrap_or(INTEGER_MAX))
            .bind(group.as_str())
            .bind(*own_data_only)
            .bind(zone.name())
            .bind(json!(limits).to_string())
            .bind(self.state.deleted_at())
            .bind(self.state.returns_as())
            .bind(self.created.at)
            .bind(self.created.member.as_str())
            .bind(self.changed.at)
            .bind(self.changed.member.as_str())
            .bind(self.revision)
    }

    /// Returns the user, unless it is deleted.
    pub fn living(self) -> Option<Self> {
        Some(self).filter(|user| user.state.deleted_at().is_none())
    }

    /// Returns the user as members see it.
    pub fn view(&self, account: &Account) -> ApiUserView {
        let DecidedApiUser { name, group, own_data_only, zone, limits } = self.decided.clone();
        ApiUserView {
            id: self.id,
            name,
            locked: !self.state.is_enabled(),
            suspended: account.suspended,
            deleted_at: self.state.deleted_at(),
            group,
            own_data_only,
            zone,
            limits,
            secret: self.secret,
            created_at: self.created.at,
            created_by: self.created.name.clone(),
            changed_at: self.changed.at,
            changed_by: self.changed.name.clone(),
            last_used_at: self.last_used_at,
            revision: self.revision,
        }
    }

    /// Returns its record for the edge.
    pub fn record(&self, account: &Account) -> Record {
        let DecidedApiUser { name, group, own_data_only, zone, limits } = &self.decided;
        let credential = || Credential {
            digest: Digest::of(&[DIGEST_LABEL, name.as_str().as_bytes()].concat()),
            limits: limits.clone(),
            issuing: None,
            issued: None,
            sealing: SealingGeneration::default(),
            member: None,
            user: Some(ApiUser {
                name: name.clone(),
                secret: self.secret,
                group: *group,
                own_data_only: *own_data_only,
                zone: zone.name().to_owned(),
            }),
        };
        let standing = match self.state {
            State::Active => Standing::Active(credential()),
            State::Disabled => Standing::Disabled(credential()),
            State::Deleted { .. } => Standing::Deleted,
        };
        Record::new(account.epoch.clone(), self.revision, self.id, standing)
    }

    /// Returns the user as JSON for an audit row. Of the secret it has the version alone.
    pub fn audit_json(&self) -> String {
        let DecidedApiUser { name, group, own_data_only, zone, limits } = &self.decided;
        let state = match self.state {
            State::Active => "active",
            State::Disabled => "locked",
            State::Deleted { .. } => "deleted",
        };
        json!({
            "name": name, "state": state, "limits": limits, "group": group,
            "own_data_only": own_data_only, "zone": zone, "api_key_version": self.secret,
        })
        .to_string()
    }
}

fn read_version(row: &mut Row) -> Result<ApiSecretVersion, SqlError> {
    let version = u64::try_from(row.integer()?);
    let wrong = |_| SqlError::Column { column: 0, expected: "a version" };
    version.map(ApiSecretVersion).map_err(wrong)
}

/// Returns `true` if the account has as many API users as it may. Deleted ones count: they keep
/// their rows and names.
pub fn is_full(sql: &dyn Sql) -> Result<bool, SqlError> {
    let text = "SELECT count(*) FROM api_user INDEXED BY api_user_by_name";
    Ok(sql.integer(&Statement::new(text))? >= API_USERS_MAX.into())
}

/// Returns the user of the account that has this name, deleted ones included.
pub fn holder(sql: &dyn Sql, name: &ApiUserName) -> Result<Option<HeldApiName>, SqlError> {
    let text = "SELECT id, secret_version FROM api_user WHERE name = ?";
    let row = sql.first(&Statement::new(text).bind(name.as_str()))?;
    row.map(|mut row| read_holder(&mut row)).transpose()
}

fn read_holder(row: &mut Row) -> Result<HeldApiName, SqlError> {
    Ok(HeldApiName { id: row.parsed("a key ID", KeyId::parse)?, version: read_version(row)? })
}

/// Returns the write that gives a user another revision, and changes nothing else.
pub fn renumber(id: KeyId, revision: Revision) -> Statement {
    Statement::new("UPDATE api_user SET revision = ? WHERE id = ?").bind(revision).bind(id.as_str())
}

/// Returns the task that confirms the present name and secret at the name object.
pub fn confirm_task(id: KeyId) -> Task {
    Task::new(TaskKind::ConfirmApiName, id)
}

/// Returns the writes that remove the users whose restore period has ended, and the time of the
/// first deletion that stays. The name objects then release the names.
pub fn scrub(sql: &dyn Sql, now: UnixMs) -> Result<(Option<UnixMs>, Vec<Statement>), SqlError> {
    let since = now.saturating_sub(RESTORABLE);
    let oldest = "SELECT min(deleted_at_ms) FROM api_user WHERE deleted_at_ms > ?";
    let oldest = sql.first(&Statement::new(oldest).bind(since))?;
    let oldest = oldest.map_or(Ok(None), |mut row| row.optional_time())?;
    // Few rows: each deletion took a password, and they end one by one.
    let ended = "SELECT name, id, secret_version FROM api_user WHERE deleted_at_ms <= ?";
    let mut writes = sql.read_all(&Statement::new(ended).bind(since), |mut row| {
        let name = row.parsed("a name", ApiUserName::parse)?;
        let HeldApiName { id, version } = read_holder(&mut row)?;
        Ok(Task::of_former_name(id, version, &name).schedule(now))
    })?;
    writes.push(Statement::new("DELETE FROM api_user WHERE deleted_at_ms <= ?").bind(since));
    Ok((oldest, writes))
}

/// Returns the user that an earlier request of `member` created with this idempotency key.
pub fn created_before(
    sql: &dyn Sql,
    member: MemberId,
    idempotency_key: &str,
    now: UnixMs,
) -> Result<Option<Option<StoredApiUser>>, SqlError> {
    let id = super::idempotency::used(sql, member, &stored_idempotency_key(idempotency_key), now)?;
    id.map(|id| StoredApiUser::load(sql, id)).transpose()
}

/// Returns the stored form of an idempotency key of a creation. It has a blank, which no key of a
/// client has, so that keys and API users share none.
pub fn stored_idempotency_key(idempotency_key: &str) -> String {
    format!("api-user {idempotency_key}")
}
