//! The name object: stores which member has a name (an e-mail address), and verifies their
//! password.
//!
//! There is one instance per name ([`crate::protocol::ledger::instance::member_name`]). It resolves
//! concurrent claims of two accounts.
//!
//! It stores the claim, and one or more passwords. A password is *staged* until the ledger of the
//! claim confirms it, which removes the others. If no ledger confirms a claim within
//! [`PENDING_MS`], the object asks the ledger, and releases the claim if the ledger does not hold
//! it.
//!
//! Invariants:
//! - At most one password is confirmed.
//! - Every try was counted before it comes here, by an address object
//!   ([`crate::objects::address`]).
//! - An unclaimed name answers like a wrong password, at the same cost. Its object stores nothing,
//!   so that a try at a made-up name leaves none behind.
//! - A try costs at most two hashes for each password: one for each of the [`PasswordForms`]. Their
//!   number depends on the typed text alone, so it reveals nothing about what is stored.

mod password;
mod schema;

use claviger_core::base::id::{AccountId, MemberId};
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::{DurationMs, UnixMs};

use self::password::StoredPassword;
pub use self::password::{Argon2id, PasswordHash};
pub use self::schema::MIGRATIONS;
use crate::objects::object::{DurableObject, Entropy, ObjectError, TaskStep};
use crate::objects::sql::migrate::{is_initialised, migrate};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::effect::Effect;
use crate::protocol::master::MasterSecrets;
use crate::protocol::member::SecretVersion;
use crate::protocol::objects::{NameReply, NameRequest};
use crate::protocol::password_text::PasswordForms;

/// Time for which a claim waits before the object asks its ledger, in milliseconds. Set-up takes
/// seconds; ten minutes let a person correct a form and a ledger recover.
pub const PENDING_MS: u64 = 10 * 60 * 1000;

/// Most staged passwords of one claim: each costs a hash with every try.
pub const STAGED_MAX: usize = 4;

/// A name object over its database.
pub struct Name<'a> {
    sql: &'a dyn Sql,
    master: &'a MasterSecrets,
    hash: &'a dyn PasswordHash,
}

/// The member who has the name.
struct Claim {
    name: String,
    account: AccountId,
    member: MemberId,
}

/// A password of the claim's member.
struct Password {
    version: SecretVersion,
    stored: StoredPassword,
    confirmed: bool,
}

impl<'a> Name<'a> {
    /// Returns the object of this database, with the master secrets whose pepper its hashes use.
    pub fn new(sql: &'a dyn Sql, master: &'a MasterSecrets, hash: &'a dyn PasswordHash) -> Self {
        Self { sql, master, hash }
    }

    fn claim(
        &self,
        wanted: &Claim,
        password: &PasswordForms,
        now: UnixMs,
        entropy: &Entropy,
    ) -> Result<NameReply, ObjectError> {
        let known = self.passwords()?;
        if let Some(claim) = self.claimed()? {
            if (claim.account, claim.member) != (wanted.account, wanted.member) {
                return Ok(NameReply::Taken);
            }
            if let Some((same, _)) = self.matching(&known, password)? {
                // A repeated claim restarts the wait, so that the ledger has its full time.
                self.sql.apply(&[ask_later(now)])?;
                return Ok(NameReply::Claimed { secret_version: same.version });
            }
            if known.iter().any(|known| known.confirmed) || known.len() >= STAGED_MAX {
                return Ok(NameReply::Taken);
            }
        }
        let highest = known.iter().map(|known| known.version.0).max().unwrap_or(0);
        let secret_version = SecretVersion(highest.saturating_add(1));
        let stored = self.store(password.prepared(), entropy)?;
        migrate(self.sql, MIGRATIONS, now)?;
        self.sql.apply(&[
            Statement::new("INSERT OR IGNORE INTO claim (one, name, account, member, claimed_at_ms) VALUES (1, ?, ?, ?, ?)")
                .bind(wanted.name.as_str())
                .bind(wanted.account.as_str())
                .bind(wanted.member.as_str())
                .bind(now),
            Statement::new("INSERT INTO password (version, hash, confirmed) VALUES (?, ?, 0)")
                .bind(secret_version.0)
                .bind(stored.as_str()),
            Task::own(TaskKind::AskHolds).schedule(now.saturating_add(DurationMs::from_ms(PENDING_MS))),
            ask_later(now),
        ])?;
        Ok(NameReply::Claimed { secret_version })
    }

