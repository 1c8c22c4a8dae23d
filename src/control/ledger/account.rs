//! The account's one row, and its members.

use claviger_core::base::id::AccountId;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::{Epoch, Revision};

use super::freshness::AccountFreshness;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::policy::Policy;
use crate::protocol::view::AccountView;
use crate::protocol::zone::Zone;

/// An SQL expression that is 1 if the last delivery of mail failed.
const IS_FAILING: &str = "ifnull((SELECT state IN ('failing', 'over') FROM mail
    WHERE attempted_at_ms IS NOT NULL AND state <> 'superseded' ORDER BY attempted_at_ms DESC LIMIT 1), 0)";

/// The account that this ledger owns.
#[derive(Clone, Debug)]
pub struct Account {
    /// ID of the account.
    pub id: AccountId,
    /// Name of the account.
    pub name: String,
    /// Time zone of the account.
    pub zone: Zone,
    /// T of promise P1, with its previous value.
    pub freshness: AccountFreshness,
    /// `true` if its owners are the deployment's operators.
    pub operator: bool,
    /// `true` if the operator has suspended it.
    pub suspended: bool,
    /// Revision of the last change of the account state that leases carry; 0: none yet.
    pub state_revision: Revision,
    /// Epoch of the present history.
    pub epoch: Epoch,
    /// Number of histories so far, this one included.
    pub generation: u32,
    /// `true` if the next request begins a new history.
    pub epoch_is_over: bool,
    /// The last epoch that the directory passed on after a restore.
    pub epoch_noted: Option<Epoch>,
    /// Revision of the last change in the account.
    pub revision: Revision,
    /// Time since which KV lacks its oldest missing change, Unix ms; read only.
    pub pending_since: Option<UnixMs>,
    /// `true` if the last delivery of mail failed; read only.
    pub mail_is_failing: bool,
    /// Policy of the account; read only.
    pub policy: Policy,
    /// Revision of the policy; read only.
    pub policy_revision: Revision,
}

impl Account {
    /// Loads the account; `None` if it was never opened.
    pub fn load(sql: &dyn Sql) -> Result<Option<Self>, SqlError> {
        let text = format!(
            "SELECT id, name, zone, freshness_ms, freshness_before_ms, freshness_before_until_ms, suspended,
                state_revision, epoch, generation, epoch_is_over, ifnull(epoch_noted, ''), revision, operator,
                (SELECT min(owed_at_ms) FROM publication WHERE owed_at_ms IS NOT NULL), {IS_FAILING},
                (SELECT policy FROM policy), ifnull((SELECT revision FROM policy), 0)
            FROM account"
        );
        sql.first(&Statement::new(text))?.map(Self::read).transpose()
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.parsed("an account ID", AccountId::parse)?,
            name: row.text()?,
            zone: row.parsed("a zone", |name| Zone::parse(name).ok())?,
            freshness: AccountFreshness {
                ms: row.count()?,
                before_ms: row.count()?,
                before_until: row.time()?,
            },
            suspended: row.integer()? != 0,
            state_revision: row.revision()?,
            epoch: Epoch::from_stored(row.text()?),
            generation: row.count()?,
            epoch_is_over: row.integer()? != 0,
            epoch_noted: Some(row.text()?).filter(|text| !text.is_empty()).map(Epoch::from_stored),
            revision: row.revision()?,
            operator: row.integer()? != 0,
            pending_since: row.optional_time()?,
            mail_is_failing: row.integer()? != 0,
            policy: policy_of(row.optional_text()?.as_deref()),
            policy_revision: row.revision()?,
        })
    }

    /// Inserts the row of a new account.
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

    /// Stores name and time zone.
    pub fn describe(&self) -> Statement {
        Statement::new("UPDATE account SET name = ?, zone = ?")
            .bind(self.name.as_str())
            .bind(self.zone.name())
    }

    /// Records `revision` as the last change.
    pub fn advance(revision: Revision) -> Statement {
        Statement::new("UPDATE account SET revision = ?").bind(revision)
    }

    /// Records `revision` as the last change, and as the last one of the account state that leases
    /// carry.
    pub fn advance_state(revision: Revision) -> Statement {
        let text = "UPDATE account SET revision = ?, state_revision = ?";
        Statement::new(text).bind(revision).bind(revision)
    }

    /// Returns the time from which a change committed at `now` holds everywhere.
    pub fn bound(&self, now: UnixMs) -> Bound {
        self.freshness.bound(now)
    }

    /// Returns the account as members see it.
    pub fn view(&self) -> AccountView {
        let Self { id, name, zone, freshness, suspended, policy, .. } = self.clone();
        AccountView { id, name, zone, freshness_s: freshness.s(), suspended, policy }
    }

    /// Returns the age of the oldest change that KV has not acknowledged.
    pub fn lag(&self, now: UnixMs) -> Option<DurationMs> {
        self.pending_since.map(|pending_since| now.since(pending_since).unwrap_or_default())
    }

    /// Begins a new history. Everything in KV is a miss from now on, and a rebuild puts it again.
    pub fn begin_epoch(&mut self, epoch: Epoch, is_noted: bool) -> Statement {
        self.generation = self.generation.saturating_add(1);
        self.epoch_is_over = false;
        self.epoch_noted = if is_noted { Some(epoch.clone()) } else { self.epoch_noted.take() };
        self.epoch = epoch;
        let text =
            "UPDATE account SET epoch = ?, generation = ?, epoch_noted = ?, epoch_is_over = 0";
        Statement::new(text)
            .bind(self.epoch.as_str())
            .bind(self.generation)
            .bind(self.epoch_noted.as_ref().map(Epoch::as_str))
    }

    /// Records that the present history cannot continue, because KV holds a record that this ledger
    /// never wrote.
    pub fn end_epoch() -> Statement {
        Statement::new("UPDATE account SET epoch_is_over = 1")
    }
}

/// Reads a stored policy. Without one, the account has the default; one that is no JSON is the
/// strictest.
fn policy_of(stored: Option<&str>) -> Policy {
    match stored {
        None => Policy::default(),
        Some(json) => serde_json::from_str(json).unwrap_or(Policy::STRICTEST),
    }
}
