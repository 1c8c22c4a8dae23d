//! The rows of a person: memberships and passwords.

use claviger_core::base::id::{AccountId, MemberId, TokenId};
use claviger_core::base::time::{DurationMs, UnixMs};

use super::password::StoredPassword;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{IN_FLIGHT_MS, Task, TaskKind};
use crate::protocol::identity::Membership;
use crate::protocol::member::{AddressVersion, SecretVersion};

/// Time for which a claim waits before the object asks its ledger, in milliseconds. Set-up takes
/// seconds; ten minutes let a person correct a form and a ledger recover.
pub const PENDING_MS: u64 = 10 * 60 * 1000;

/// A membership, as this object stores it.
pub struct StoredMembership {
    /// Account and member ID.
    pub id: Membership,
    /// `true` once its ledger holds it.
    pub confirmed: bool,
    /// Version of the password that first claimed it.
    pub version: SecretVersion,
    /// Version of the newest password that its ledger knows.
    pub told: SecretVersion,
    /// `true` if its ledger mails the news of the last change.
    pub mails: bool,
    /// Version of the address that its ledger knows.
    pub address_told: AddressVersion,
    /// Time of its last choice, Unix ms.
    pub used_at: UnixMs,
}

/// The last change of a password.
pub struct PasswordChange {
    /// Time of the change, Unix ms.
    pub at: UnixMs,
    /// IP address of the request.
    pub address: Option<String>,
    /// `true` if a mailed code reset it.
    pub is_reset: bool,
}

/// A password, staged or confirmed.
pub struct Password {
    /// Version, which rises with each password.
    pub version: SecretVersion,
    /// Hash of the password.
    pub stored: StoredPassword,
    /// `true` once a ledger goes by it.
    pub confirmed: bool,
    /// Its change; `None` for the first password.
    pub change: Option<PasswordChange>,
}

/// The person who has the name.
///
/// Either no password is confirmed: then there is one membership, unconfirmed, and its staged
/// passwords. Or one password is confirmed, and it is the only one.
pub struct Person {
    /// E-mail address, as the first claim named it.
    pub name: String,
    /// Memberships: confirmed ones first, and of these the one used last.
    pub memberships: Vec<StoredMembership>,
    /// Passwords, the newest first.
    pub passwords: Vec<Password>,
    /// Version of the address: that of the person, not of the name.
    pub address_version: AddressVersion,
    /// Change by which the person is moving to another address.
    pub leaving: Option<TokenId>,
    /// `true` until the address of before has let the person go.
    pub is_arriving: bool,
}

impl Person {
    /// Loads the person; `None` if the name is unclaimed. The schema must be the present one.
    pub fn load(sql: &dyn Sql) -> Result<Option<Self>, SqlError> {
        let Some(mut row) = sql.first(&Statement::new(CLAIM))? else {
            return Ok(None);
        };
        let memberships =
            "SELECT account, member, confirmed, version, told, mails, address_told, used_at_ms
            FROM membership ORDER BY confirmed DESC, used_at_ms DESC, account, member";
        let passwords = "SELECT version, hash, confirmed, changed_at_ms, changed_from, is_reset
            FROM password ORDER BY version DESC";
        Ok(Some(Self {
            name: row.text()?,
            address_version: AddressVersion(row.count()?),
            leaving: row.optional_text()?.and_then(|id| TokenId::parse(&id)),
            is_arriving: row.integer()? != 0,
            memberships: sql.read_all(&Statement::new(memberships), read_membership)?,
            passwords: sql.read_all(&Statement::new(passwords), read_password)?,
        }))
    }

    /// Returns the confirmed password.
    pub fn confirmed(&self) -> Option<&Password> {
        self.passwords.iter().find(|password| password.confirmed)
    }

    /// Returns `true` while the person moves from or to this address. The password must not change
    /// then, because the other address has it, too.
    pub fn is_moving(&self) -> bool {
        self.leaving.is_some() || self.is_arriving
    }

    /// Returns the membership, if the person has it.
    pub fn find(&self, id: Membership) -> Option<&StoredMembership> {
        self.memberships.iter().find(|membership| membership.id == id)
    }

    /// Returns the IDs of all memberships, in their order.
    pub fn ids(&self) -> Vec<Membership> {
        self.memberships.iter().map(|membership| membership.id).collect()
    }

    /// Returns the number of memberships.
    pub fn accounts(&self) -> u32 {
        self.memberships.len().try_into().unwrap_or(u32::MAX)
    }

    /// Returns the writes that remove a membership with its tasks, and the whole person with the
    /// last one.
    pub fn without(&self, id: Membership, now: UnixMs) -> Vec<Statement> {
        if self.memberships.iter().all(|membership| membership.id == id) {
            return self.end(now);
        }
        Vec::from(remove(id))
    }

