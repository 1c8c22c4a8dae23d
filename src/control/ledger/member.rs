//! Members of the account.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::UnixMs;

use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::account::Email;
use crate::protocol::ledger::NewMember;
use crate::protocol::member::{Language, Role, SecretVersion};
use crate::protocol::view::MemberView;

/// A member of the account.
#[derive(Clone, Debug)]
pub struct Member {
    /// Data that members see of each other.
    pub view: MemberView,
    /// Version of the password that this row accepts.
    pub secret_version: SecretVersion,
}

impl Member {
    /// The columns that [`Self::read`] expects, in its order.
    pub const COLUMNS: &str =
        "member.id, member.name, member.email, member.role, member.language, member.secret_version";

    /// Loads the member with this ID.
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

    /// Returns an account's first member, an owner.
    pub fn owner(new: NewMember) -> Self {
        let NewMember { id, name, email, language, secret_version } = new;
        Self { view: MemberView { id, name, email, role: Role::Owner, language }, secret_version }
    }

    /// Stores the version of the password.
    pub fn store_secret_version(&self) -> Statement {
        Statement::new("UPDATE member SET secret_version = ? WHERE id = ?")
            .bind(self.secret_version.0)
            .bind(self.view.id.as_str())
    }

    /// Inserts the row of a new member.
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
