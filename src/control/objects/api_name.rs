//! The name object of an API user: makes the name unique in the deployment, and is the authority on
//! the user's secret and its version.
//!
//! There is one instance per name ([`crate::protocol::ledger::instance::api_user_name`]). It
//! resolves concurrent claims of two accounts.
//!
//! **Claims.** A claim stages a secret under the next version. While no version is confirmed, the
//! account that came first may stage more, also for other IDs: of two parallel creations its ledger
//! accepts one. If no ledger confirms a staged version within [`PENDING_MS`], the object asks the
//! ledger of the account which user and version hold the name, and removes what does not.
//!
//! **Changes.** A new secret is staged beside the present one. Its confirmation removes the earlier
//! versions. A renamed user brings the stored form of its secret to the object of the new name, and
//! the ledger then releases the old one.
//!
//! **Ends.** The ledger releases a name when the user's row is removed. If that message is lost,
//! the next claim of the name makes the admin Worker ask the holder's ledger.
//!
//! **Checks.** A check answers the version that a secret has. Only the user's record says which
//! version counts. An unclaimed name answers like a wrong secret, at the same cost, and its object
//! stores nothing. Every try was counted before it comes here.
//!
//! Invariants:
//! - All versions are of one account. At most one is confirmed; there are at most [`SECRETS_MAX`].
//! - A version above the confirmed one is staged, and has a task to ask for it.

mod remembered;
mod schema;
mod secret;

use std::cell::RefCell;
use std::rc::Rc;

use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::api_user::{ApiSecretVersion, ApiUserName};

pub use self::remembered::RememberedSecrets;
pub use self::schema::MIGRATIONS;
use self::secret::StoredApiSecret;
use crate::objects::name::{PasswordHash, StoredPassword};
use crate::objects::object::{DurableObject, Entropy, ObjectError, TaskStep};
use crate::objects::sql::migrate::{is_initialised, migrate};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::api_key::is_impossible;
use crate::protocol::api_name::{
    ApiNameHolder, ApiNameReply, ApiNameRequest, HeldApiName, NewApiSecret,
};
use crate::protocol::effect::{Effect, EffectOutcome};
use crate::protocol::integer::INTEGER_MAX;
use crate::protocol::master::MasterSecrets;

/// Time for which a staged version waits before the object asks its ledger, in milliseconds. A
/// request ends within seconds; ten minutes let a ledger recover.
pub const PENDING_MS: u64 = 10 * 60 * 1000;

/// Most versions at a time: each costs a hash with every wrong secret.
pub const SECRETS_MAX: usize = 4;

/// A name object over its database.
pub struct ApiName<'a> {
    sql: &'a dyn Sql,
    master: &'a MasterSecrets,
    hash: &'a dyn PasswordHash,
    remembered: Rc<RefCell<RememberedSecrets>>,
}

/// A version as this object stores it.
struct StoredVersion {
    version: ApiSecretVersion,
    id: KeyId,
    stored: StoredApiSecret,
    confirmed: bool,
    staged_at: UnixMs,
}

/// The claim of the name, with its versions, the highest first.
struct NameClaim {
    name: ApiUserName,
    account: AccountId,
    versions: Vec<StoredVersion>,
}

impl NameClaim {
    fn load(sql: &dyn Sql) -> Result<Option<Self>, SqlError> {
        let Some(mut row) = sql.first(&Statement::new("SELECT name, account FROM claim"))? else {
            return Ok(None);
        };
        let text = "SELECT version, id, hash, confirmed, staged_at_ms FROM secret
            ORDER BY version DESC";
        Ok(Some(Self {
            name: row.parsed("a name", ApiUserName::parse)?,
            account: row.parsed("an account ID", AccountId::parse)?,
            versions: sql.read_all(&Statement::new(text), StoredVersion::read)?,
        }))
    }

    fn find(&self, id: KeyId, version: ApiSecretVersion) -> Option<&StoredVersion> {
        self.versions.iter().find(|one| (one.id, one.version) == (id, version))
    }

    /// Returns the writes that remove some versions, and the claim with the last one.
    fn without(&self, is_over: impl Fn(&StoredVersion) -> bool) -> Vec<Statement> {
        let (over, kept): (Vec<_>, Vec<_>) =
            self.versions.iter().partition(|version| is_over(version));
        if kept.is_empty() {
            let all = ["DELETE FROM secret", "DELETE FROM claim"].map(Statement::new);
            return all.into_iter().chain([ask_task().done()]).collect();
        }
        let mut writes: Vec<_> = over.into_iter().map(StoredVersion::remove).collect();
        if kept.iter().all(|version| version.confirmed) {
            writes.push(ask_task().done());
        }
        writes
    }
}

