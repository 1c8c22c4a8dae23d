//! The directory: the list of all accounts of the deployment. There is one instance, because
//! Durable Objects cannot be enumerated.
//!
//! An account is entered *before* its ledger is written, so the directory lists every ledger.
//! States:
//!
//! ```text
//!   (absent) ──EnterFirst, Invite──▶ pending ──Confirm, or the ledger says "opened"──▶ open
//!                                       └──the ledger says "never opened", Withdraw──▶ (absent)
//! ```
//!
//! If an account is still pending after [`PENDING_MS`], the directory asks its ledger until it
//! answers. For an invited account the time starts at the expiry of the set-up link. A confirmation
//! of an unlisted account adds it: only ledgers that were opened confirm.
//!
//! A set-up link may be in many hands. While an account is pending, one e-mail address at a time
//! uses its link: the others claim no name. An attempt that got no name leaves at once.
//!
//! Restoring a ledger from a bookmark takes three steps, in this order. The directory notes a new
//! epoch; the operator restores the ledger; the directory sends it the epoch until it answers. If
//! one step fails, the operator repeats all three: an epoch that was never sent has no effect.

mod list;
mod state;

use claviger_core::base::id::AccountId;
use claviger_core::base::secret::Digest;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::record::Epoch;

use self::state::{parse_state, state_text};
use crate::objects::object::{DurableObject, Entropy, ObjectError, TaskStep};
use crate::objects::sql::migrate::{Migration, is_initialised, migrate};
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks;
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::effect::Effect;
use crate::protocol::objects::{DirectoryReply, DirectoryRequest};
use crate::protocol::operator::EntryState;
use crate::protocol::token::SETUP_LIFE_MS;

/// Time for which an entry may wait for its ledger, in milliseconds. A set-up takes a second; after
/// ten minutes no client waits for it any more. The name object releases the claim at the same age.
pub const PENDING_MS: u64 = 10 * 60 * 1_000;

/// The schema. Append only.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        statements: &[
            tasks::TABLE,
            tasks::INDEX,
            "CREATE TABLE account (
            id            TEXT PRIMARY KEY CHECK (length(id) = 8),          -- of the account; immutable
            state         TEXT NOT NULL CHECK (state IN ('pending', 'open')),  -- pending, then open for good
            entered_at_ms INTEGER NOT NULL                                  -- Unix milliseconds; immutable
        ) STRICT, WITHOUT ROWID",
        ],
    },
    Migration {
        statements: &[
            // New epoch for a ledger that is being restored, in hex; NULL: none is noted; mutable.
            "ALTER TABLE account ADD COLUMN epoch TEXT",
        ],
    },
    Migration {
        statements: &[
            // 1 if an operator invited it; immutable.
            "ALTER TABLE account ADD COLUMN invited INTEGER NOT NULL DEFAULT 0 CHECK (invited IN (0, 1))",
            // Name that its ledger reported; NULL: none yet; mutable.
            "ALTER TABLE account ADD COLUMN name TEXT",
            "CREATE INDEX account_by_entry ON account (entered_at_ms, id)",
        ],
    },
    Migration {
        statements: &[
            // Digest of the e-mail address that uses the set-up link; NULL: none does; mutable.
            "ALTER TABLE account ADD COLUMN claimant BLOB",
            // Time until which no other address may, Unix milliseconds; mutable.
            "ALTER TABLE account ADD COLUMN claimed_until_ms INTEGER NOT NULL DEFAULT 0",
        ],
    },
    Migration {
        statements: &[
            // 1 if an operator has suspended it; mutable. 0 for accounts that were suspended before
            // this release, until an operator opens their page.
            "ALTER TABLE account ADD COLUMN suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1))",
        ],
    },
];

/// The directory over its database.
pub struct Directory<'a> {
    sql: &'a dyn Sql,
}

impl<'a> Directory<'a> {
    /// Returns the object of this database.
    pub fn new(sql: &'a dyn Sql) -> Self {
        Self { sql }
    }

    fn state(&self, account: AccountId) -> Result<Option<EntryState>, SqlError> {
        if !is_initialised(self.sql)? {
            return Ok(None);
        }
        let row = self.sql.first(
            &Statement::new("SELECT state FROM account WHERE id = ?").bind(account.as_str()),
        )?;
        row.map(|mut row| row.parsed("a state", parse_state)).transpose()
    }