    fn is_claimed_by(&self, account: AccountId, member: MemberId) -> Result<bool, SqlError> {
        let is_theirs = |claim: Claim| (claim.account, claim.member) == (account, member);
        Ok(self.claimed()?.is_some_and(is_theirs))
    }

    fn confirm(
        &self,
        account: AccountId,
        member: MemberId,
        version: SecretVersion,
    ) -> Result<NameReply, SqlError> {
        let is_ours = self.is_claimed_by(account, member)?;
        match self.passwords()?.iter().find(|password| is_ours && password.version == version) {
            None => Ok(NameReply::NotHeld),
            Some(password) => {
                if !password.confirmed {
                    self.sql.apply(&confirmation(version))?;
                }
                Ok(NameReply::Confirmed)
            }
        }
    }

    fn release(
        &self,
        account: AccountId,
        member: MemberId,
        version: SecretVersion,
    ) -> Result<NameReply, SqlError> {
        let is_ours = self.is_claimed_by(account, member)?;
        let passwords = self.passwords()?;
        let is_staged =
            passwords.iter().any(|password| password.version == version && !password.confirmed);
        if is_ours && is_staged {
            let one = Statement::new("DELETE FROM password WHERE version = ?").bind(version.0);
            let mut writes = vec![one];
            if passwords.len() == 1 {
                writes.push(Statement::new("DELETE FROM claim"));
                writes.push(Task::own(TaskKind::AskHolds).done());
            }
            self.sql.apply(&writes)?;
        }
        Ok(NameReply::NotHeld)
    }

    /// Releases the claim of a removed member, with its passwords. A claim of another member stays.
    fn leave(&self, account: AccountId, member: MemberId) -> Result<NameReply, SqlError> {
        if self.is_claimed_by(account, member)? {
            self.sql.apply(&[
                Statement::new("DELETE FROM claim"),
                Statement::new("DELETE FROM password"),
                Task::own(TaskKind::AskHolds).done(),
            ])?;
        }
        Ok(NameReply::NotHeld)
    }

    fn has_confirmed(&self) -> Result<bool, SqlError> {
        Ok(self.claimed()?.is_some() && self.passwords()?.iter().any(|password| password.confirmed))
    }

    fn verify(
        &self,
        password: &PasswordForms,
        entropy: &Entropy,
    ) -> Result<NameReply, ObjectError> {
        let Some(claim) = self.claimed()? else {
            // The name is unclaimed: hash anyway, so that the response time does not reveal it.
            for form in password.all() {
                self.store(form, &Entropy([0; 32]))?;
            }
            return Ok(NameReply::Refused);
        };
        let known = self.passwords()?;
        let Some((right, is_prepared)) = self.matching(&known, password)? else {
            return Ok(NameReply::Refused);
        };
        // Hashed under an older pepper, or from the password as typed: hash it anew.
        if right.stored.generation() != self.master.newest().id() || !is_prepared {
            let stored = self.store(password.prepared(), entropy)?;
            let again = Statement::new("UPDATE password SET hash = ? WHERE version = ?");
            self.sql.apply(&[again.bind(stored.as_str()).bind(right.version.0)])?;
        }
        Ok(NameReply::Matches {
            account: claim.account,
            member: claim.member,
            secret_version: right.version,
        })
    }

    /// Returns the stored password that one of the forms matches, and `true` if that is the
    /// prepared form.
    fn matching<'p>(
        &self,
        known: &'p [Password],
        password: &PasswordForms,
    ) -> Result<Option<(&'p Password, bool)>, ObjectError> {
        for (form, is_prepared) in password.all().zip([true, false]) {
            for candidate in known {
                let is_it = candidate.stored.is_of(form, self.master, self.hash);
                if is_it.ok_or(ObjectError::Hash)? {
                    return Ok(Some((candidate, is_prepared)));
                }
            }
        }
        Ok(None)
    }

    fn store(
        &self,
        password: &SecretText,
        entropy: &Entropy,
    ) -> Result<StoredPassword, ObjectError> {
        StoredPassword::of(password, &entropy.salt(), self.master.newest(), self.hash)
            .ok_or(ObjectError::Hash)
    }

    fn claimed(&self) -> Result<Option<Claim>, SqlError> {
        if !is_initialised(self.sql)? {
            return Ok(None);
        }
        self.sql
            .first(&Statement::new("SELECT name, account, member FROM claim"))?
            .map(read_claim)
            .transpose()
    }

    fn passwords(&self) -> Result<Vec<Password>, SqlError> {
        if !is_initialised(self.sql)? {
            return Ok(Vec::new());
        }
        let all =
            Statement::new("SELECT version, hash, confirmed FROM password ORDER BY version DESC");
        self.sql.read_all(&all, read_password)
    }

    fn is_pending(&self) -> Result<bool, SqlError> {
        Ok(self.claimed()?.is_some()
            && !self.passwords()?.iter().any(|password| password.confirmed))
    }
}

