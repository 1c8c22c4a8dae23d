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
    /// Number of notices that the member has not looked at; read only.
    pub unread: u32,
}

impl Member {
    /// The columns that [`Self::read`] expects, in its order. The numbers of a member's notices
    /// have no gaps, so the first and the last one say how many are unread.
    pub const COLUMNS: &str =
        "member.id, member.name, member.email, member.role, member.language, member.secret_version,
        max(0, ifnull((SELECT max(number) FROM member_notice WHERE member = member.id), 0)
            - max(member.notices_read,
                ifnull((SELECT min(number) FROM member_notice WHERE member = member.id), 1) - 1))";

    /// Loads the member with this ID; `None` also for a member who was removed.
    pub fn load(sql: &dyn Sql, id: MemberId) -> Result<Option<Self>, SqlError> {
        let text =
            format!("SELECT {} FROM member WHERE id = ? AND removed_at_ms IS NULL", Self::COLUMNS);
        sql.first(&Statement::new(text).bind(id.as_str()))?
            .map(|mut row| Self::read(&mut row))
            .transpose()
    }

    /// Loads the owners, in the order in which they joined.
    pub fn owners(sql: &dyn Sql) -> Result<Vec<Self>, SqlError> {
        let text = format!(
            "SELECT {} FROM member WHERE role = 'owner' AND removed_at_ms IS NULL
            ORDER BY created_at_ms, id",
            Self::COLUMNS
        );
        sql.read_all(&Statement::new(text), |mut row| Self::read(&mut row))
    }

    /// Reads the columns of [`Self::COLUMNS`]. The `email` of a removed member is no address, so
    /// that such a row is an error.
    pub fn read(row: &mut Row) -> Result<Self, SqlError> {
        Ok(Self {
            view: MemberView {
                id: row.parsed("a member ID", MemberId::parse)?,
                name: row.text()?,
                email: row.parsed("an address", |text| Email::parse(text).ok())?,
                role: row.parsed("a role", Role::parse)?,
                language: row.parsed("a language", Language::parse)?,
            },
            secret_version: SecretVersion(row.count()?),
            unread: row.count()?,
        })
    }

    /// Returns an account's first member, an owner.
    pub fn owner(new: NewMember) -> Self {
        let NewMember { id, name, email, language, secret_version } = new;
        Self {
            view: MemberView { id, name, email, role: Role::Owner, language },
            secret_version,
            unread: 0,
        }
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
            .bind(self.view.role.as_str())
            .bind(self.view.language.as_str())
            .bind(self.secret_version.0)
            .bind(now)
    }
}