impl StoredVersion {
    fn read(mut row: Row) -> Result<Self, SqlError> {
        let version = u64::try_from(row.integer()?).unwrap_or_default();
        Ok(Self {
            version: ApiSecretVersion(version),
            id: row.parsed("a key ID", KeyId::parse)?,
            stored: row.parsed("a hash", StoredApiSecret::parse)?,
            confirmed: row.integer()? != 0,
            staged_at: row.time()?,
        })
    }

    fn remove(&self) -> Statement {
        Statement::new("DELETE FROM secret WHERE version = ?").bind(number(self.version))
    }
}

fn number(version: ApiSecretVersion) -> i64 {
    i64::try_from(version.0).unwrap_or(INTEGER_MAX)
}

fn ask_task() -> Task {
    Task::own(TaskKind::AskApiName)
}

fn pending() -> DurationMs {
    DurationMs::from_ms(PENDING_MS)
}

impl<'a> ApiName<'a> {
    /// Returns the object of this database, with the master secrets whose pepper its hashes use.
    pub fn new(sql: &'a dyn Sql, master: &'a MasterSecrets, hash: &'a dyn PasswordHash) -> Self {
        Self { sql, master, hash, remembered: Rc::default() }
    }

    /// Uses this memory of right secrets, which outlives the value.
    #[must_use]
    pub fn with_remembered(self, remembered: Rc<RefCell<RememberedSecrets>>) -> Self {
        Self { remembered, ..self }
    }

    /// Brings the schema of a claimed name up to date, and loads its claim.
    fn claim_row(&self, now: UnixMs) -> Result<Option<NameClaim>, SqlError> {
        if !is_initialised(self.sql)? {
            return Ok(None);
        }
        migrate(self.sql, MIGRATIONS, now)?;
        NameClaim::load(self.sql)
    }

    /// Loads the claim if it is of this account.
    fn claim_of(&self, account: AccountId, now: UnixMs) -> Result<Option<NameClaim>, SqlError> {
        Ok(self.claim_row(now)?.filter(|claim| claim.account == account))
    }

    /// Writes a change of the versions, and forgets what was found of them.
    fn write(&self, writes: &[Statement]) -> Result<(), SqlError> {
        self.remembered.borrow_mut().forget();
        if writes.is_empty() { Ok(()) } else { self.sql.apply(writes) }
    }

    fn claim(
        &self,
        name: &ApiUserName,
        (account, id): (AccountId, KeyId),
        above: ApiSecretVersion,
        secret: &NewApiSecret,
        (now, entropy): (UnixMs, &Entropy),
    ) -> Result<ApiNameReply, ObjectError> {
        let claim = self.claim_row(now)?;
        let versions = claim.as_ref().map_or(&[][..], |claim| &claim.versions);
        let confirmed = versions.iter().find(|version| version.confirmed);
        let is_own = claim.as_ref().is_none_or(|claim| claim.account == account)
            && confirmed.is_none_or(|confirmed| confirmed.id == id);
        if !is_own {
            let account = claim.as_ref().map(|claim| claim.account);
            let holder = account.zip(confirmed).map(|(account, confirmed)| ApiNameHolder {
                account,
                id: confirmed.id,
                version: confirmed.version,
            });
            return Ok(ApiNameReply::Taken { holder });
        }
        if versions.len() >= SECRETS_MAX {
            return Ok(ApiNameReply::Busy);
        }
        let Some(stored) = self.store(secret, entropy)? else {
            return Ok(ApiNameReply::NotUnderstood);
        };
        let highest = versions.first().map_or(above, |first| first.version.max(above));
        let version = ApiSecretVersion(highest.0.saturating_add(1));
        migrate(self.sql, MIGRATIONS, now)?;
        let mut writes = Vec::new();
        if claim.is_none() {
            let text = "INSERT INTO claim (one, name, account) VALUES (1, ?, ?)";
            writes.push(Statement::new(text).bind(name.as_str()).bind(account.as_str()));
        }
        let text = "INSERT INTO secret (version, id, hash, confirmed, staged_at_ms)
            VALUES (?, ?, ?, 0, ?)";
        let row = Statement::new(text).bind(number(version)).bind(id.as_str());
        writes.push(row.bind(stored.as_str()).bind(now));
        // The last version has its full time.
        writes.push(ask_task().reschedule(now.saturating_add(pending())));
        self.write(&writes)?;
        Ok(ApiNameReply::Claimed { version })
    }