    fn has_another_than(&self, account: AccountId) -> Result<bool, SqlError> {
        if !is_initialised(self.sql)? {
            return Ok(false);
        }
        let others =
            Statement::new("SELECT count(*) FROM (SELECT 1 FROM account WHERE id <> ? LIMIT 1)");
        Ok(self.sql.integer(&others.bind(account.as_str()))? > 0)
    }

    fn enter_first(
        &self,
        account: AccountId,
        claimant: Option<Digest>,
        now: UnixMs,
    ) -> Result<DirectoryReply, SqlError> {
        let (mut writes, reply) = match self.state(account)? {
            Some(EntryState::Open) => return Ok(DirectoryReply::SetupDone),
            Some(EntryState::Pending) => {
                if let Some(until) = self.claimed_by_another(account, claimant, now)? {
                    return Ok(DirectoryReply::SetupBusy { until });
                }
                let is_invited = self.is_invited(account)?;
                let reply =
                    if is_invited { DirectoryReply::Invited } else { DirectoryReply::Entered };
                (Vec::new(), reply)
            }
            None if self.has_another_than(account)? => return Ok(DirectoryReply::SetupDone),
            None => {
                migrate(self.sql, MIGRATIONS, now)?;
                let ask = Task::new(TaskKind::AskExists, account)
                    .schedule(now.saturating_add(DurationMs::from_ms(PENDING_MS)));
                (vec![enter(account, EntryState::Pending, now), ask], DirectoryReply::Entered)
            }
        };
        // The name object keeps a claim for this long without an answer of the ledger.
        let until = now.saturating_add(DurationMs::from_ms(PENDING_MS));
        writes.extend(claimant.map(|claimant| {
            Statement::new("UPDATE account SET claimant = ?, claimed_until_ms = ? WHERE id = ?")
                .bind(claimant.as_bytes().as_slice())
                .bind(until)
                .bind(account.as_str())
        }));
        if !writes.is_empty() {
            self.sql.apply(&writes)?;
        }
        Ok(reply)
    }

    /// Returns the time until which another e-mail address uses the set-up link, Unix ms.
    fn claimed_by_another(
        &self,
        account: AccountId,
        claimant: Option<Digest>,
        now: UnixMs,
    ) -> Result<Option<UnixMs>, SqlError> {
        let Some(claimant) = claimant else { return Ok(None) };
        let text = "SELECT claimed_until_ms FROM account
            WHERE id = ? AND claimant IS NOT NULL AND claimant <> ? AND claimed_until_ms > ?";
        let other = Statement::new(text)
            .bind(account.as_str())
            .bind(claimant.as_bytes().as_slice())
            .bind(now);
        self.sql.first(&other)?.map(|mut row| row.time()).transpose()
    }

    fn leave_setup(
        &self,
        account: AccountId,
        claimant: Digest,
    ) -> Result<DirectoryReply, SqlError> {
        if is_initialised(self.sql)? {
            let text = "UPDATE account SET claimant = NULL WHERE id = ? AND claimant = ?";
            let leave = Statement::new(text).bind(account.as_str());
            self.sql.apply(&[leave.bind(claimant.as_bytes().as_slice())])?;
        }
        Ok(DirectoryReply::Noted)
    }

    /// Returns what [`Self::enter_first`] would find, without entering anything.
    fn check_first(&self, account: AccountId) -> Result<DirectoryReply, SqlError> {
        Ok(match self.state(account)? {
            Some(EntryState::Open) => DirectoryReply::SetupDone,
            None if self.has_another_than(account)? => DirectoryReply::SetupDone,
            Some(EntryState::Pending) | None => DirectoryReply::Entered,
        })
    }

    /// Stores the reported state of an account that is open.
    fn note_suspended(
        &self,
        account: AccountId,
        suspended: bool,
    ) -> Result<DirectoryReply, SqlError> {
        if self.state(account)? != Some(EntryState::Open) {
            return Ok(DirectoryReply::Unknown);
        }
        self.sql.apply(&[suspend(account, suspended)])?;
        Ok(DirectoryReply::Noted)
    }

    /// Enters an account until its set-up link expires, plus the time of a set-up that begins in
    /// the last second. Repeating the invitation enters a pending account again, because the new
    /// link expires later.
    fn invite(
        &self,
        account: AccountId,
        again: bool,
        now: UnixMs,
    ) -> Result<DirectoryReply, SqlError> {
        match self.state(account)? {
            None => {}
            Some(EntryState::Pending) if again && self.is_invited(account)? => {}
            Some(EntryState::Pending | EntryState::Open) => return Ok(DirectoryReply::SetupDone),
        }
        migrate(self.sql, MIGRATIONS, now)?;
        let over = now.saturating_add(DurationMs::from_ms(SETUP_LIFE_MS.unsigned_abs()));
        let insert =
            "INSERT INTO account (id, state, entered_at_ms, invited) VALUES (?, 'pending', ?, 1)";
        self.sql.apply(&[
            remove(account),
            Statement::new(insert).bind(account.as_str()).bind(now),
            Task::new(TaskKind::AskExists, account)
                .reschedule(over.saturating_add(DurationMs::from_ms(PENDING_MS))),
        ])?;
        Ok(DirectoryReply::Entered)
    }

