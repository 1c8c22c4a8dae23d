//! The account's one row, and its members.

use claviger_core::base::id::{AccountId, MemberId};
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::{Epoch, Revision};

use super::mailbox::IS_FAILING;
use super::publication::LAG_ALERT_MS;
use super::rebuild;
use super::state::Freshness;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::account::Email;
use crate::protocol::ledger::{Language, NewMember, Role, SecretVersion};
use crate::protocol::view::{AccountView, MemberView};
use crate::protocol::zone::Zone;

/// The account.
#[derive(Clone, Debug)]
pub struct Account {
    /// ID.
    pub id: AccountId,
    /// Name.
    pub name: String,
    /// Zone.
    pub zone: Zone,
    /// T of promise P1.
    pub freshness: Freshness,
    /// Whether its owners are the deployment's operators.
    pub operator: bool,
    /// Whether the operator has suspended it.
    pub suspended: bool,
    /// Number of the last change of what leases are told of the whole account; 0: it never changed.
    pub state_revision: Revision,
    /// This history.
    pub epoch: Epoch,
    /// How many histories there were, this one included.
    pub generation: u32,
    /// Whether the next request begins a new history.
    pub epoch_is_over: bool,
    /// The last history that came from the directory.
    pub epoch_noted: Option<Epoch>,
    /// Number of the last change.
    pub revision: Revision,
    /// Since when KV lacks the change that it lacks longest; read only.
    pub owed_at: Option<UnixMs>,
    /// Whether the mail that was tried last was not taken; read only.
    pub mail_is_failing: bool,
}

impl Account {
    /// The account; `None` while it was not opened.
    pub fn load(sql: &dyn Sql) -> Result<Option<Self>, SqlError> {
        let text = format!(
            "SELECT id, name, zone, freshness_ms, freshness_before_ms, freshness_before_until_ms, suspended,
                state_revision, epoch, generation, epoch_is_over, ifnull(epoch_noted, ''), revision, operator,
                (SELECT min(owed_at_ms) FROM publication WHERE owed_at_ms IS NOT NULL), {IS_FAILING}
            FROM account"
        );
        sql.first(&Statement::new(text))?.map(Self::read).transpose()
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.parsed("an account ID", AccountId::parse)?,
            name: row.text()?,
            zone: row.parsed("a zone", |name| Zone::parse(name).ok())?,
            freshness: Freshness {
                ms: row.count()?,
                before_ms: row.count()?,
                before_until: row.time()?,
            },
            suspended: row.integer()? != 0,
            state_revision: revision(&mut row)?,
            epoch: Epoch::from_stored(row.text()?),
            generation: row.count()?,
            epoch_is_over: row.integer()? != 0,
            epoch_noted: Some(row.text()?).filter(|text| !text.is_empty()).map(Epoch::from_stored),
            revision: revision(&mut row)?,
            operator: row.integer()? != 0,
            owed_at: row.optional_time()?,
            mail_is_failing: row.integer()? != 0,
        })
    }

    /// Writes the row of a new account.
    pub fn insert(&self, now: UnixMs) -> Statement {
        let text = "INSERT INTO account
                (one, id, name, zone, freshness_s, freshness_ms, epoch, revision, operator, opened_at_ms)
            VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        Statement::new(text)
            .bind(self.id.as_str())
            .bind(self.name.as_str())
            .bind(self.zone.name())
            .bind(self.freshness.s())
            .bind(self.freshness.ms)
            .bind(self.epoch.as_str())
            .bind(self.revision)
            .bind(self.operator)
            .bind(now)
    }

    /// Notes that `revision` is the last change.
    pub fn advance(revision: Revision) -> Statement {
        Statement::new("UPDATE account SET revision = ?").bind(revision)
    }

    /// Notes that `revision` is the last change, and one of what leases are told of the whole
    /// account.
    pub fn advance_state(revision: Revision) -> Statement {
        let text = "UPDATE account SET revision = ?, state_revision = ?";
        Statement::new(text).bind(revision).bind(revision)
    }

    /// From when a change that is made at `now` holds everywhere.
    pub fn bound(&self, now: UnixMs) -> Bound {
        self.freshness.bound(now)
    }

    /// As members see it.
    pub fn view(&self) -> AccountView {
        let Self { id, name, zone, freshness, suspended, .. } = self.clone();
        AccountView { id, name, zone, freshness_s: freshness.s(), suspended }
    }

    /// Age of the oldest change that KV has not acknowledged.
    pub fn lag(&self, now: UnixMs) -> Option<DurationMs> {
        self.owed_at.map(|owed_at| now.since(owed_at).unwrap_or_default())
    }

    /// The same, when it is past what is usual.
    pub fn alarming_lag(&self, now: UnixMs) -> Option<DurationMs> {
        self.lag(now).filter(|lag| lag.as_ms() >= LAG_ALERT_MS)
    }

    /// Begins a new history: what KV holds is a miss from now on, and is put again.
    pub fn begin_epoch(&mut self, epoch: Epoch, is_noted: bool, now: UnixMs) -> Vec<Statement> {
        self.generation = self.generation.saturating_add(1);
        self.epoch_is_over = false;
        self.epoch_noted = if is_noted { Some(epoch.clone()) } else { self.epoch_noted.take() };
        self.epoch = epoch;
        let text =
            "UPDATE account SET epoch = ?, generation = ?, epoch_noted = ?, epoch_is_over = 0";
        let row = Statement::new(text)
            .bind(self.epoch.as_str())
            .bind(self.generation)
            .bind(self.epoch_noted.as_ref().map(Epoch::as_str));
        [vec![row], rebuild::begin(now)].concat()
    }

    /// Notes that the present history cannot go on: KV holds what it never wrote.
    pub fn end_epoch() -> Statement {
        Statement::new("UPDATE account SET epoch_is_over = 1")
    }
}