impl DurableObject for Name<'_> {
    type Request = NameRequest;
    type Reply = NameReply;

    const NOT_UNDERSTOOD: NameReply = NameReply::NotUnderstood;

    fn sql(&self) -> &dyn Sql {
        self.sql
    }

    fn handle(
        &self,
        request: NameRequest,
        now: UnixMs,
        entropy: &Entropy,
    ) -> Result<NameReply, ObjectError> {
        match request {
            NameRequest::Claim { name, account, member, password } => {
                let password = PasswordForms::of(password);
                self.claim(&Claim { name, account, member }, &password, now, entropy)
            }
            NameRequest::Confirm { account, member, secret_version } => {
                Ok(self.confirm(account, member, secret_version)?)
            }
            NameRequest::Release { account, member, secret_version } => {
                Ok(self.release(account, member, secret_version)?)
            }
            NameRequest::Verify { password, counted: true, .. } => {
                self.verify(&PasswordForms::of(password), entropy)
            }
            NameRequest::Verify { counted: false, .. } => Ok(NameReply::NotUnderstood),
            NameRequest::IsClaimed => Ok(NameReply::IsClaimed { claimed: self.has_confirmed()? }),
            NameRequest::Leave { account, member } => Ok(self.leave(account, member)?),
        }
    }

    fn step(&self, task: &Task, _: UnixMs) -> Result<TaskStep, ObjectError> {
        if task.kind == TaskKind::SweepTries {
            // Releases before 0.2.0 counted here.
            let writes = vec![Statement::new("DELETE FROM tries")];
            return Ok(TaskStep::Chore { writes, again: None });
        }
        Ok(match self.claimed()? {
            Some(claim) if self.is_pending()? => TaskStep::Effect(Effect::AskHolds {
                account: claim.account,
                member: claim.member,
                email: claim.name,
            }),
            _ => TaskStep::moot(),
        })
    }

    fn settled(
        &self,
        effect: &Effect,
        held: Option<bool>,
        now: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError> {
        let task = Task::of(effect);
        if !self.is_pending()? {
            return Ok(vec![task.done()]);
        }
        let passwords = self.passwords()?;
        Ok(match (held, passwords.as_slice()) {
            (Some(true), [only]) => confirmation(only.version).into(),
            // The ledger's own confirmation names the valid password.
            (Some(true), _) => vec![ask_later(now)],
            (Some(false), _) => {
                vec![
                    Statement::new("DELETE FROM claim"),
                    Statement::new("DELETE FROM password"),
                    task.done(),
                ]
            }
            (None, _) => vec![task.failed(self.sql, now)?],
        })
    }

    fn is_spent(&self) -> Result<bool, ObjectError> {
        Ok(self.claimed()?.is_none() && self.next_due()?.is_none())
    }
}

/// Returns the task that asks the ledger, after its full time.
fn ask_later(now: UnixMs) -> Statement {
    Task::own(TaskKind::AskHolds).postpone(now.saturating_add(DurationMs::from_ms(PENDING_MS)))
}

/// Confirms one password, removes the others, and removes the task that asks the ledger.
fn confirmation(version: SecretVersion) -> [Statement; 3] {
    [
        Statement::new("DELETE FROM password WHERE version <> ?").bind(version.0),
        Statement::new("UPDATE password SET confirmed = 1 WHERE version = ?").bind(version.0),
        Task::own(TaskKind::AskHolds).done(),
    ]
}

fn read_claim(mut row: Row) -> Result<Claim, SqlError> {
    Ok(Claim {
        name: row.text()?,
        account: row.parsed("an account's ID", AccountId::parse)?,
        member: row.parsed("a member's ID", MemberId::parse)?,
    })
}

fn read_password(mut row: Row) -> Result<Password, SqlError> {
    Ok(Password {
        version: SecretVersion(row.count()?),
        stored: row.parsed("a password hash", StoredPassword::parse)?,
        confirmed: row.integer()? == 1,
    })
}

#[cfg(test)]
mod tests;