    fn confirm(
        &self,
        (account, id): (AccountId, KeyId),
        version: ApiSecretVersion,
        now: UnixMs,
    ) -> Result<ApiNameReply, SqlError> {
        let Some(claim) = self.claim_of(account, now)? else { return Ok(ApiNameReply::NotHeld) };
        let Some(wanted) = claim.find(id, version) else { return Ok(ApiNameReply::NotHeld) };
        // A version above it is staged already: its ledger may be about to go by it.
        let is_over = |one: &StoredVersion| one.id != id || one.version < version;
        let is_done = wanted.confirmed && !claim.versions.iter().any(is_over);
        if !is_done {
            self.write(&confirmation(&claim, version, is_over))?;
        }
        Ok(ApiNameReply::Confirmed)
    }

    /// Removes those versions of an account that are over.
    fn remove(
        &self,
        account: AccountId,
        is_over: impl Fn(&StoredVersion) -> bool,
        now: UnixMs,
    ) -> Result<ApiNameReply, SqlError> {
        let claim = self.claim_of(account, now)?;
        if let Some(claim) = claim.filter(|claim| claim.versions.iter().any(&is_over)) {
            self.write(&claim.without(is_over))?;
        }
        Ok(ApiNameReply::NotHeld)
    }

    fn export(
        &self,
        (account, id): (AccountId, KeyId),
        version: ApiSecretVersion,
        now: UnixMs,
    ) -> Result<ApiNameReply, SqlError> {
        let claim = self.claim_of(account, now)?;
        let found = claim.as_ref().and_then(|claim| claim.find(id, version));
        Ok(found.map_or(ApiNameReply::NotHeld, |found| {
            let stored = SecretText::new(found.stored.as_str().to_owned());
            ApiNameReply::Exported { stored }
        }))
    }

    fn check(
        &self,
        secret: &SecretText,
        (now, entropy): (UnixMs, &Entropy),
    ) -> Result<ApiNameReply, ObjectError> {
        // Nothing of the stored decides this, so that it reveals nothing.
        if is_impossible(secret.expose()) {
            return Ok(ApiNameReply::Refused);
        }
        let claim = self.claim_row(now)?;
        let versions = claim.as_ref().map_or(&[][..], |claim| &claim.versions);
        let known = self.remembered.borrow().version_of(secret);
        if let Some(found) = versions.iter().find(|one| Some(one.version) == known) {
            return Ok(ApiNameReply::Matches { id: found.id, version: found.version });
        }
        for candidate in versions {
            let is_it = candidate.stored.is_of(secret, self.master, self.hash);
            if is_it.ok_or(ObjectError::Hash)? {
                self.renew(candidate, secret, entropy)?;
                self.remembered.borrow_mut().remember(secret, candidate.version, entropy);
                let (id, version) = (candidate.id, candidate.version);
                return Ok(ApiNameReply::Matches { id, version });
            }
        }
        if !versions.iter().any(|version| version.stored.is_slow()) {
            // An unclaimed name, or one with a generated secret: it must not answer sooner.
            self.chosen(secret, &Entropy([0; 32]))?;
        }
        Ok(ApiNameReply::Refused)
    }

    /// Stores a right secret anew if its form is under an older pepper.
    fn renew(
        &self,
        found: &StoredVersion,
        secret: &SecretText,
        entropy: &Entropy,
    ) -> Result<(), ObjectError> {
        let newest = self.master.newest();
        if found.stored.generation() == newest.id() {
            return Ok(());
        }
        let stored = match found.stored.is_slow() {
            true => self.chosen(secret, entropy)?,
            false => StoredApiSecret::generated(secret, newest),
        };
        let row = Statement::new("UPDATE secret SET hash = ? WHERE version = ?");
        Ok(self.sql.apply(&[row.bind(stored.as_str()).bind(number(found.version))])?)
    }

    fn store(
        &self,
        secret: &NewApiSecret,
        entropy: &Entropy,
    ) -> Result<Option<StoredApiSecret>, ObjectError> {
        Ok(match secret {
            NewApiSecret::Chosen { text } => Some(self.chosen(text, entropy)?),
            NewApiSecret::Generated { text } => {
                Some(StoredApiSecret::generated(text, self.master.newest()))
            }
            NewApiSecret::Moved { stored } => StoredApiSecret::parse(stored.expose()),
        })
    }

    fn chosen(
        &self,
        secret: &SecretText,
        entropy: &Entropy,
    ) -> Result<StoredApiSecret, ObjectError> {
        let stored = StoredPassword::of(secret, &entropy.salt(), self.master.newest(), self.hash);
        stored.map(StoredApiSecret::Chosen).ok_or(ObjectError::Hash)
    }
}