    fn is_invited(&self, account: AccountId) -> Result<bool, SqlError> {
        let text = "SELECT count(*) FROM account WHERE id = ? AND invited = 1";
        Ok(self.sql.integer(&Statement::new(text).bind(account.as_str()))? > 0)
    }

    /// Notes a new epoch before a ledger is restored. The directory stores it, because the restore
    /// also resets the ledger's own memory of it.
    fn note_epoch(
        &self,
        account: AccountId,
        now: UnixMs,
        entropy: &Entropy,
    ) -> Result<DirectoryReply, SqlError> {
        if self.state(account)? != Some(EntryState::Open) {
            return Ok(DirectoryReply::Unknown);
        }
        migrate(self.sql, MIGRATIONS, now)?;
        let epoch = Epoch::new(entropy.number());
        let note = Statement::new("UPDATE account SET epoch = ? WHERE id = ?");
        // Removes the pending task of an earlier restore. That task would send the new epoch before
        // the ledger is restored.
        let note = note.bind(epoch.as_str()).bind(account.as_str());
        self.sql.apply(&[note, Task::new(TaskKind::TellEpoch, account).done()])?;
        Ok(DirectoryReply::Epoch { epoch })
    }

    /// Schedules sending the noted epoch, after the ledger was restored. The restore would undo an
    /// epoch sent earlier.
    fn restored(&self, account: AccountId, now: UnixMs) -> Result<DirectoryReply, SqlError> {
        if self.state(account)?.is_none() {
            return Ok(DirectoryReply::Unknown);
        }
        migrate(self.sql, MIGRATIONS, now)?;
        let Some(_) = self.noted_epoch(account)? else { return Ok(DirectoryReply::Unknown) };
        self.sql.apply(&[Task::new(TaskKind::TellEpoch, account).reschedule(now)])?;
        Ok(DirectoryReply::Noted)
    }

    fn noted_epoch(&self, account: AccountId) -> Result<Option<Epoch>, SqlError> {
        let text = "SELECT epoch FROM account WHERE id = ? AND epoch IS NOT NULL";
        let row = self.sql.first(&Statement::new(text).bind(account.as_str()))?;
        row.map(|mut row| row.text().map(Epoch::from_stored)).transpose()
    }

    fn confirm(
        &self,
        account: AccountId,
        name: Option<&str>,
        suspended: Option<bool>,
        now: UnixMs,
    ) -> Result<DirectoryReply, SqlError> {
        let is_open = self.state(account)? == Some(EntryState::Open);
        let call = name.map(|name| {
            Statement::new("UPDATE account SET name = ? WHERE id = ?")
                .bind(name)
                .bind(account.as_str())
        });
        let note = suspended.map(|suspended| suspend(account, suspended));
        if !is_open || call.is_some() || note.is_some() {
            migrate(self.sql, MIGRATIONS, now)?;
            let writes = open(account, now).into_iter().chain(call).chain(note);
            self.sql.apply(&writes.collect::<Vec<_>>())?;
        }
        Ok(DirectoryReply::Noted)
    }

    /// Removes an invited account, unless it is set up or just being set up: an attempt that uses
    /// the link will open the account's ledger.
    fn withdraw(&self, account: AccountId, now: UnixMs) -> Result<DirectoryReply, SqlError> {
        match self.state(account)? {
            Some(EntryState::Open) => return Ok(DirectoryReply::SetupDone),
            Some(EntryState::Pending) if self.is_invited(account)? => {}
            Some(EntryState::Pending) | None => return Ok(DirectoryReply::Unknown),
        }
        let text = "SELECT claimed_until_ms FROM account
            WHERE id = ? AND claimant IS NOT NULL AND claimed_until_ms > ?";
        let claim = Statement::new(text).bind(account.as_str()).bind(now);
        if let Some(mut row) = self.sql.first(&claim)? {
            return Ok(DirectoryReply::SetupBusy { until: row.time()? });
        }
        self.sql.apply(&[remove(account), Task::new(TaskKind::AskExists, account).done()])?;
        Ok(DirectoryReply::Noted)
    }
}

