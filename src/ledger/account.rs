//! The account's one row, and its members.

use crate::account::Email;
use crate::id::{AccountId, MemberId};
use crate::protocol::{AccountView, Bound, Language, MemberView, NewMember, Role, SecretVersion};
use crate::record::{Epoch, Revision};
use crate::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::time::{DurationMs, UnixMs, Zone};

/// T of promise P1 in a new account, in seconds: what a person waits for without doubt whether it worked.
pub const FRESHNESS_S: u32 = 10;

/// The account.
#[derive(Clone, Debug)]
pub struct Account {
    /// ID.
    pub id: AccountId,
    /// Name.
    pub name: String,
    /// Zone.
    pub zone: Zone,
    /// T, in seconds.
    pub freshness_s: u32,
    /// This history.
    pub epoch: Epoch,
    /// Number of the last change.
    pub revision: Revision,
}

impl Account {
    /// The account; `None` while it was not opened.
    pub fn load(sql: &dyn Sql) -> Result<Option<Self>, SqlError> {
        let text = "SELECT id, name, zone, freshness_s, epoch, revision FROM account";
        sql.first(&Statement::new(text))?.map(Self::read).transpose()
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.parsed("an account ID", AccountId::parse)?,
            name: row.text()?,
            zone: row.parsed("a zone", |name| Zone::parse(name).ok())?,
            freshness_s: row.count()?,
            epoch: Epoch::from_stored(row.text()?),
            revision: revision(&mut row)?,
        })
    }

    /// Writes the row of a new account.
    pub fn insert(&self, now: UnixMs) -> Statement {
        let text = "INSERT INTO account (one, id, name, zone, freshness_s, epoch, revision, opened_at_ms)
            VALUES (1, ?, ?, ?, ?, ?, ?, ?)";
        Statement::new(text)
            .bind(self.id.as_str())
            .bind(self.name.as_str())
            .bind(self.zone.name())
            .bind(self.freshness_s)
            .bind(self.epoch.as_str())
            .bind(self.revision)
            .bind(now)
    }

    /// Notes that `revision` is the last change.
    pub fn advance(revision: Revision) -> Statement {
        Statement::new("UPDATE account SET revision = ?").bind(revision)
    }

    /// From when a change that is made at `now` holds everywhere.
    pub fn bound(&self, now: UnixMs) -> Bound {
        let within_s = self.freshness_s;
        Bound { at: now.saturating_add(DurationMs::from_s(within_s.into())), within_s }
    }

    /// As members see it.
    pub fn view(&self) -> AccountView {
        let Self { id, name, zone, freshness_s, .. } = self.clone();
        AccountView { id, name, zone, freshness_s }
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
        sql.first(&Statement::new(text).bind(id.as_str()))?.map(|mut row| Self::read(&mut row)).transpose()
    }

    /// Reads the columns of [`Self::COLUMNS`].
    pub fn read(row: &mut Row) -> Result<Self, SqlError> {
        Ok(Self {
            view: MemberView {
                id: row.parsed("a member ID", MemberId::parse)?,
                name: row.text()?,
                email: row.parsed("an address", |text| Email::parse(text).ok())?,
                role: row.parsed("a role", role_of)?,
                language: row.parsed("a language", language_of)?,
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
        let text = "INSERT INTO member (id, name, email, role, language, secret_version, created_at_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?)";
        Statement::new(text)
            .bind(self.view.id.as_str())
            .bind(self.view.name.as_str())
            .bind(self.view.email.as_str())
            .bind(role_text(self.view.role))
            .bind(language_text(self.view.language))
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

fn language_text(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Ja => "ja",
    }
}

fn language_of(text: &str) -> Option<Language> {
    [Language::En, Language::Ja].into_iter().find(|language| language_text(*language) == text)
}