    /// Returns the writes that remove the whole person. Mail stays. A departure becomes one whose
    /// person has left: the message to the other address may be on its way.
    pub fn end(&self, now: UnixMs) -> Vec<Statement> {
        let mut writes: Vec<_> = self.memberships.iter().flat_map(|own| remove(own.id)).collect();
        writes.push(Task::own(TaskKind::MovePerson).done());
        writes.extend(
            [
                "DELETE FROM claim",
                "DELETE FROM password",
                "DELETE FROM reset",
                "DELETE FROM browser_reset",
                "DELETE FROM attempt",
                "DELETE FROM attempt_report",
                "DELETE FROM arrival",
                "UPDATE departure SET has_left = 1",
            ]
            .map(Statement::new),
        );
        let later = now.saturating_add(DurationMs::from_ms(IN_FLIGHT_MS));
        writes.extend(
            self.leaving.map(|change| Task::new(TaskKind::SettleMove, change).schedule(later)),
        );
        writes
    }

    /// Returns the writes that confirm a membership whose ledger goes by `version` of the password.
    pub fn confirm(&self, id: Membership, version: SecretVersion, now: UnixMs) -> Vec<Statement> {
        let text = "UPDATE membership SET confirmed = 1, told = ? WHERE account = ? AND member = ?";
        let row = Statement::new(text).bind(version.0);
        let row = row.bind(id.account.as_str()).bind(id.member.as_str());
        let mut writes = vec![row, ask_task(id).done()];
        match self.confirmed() {
            None => {
                let others = "DELETE FROM password WHERE version <> ?";
                let own = "UPDATE password SET confirmed = 1 WHERE version = ?";
                writes.extend([others, own].map(|text| Statement::new(text).bind(version.0)));
            }
            // The password was changed while the claim waited.
            Some(present) if version < present.version => {
                writes.push(tell_task(id).reschedule(now))
            }
            Some(_) => {}
        }
        writes
    }
}

/// Reads the claim of a person, and the state of their moves.
const CLAIM: &str = "SELECT name, address_version,
    (SELECT id FROM departure WHERE has_left = 0),
    (SELECT count(*) FROM arrival WHERE is_settled = 0) FROM claim";

/// Returns the writes that remove a membership with its tasks.
fn remove(id: Membership) -> [Statement; 5] {
    [
        bound("DELETE FROM membership WHERE account = ? AND member = ?", id),
        ask_task(id).done(),
        tell_task(id).done(),
        attempts_task(id).done(),
        address_task(id).done(),
    ]
}

/// Returns the writes that insert an unconfirmed membership and ask for it after [`PENDING_MS`].
pub fn claim(id: Membership, version: SecretVersion, now: UnixMs) -> [Statement; 2] {
    let text = "INSERT INTO membership (account, member, confirmed, version, told, used_at_ms)
        VALUES (?, ?, 0, ?, ?, ?)";
    let row = bound(text, id).bind(version.0).bind(version.0).bind(now);
    let at = now.saturating_add(DurationMs::from_ms(PENDING_MS));
    [row, ask_task(id).schedule(at)]
}

/// Returns the write that makes signing in open this account from now on.
pub fn choose(account: AccountId, now: UnixMs) -> Statement {
    let text = "UPDATE membership SET used_at_ms = max(used_at_ms + 1, ?) WHERE account = ?";
    Statement::new(text).bind(now).bind(account.as_str())
}

/// Returns the statement with the membership as its first two values.
pub fn bound(text: &'static str, id: Membership) -> Statement {
    Statement::new(text).bind(id.account.as_str()).bind(id.member.as_str())
}

/// Returns the task that asks the ledger of a membership if it holds it.
pub fn ask_task(id: Membership) -> Task {
    Task::of_membership(TaskKind::AskHolds, id.account, id.member)
}

/// Returns the task that tells the ledger of a membership that the password was changed.
pub fn tell_task(id: Membership) -> Task {
    Task::of_membership(TaskKind::TellPassword, id.account, id.member)
}

/// Returns the task that tells the ledger of a membership the person's new address.
pub fn address_task(id: Membership) -> Task {
    Task::of_membership(TaskKind::TellAddress, id.account, id.member)
}

/// Returns the task that reports refused attempts to the ledger of a membership.
pub fn attempts_task(id: Membership) -> Task {
    Task::of_membership(TaskKind::TellAttempts, id.account, id.member)
}

/// Parses the subject of such a task.
pub fn membership_of(task: &Task) -> Option<Membership> {
    let (account, member) = task.subject.split_once('/')?;
    Some(Membership { account: AccountId::parse(account)?, member: MemberId::parse(member)? })
}

fn read_membership(mut row: Row) -> Result<StoredMembership, SqlError> {
    Ok(StoredMembership {
        id: Membership {
            account: row.parsed("an account's ID", AccountId::parse)?,
            member: row.parsed("a member's ID", MemberId::parse)?,
        },
        confirmed: row.integer()? == 1,
        version: SecretVersion(row.count()?),
        told: SecretVersion(row.count()?),
        mails: row.integer()? == 1,
        address_told: AddressVersion(row.count()?),
        used_at: row.time()?,
    })
}

fn read_password(mut row: Row) -> Result<Password, SqlError> {
    let (version, stored, confirmed) = (
        SecretVersion(row.count()?),
        row.parsed("a password hash", StoredPassword::parse)?,
        row.integer()? == 1,
    );
    let (at, address, is_reset) = (row.optional_time()?, row.optional_text()?, row.integer()? == 1);
    let change = at.map(|at| PasswordChange { at, address, is_reset });
    Ok(Password { version, stored, confirmed, change })
}