/// Reads a revision.
pub fn revision(row: &mut Row) -> Result<Revision, SqlError> {
    Ok(Revision(u64::try_from(row.integer()?).unwrap_or_default()))
}

/// A member.
#[derive(Clone, Debug)]
pub struct Member {
    /// As members see each other.
    pub view: MemberView,
    /// Which password goes with the row.
    pub secret_version: SecretVersion,
}

impl Member {
    /// The columns that [`Self::read`] wants, in its order.
    pub const COLUMNS: &str =
        "member.id, member.name, member.email, member.role, member.language, member.secret_version";

    /// The member of this ID.
    pub fn load(sql: &dyn Sql, id: MemberId) -> Result<Option<Self>, SqlError> {
        let text = format!("SELECT {} FROM member WHERE id = ?", Self::COLUMNS);
        sql.first(&Statement::new(text).bind(id.as_str()))?
            .map(|mut row| Self::read(&mut row))
            .transpose()
    }

    /// Reads the columns of [`Self::COLUMNS`].
    pub fn read(row: &mut Row) -> Result<Self, SqlError> {
        Ok(Self {
            view: MemberView {
                id: row.parsed("a member ID", MemberId::parse)?,
                name: row.text()?,
                email: row.parsed("an address", |text| Email::parse(text).ok())?,
                role: row.parsed("a role", role_of)?,
                language: row.parsed("a language", Language::parse)?,
            },
            secret_version: SecretVersion(row.count()?),
        })
    }

    /// An account's first member.
    pub fn owner(new: NewMember) -> Self {
        let NewMember { id, name, email, language, secret_version } = new;
        Self { view: MemberView { id, name, email, role: Role::Owner, language }, secret_version }
    }

    /// Writes the row of a new member.
    pub fn insert(&self, now: UnixMs) -> Statement {
        let text =
            "INSERT INTO member (id, name, email, role, language, secret_version, created_at_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?)";
        Statement::new(text)
            .bind(self.view.id.as_str())
            .bind(self.view.name.as_str())
            .bind(self.view.email.as_str())
            .bind(role_text(self.view.role))
            .bind(self.view.language.as_str())
            .bind(self.secret_version.0)
            .bind(now)
    }
}

fn role_text(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Viewer => "viewer",
    }
}

fn role_of(text: &str) -> Option<Role> {
    [Role::Owner, Role::Admin, Role::Viewer].into_iter().find(|role| role_text(*role) == text)
}