/// Returns the writes that follow from the ledger's answer. Versions that were staged less than
/// [`PENDING_MS`] ago stay: the answer may be older than they are.
fn after_answer(claim: &NameClaim, held: Option<HeldApiName>, now: UnixMs) -> Vec<Statement> {
    let is_recent = |one: &StoredVersion| now < one.staged_at.saturating_add(pending());
    let is_held = |one: &StoredVersion| {
        held.is_some_and(|held| (held.id, held.version) == (one.id, one.version))
    };
    let is_over = |one: &StoredVersion| !is_held(one) && !is_recent(one);
    let mut writes = match claim.versions.iter().find(|one| is_held(one)) {
        Some(one) => confirmation(claim, one.version, is_over),
        None => claim.without(is_over),
    };
    let waits = |one: &&StoredVersion| !is_held(one) && is_recent(one);
    if let Some(last) = claim.versions.iter().filter(waits).map(|one| one.staged_at).max() {
        writes.push(ask_task().reschedule(last.saturating_add(pending())));
    }
    writes
}

/// Returns the writes that confirm a version and remove those that are over.
fn confirmation(
    claim: &NameClaim,
    version: ApiSecretVersion,
    is_over: impl Fn(&StoredVersion) -> bool,
) -> Vec<Statement> {
    let mut writes: Vec<_> =
        claim.versions.iter().filter(|one| is_over(one)).map(StoredVersion::remove).collect();
    let none = "UPDATE secret SET confirmed = 0 WHERE version <> ?";
    let one = "UPDATE secret SET confirmed = 1 WHERE version = ?";
    writes.extend([none, one].map(|text| Statement::new(text).bind(number(version))));
    let waits = |one: &StoredVersion| one.version != version && !is_over(one);
    if !claim.versions.iter().any(waits) {
        writes.push(ask_task().done());
    }
    writes
}

impl DurableObject for ApiName<'_> {
    type Request = ApiNameRequest;
    type Reply = ApiNameReply;

    const NOT_UNDERSTOOD: ApiNameReply = ApiNameReply::NotUnderstood;

    fn sql(&self) -> &dyn Sql {
        self.sql
    }

    fn handle(
        &self,
        request: ApiNameRequest,
        now: UnixMs,
        entropy: &Entropy,
    ) -> Result<ApiNameReply, ObjectError> {
        match request {
            ApiNameRequest::Claim { name, account, id, above, secret } => {
                self.claim(&name, (account, id), above, &secret, (now, entropy))
            }
            ApiNameRequest::Confirm { account, id, version } => {
                Ok(self.confirm((account, id), version, now)?)
            }
            ApiNameRequest::Withdraw { account, id, version } => {
                let is_it = |one: &StoredVersion| {
                    (one.id, one.version, one.confirmed) == (id, version, false)
                };
                Ok(self.remove(account, is_it, now)?)
            }
            ApiNameRequest::Leave { account, id, through } => {
                let is_over = |one: &StoredVersion| one.id == id && one.version <= through;
                Ok(self.remove(account, is_over, now)?)
            }
            ApiNameRequest::Export { account, id, version } => {
                Ok(self.export((account, id), version, now)?)
            }
            ApiNameRequest::Check { secret } => self.check(&secret, (now, entropy)),
        }
    }

    fn step(&self, task: &Task, now: UnixMs) -> Result<TaskStep, ObjectError> {
        let claim = self.claim_row(now)?.filter(|_| task.kind == TaskKind::AskApiName);
        Ok(claim.map_or(TaskStep::moot(), |NameClaim { name, account, .. }| {
            TaskStep::Effect(Effect::AskApiName { account, name })
        }))
    }

    fn settled(
        &self,
        effect: &Effect,
        _: Option<bool>,
        _: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError> {
        // Its only effect is a question, whose answer is an outcome of another kind.
        Ok(vec![Task::of(effect).done()])
    }

    fn learned(
        &self,
        effect: &Effect,
        outcome: &EffectOutcome,
        now: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError> {
        let EffectOutcome::ApiNameHeld { held } = outcome else {
            return self.failed(effect, now);
        };
        self.remembered.borrow_mut().forget();
        Ok(match self.claim_row(now)? {
            Some(claim) => after_answer(&claim, *held, now),
            None => vec![Task::of(effect).done()],
        })
    }

    fn is_spent(&self) -> Result<bool, ObjectError> {
        if !is_initialised(self.sql)? {
            return Ok(true);
        }
        let claims = self.sql.integer(&Statement::new("SELECT count(*) FROM claim"))?;
        Ok(claims == 0 && self.next_due()?.is_none())
    }
}

#[cfg(test)]
mod tests;