impl DurableObject for Directory<'_> {
    type Request = DirectoryRequest;
    type Reply = DirectoryReply;

    const NOT_UNDERSTOOD: DirectoryReply = DirectoryReply::NotUnderstood;

    fn sql(&self) -> &dyn Sql {
        self.sql
    }

    fn handle(
        &self,
        request: DirectoryRequest,
        now: UnixMs,
        entropy: &Entropy,
    ) -> Result<DirectoryReply, ObjectError> {
        if is_initialised(self.sql)? {
            migrate(self.sql, MIGRATIONS, now)?;
        }
        Ok(match request {
            DirectoryRequest::EnterFirst { account, claimant } => {
                self.enter_first(account, claimant, now)?
            }
            DirectoryRequest::LeaveSetup { account, claimant } => {
                self.leave_setup(account, claimant)?
            }
            DirectoryRequest::CheckFirst { account } => self.check_first(account)?,
            DirectoryRequest::NoteSuspended { account, suspended } => {
                self.note_suspended(account, suspended)?
            }
            DirectoryRequest::Invite { account, again } => self.invite(account, again, now)?,
            DirectoryRequest::Confirm { account, name, suspended } => {
                self.confirm(account, name.as_deref(), suspended, now)?
            }
            DirectoryRequest::Withdraw { account } => self.withdraw(account, now)?,
            DirectoryRequest::List { cursor, q, status } => {
                list::page(self.sql, cursor, q.as_deref(), status)?
            }
            DirectoryRequest::Find { account } => list::find(self.sql, account)?,
            DirectoryRequest::FindFirst => list::find_first(self.sql)?,
            DirectoryRequest::NoteEpoch { account } => self.note_epoch(account, now, entropy)?,
            DirectoryRequest::Restored { account } => self.restored(account, now)?,
        })
    }

    fn step(&self, task: &Task, _: UnixMs) -> Result<TaskStep, ObjectError> {
        let Some(account) = AccountId::parse(&task.subject) else { return Ok(TaskStep::moot()) };
        if task.kind == TaskKind::TellEpoch {
            let tell = |epoch| TaskStep::Effect(Effect::TellEpoch { account, epoch });
            return Ok(self.noted_epoch(account)?.map_or(TaskStep::moot(), tell));
        }
        Ok(match self.state(account)? {
            Some(EntryState::Pending) => TaskStep::Effect(Effect::AskExists { account }),
            Some(EntryState::Open) | None => TaskStep::moot(),
        })
    }

    fn settled(
        &self,
        effect: &Effect,
        held: Option<bool>,
        now: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError> {
        if let Effect::TellEpoch { account, epoch } = effect {
            // Another epoch was noted meanwhile; its task stays.
            if self.noted_epoch(*account)?.as_ref() != Some(epoch) {
                return Ok(Vec::new());
            }
            let forget = Statement::new("UPDATE account SET epoch = NULL WHERE id = ?");
            return Ok(vec![forget.bind(account.as_str()), Task::of(effect).done()]);
        }
        let Effect::AskExists { account } = effect else {
            return Ok(vec![Task::of(effect).done()]);
        };
        Ok(match (self.state(*account)?, held) {
            (Some(EntryState::Pending), Some(true)) => open(*account, now).into(),
            (Some(EntryState::Pending), Some(false)) => {
                vec![remove(*account), Task::of(effect).done()]
            }
            // The ledger did not answer: ask again.
            (Some(EntryState::Pending), None) => vec![Task::of(effect).failed(self.sql, now)?],
            (Some(EntryState::Open) | None, _) => vec![Task::of(effect).done()],
        })
    }
}

fn enter(account: AccountId, state: EntryState, now: UnixMs) -> Statement {
    let text = "INSERT INTO account (id, state, entered_at_ms) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET state = excluded.state";
    Statement::new(text).bind(account.as_str()).bind(state_text(state)).bind(now)
}

fn suspend(account: AccountId, suspended: bool) -> Statement {
    let text = "UPDATE account SET suspended = ? WHERE id = ?";
    Statement::new(text).bind(suspended).bind(account.as_str())
}

fn remove(account: AccountId) -> Statement {
    Statement::new("DELETE FROM account WHERE id = ?").bind(account.as_str())
}

fn open(account: AccountId, now: UnixMs) -> [Statement; 2] {
    [enter(account, EntryState::Open, now), Task::new(TaskKind::AskExists, account).done()]
}

#[cfg(test)]
mod tests;
