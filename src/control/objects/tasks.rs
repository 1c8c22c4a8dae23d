//! Tasks: the work that an object must still do, each with its due time. The object's one alarm is
//! set to the earliest.
//!
//! A task is written in the same `apply` as the change that causes it, so none is lost. Taking a
//! task moves its due time by [`IN_FLIGHT_MS`], so that its effect is not started twice. After a
//! crash the task comes due again.

use claviger_core::base::id::{AccountId, KeyId, MemberId};
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::api_user::{ApiSecretVersion, ApiUserName};

use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::effect::Effect;

/// The table, for the first migration of every object.
pub const TABLE: &str = "CREATE TABLE due (
    kind     TEXT    NOT NULL,                        -- which task, one of `TaskKind`; immutable
    subject  TEXT    NOT NULL,                        -- what it is about, such as a key ID; '' for the object; immutable
    at_ms    INTEGER NOT NULL,                        -- when it is due, Unix milliseconds; moves while it is taken
    attempts INTEGER NOT NULL CHECK (attempts >= 0),  -- times it was taken without success
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID";

/// The index that finds the earliest task.
pub const INDEX: &str = "CREATE INDEX due_at ON due (at_ms)";

/// Time for which the adapter waits for an effect before its outcome counts as unknown, in
/// milliseconds. KV and objects answer within a second or two; ten mean an outage.
pub const EFFECT_TIMEOUT_MS: u64 = 10_000;

/// Time for which a taken task is reserved, in milliseconds. After [`EFFECT_TIMEOUT_MS`] the
/// adapter has given the effect up, so it is no longer in flight on this side.
pub const IN_FLIGHT_MS: u64 = 3 * EFFECT_TIMEOUT_MS;

/// First pause after a failure, in milliseconds, and least pause between two puts of one KV key: KV
/// accepts one write per second per key.
pub const PAUSE_MIN_MS: u64 = 1_000;

/// Longest pause after failures, in milliseconds. An outage of hours costs one alarm per task every
/// five minutes, and its backlog starts within five minutes of its end.
pub const PAUSE_MAX_MS: u64 = 300_000;

const _: () = assert!(EFFECT_TIMEOUT_MS < IN_FLIGHT_MS && PAUSE_MIN_MS < PAUSE_MAX_MS);

/// The kind of a task. The names are stored and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// Ledger: puts a key's record into KV. Subject: the key.
    PutRecord,
    /// Ledger: confirms a name at its name object. Subject: the member.
    ConfirmName,
    /// Ledger: confirms the account to the directory.
    ConfirmAccount,
    /// Ledger: checks that a put has settled. Subject: the key.
    ReadBack,
    /// Ledger: puts the lease document into KV.
    PutLease,
    /// Ledger: checks that KV holds the last lease document.
    ReadLease,
    /// Ledger: compares KV with the ledger, one batch at a time.
    Repair,
    /// Ledger: puts every record again, one batch at a time.
    Rebuild,
    /// Ledger: removes usage past its retention.
    SweepUsage,
    /// Ledger: removes sessions that have ended.
    SweepSessions,
    /// Ledger: removes expired idempotency keys.
    SweepIdempotency,
    /// Ledger: sends a mail. Subject: the message.
    SendMail,
    /// Ledger: removes mail past its retention.
    SweepMail,
    /// Ledger: removes deletions past their retention.
    SweepDeletions,
    /// Ledger: removes deleted keys whose restore period has ended.
    ScrubKeys,
    /// Ledger: folds stored names anew, one batch at a time.
    FoldNames,
    /// Ledger: removes issued keys that expired long ago.
    SweepIssued,
    /// Ledger: removes revoked sealed keys that have expired.
    SweepRevoked,
    /// Name: asks a ledger if it holds a claim. Subject: the membership, as `account/member`.
    AskHolds,
    /// Name or address: removes counters whose window has ended.
    SweepTries,
    /// Directory: asks a ledger if it was opened. Subject: the account.
    AskExists,
    /// Directory: sends a restored ledger its new epoch. Subject: the account.
    TellEpoch,
    /// Name: tells a ledger that the password was changed. Subject: the membership, as
    /// `account/member`.
    TellPassword,
    /// Ledger: releases a removed member's membership at its name object. Subject: the member.
    LeaveName,
    /// Ledger: removes invitations that expired long ago.
    SweepInvitations,
    /// Name: reports refused attempts to a ledger. Subject: the membership, as `account/member`.
    TellAttempts,
    /// Ledger: mails the notices that wait.
    SendNotices,
    /// Ledger: looks for keys that end soon.
    NoticeKeyEnds,
    /// Name: removes mailbox codes and mails past their retention.
    SweepMailbox,
    /// Name: sends the person to the object of their new address.
    MovePerson,
    /// Name: reports to a new address that the old one has let go. Subject: the change.
    SettleMove,
    /// Name: tells a ledger the person's new address. Subject: the membership, as
    /// `account/member`.
    TellAddress,
    /// Ledger: confirms an API user's name and secret at its name object. Subject: the user.
    ConfirmApiName,
    /// Ledger: releases a former name of an API user. Subject: user, version and name.
    LeaveApiName,
    /// API user's name: asks a ledger which user holds it.
    AskApiName,
}

impl TaskKind {
    const ALL: [Self; 35] = [
        Self::PutRecord,
        Self::ConfirmName,
        Self::ConfirmAccount,
        Self::ReadBack,
        Self::PutLease,
        Self::ReadLease,
        Self::Repair,
        Self::Rebuild,
        Self::SweepUsage,
        Self::SweepSessions,
        Self::SweepIdempotency,
        Self::SendMail,
        Self::SweepMail,
        Self::SweepDeletions,
        Self::ScrubKeys,
        Self::FoldNames,
        Self::SweepIssued,
        Self::SweepRevoked,
        Self::AskHolds,
        Self::SweepTries,
        Self::AskExists,
        Self::TellEpoch,
        Self::TellPassword,
        Self::LeaveName,
        Self::SweepInvitations,
        Self::TellAttempts,
        Self::SendNotices,
        Self::NoticeKeyEnds,
        Self::SweepMailbox,
        Self::MovePerson,
        Self::SettleMove,
        Self::TellAddress,
        Self::ConfirmApiName,
        Self::LeaveApiName,
        Self::AskApiName,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::PutRecord => "put_record",
            Self::ConfirmName => "confirm_name",
            Self::ConfirmAccount => "confirm_account",
            Self::ReadBack => "read_back",
            Self::PutLease => "put_lease",
            Self::ReadLease => "read_lease",
            Self::Repair => "repair",
            Self::Rebuild => "rebuild",
            Self::SweepUsage => "sweep_usage",
            Self::SweepSessions => "sweep_sessions",
            Self::SweepIdempotency => "sweep_idempotency",
            Self::SendMail => "send_mail",
            Self::SweepMail => "sweep_mail",
            Self::SweepDeletions => "sweep_deletions",
            Self::ScrubKeys => "scrub_keys",
            Self::FoldNames => "fold_names",
            Self::SweepIssued => "sweep_issued",
            Self::SweepRevoked => "sweep_revoked",
            Self::AskHolds => "ask_holds",
            Self::SweepTries => "sweep_tries",
            Self::AskExists => "ask_exists",
            Self::TellEpoch => "tell_epoch",
            Self::TellPassword => "tell_password",
            Self::LeaveName => "leave_name",
            Self::SweepInvitations => "sweep_invitations",
            Self::TellAttempts => "tell_attempts",
            Self::SendNotices => "send_notices",
            Self::NoticeKeyEnds => "notice_key_ends",
            Self::SweepMailbox => "sweep_mailbox",
            Self::MovePerson => "move_person",
            Self::SettleMove => "settle_move",
            Self::TellAddress => "tell_address",
            Self::ConfirmApiName => "confirm_api_name",
            Self::LeaveApiName => "leave_api_name",
            Self::AskApiName => "ask_api_name",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The identity of a task: at most one row has the same kind and subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Kind, which selects the code that runs it.
    pub kind: TaskKind,
    /// Object of the work, such as a key ID; empty if it is the whole object.
    pub subject: String,
}

impl Task {
    /// Returns the task of this kind for `subject`.
    pub fn new(kind: TaskKind, subject: impl ToString) -> Self {
        Self { kind, subject: subject.to_string() }
    }

    /// Returns the task of this kind for the object as a whole.
    pub fn own(kind: TaskKind) -> Self {
        Self::new(kind, "")
    }

    /// Returns the task of this kind for a membership.
    pub fn of_membership(kind: TaskKind, account: AccountId, member: MemberId) -> Self {
        Self { kind, subject: format!("{account}/{member}") }
    }

    /// Returns the task that releases a former name of an API user, with all versions of the secret
    /// up to this one.
    pub fn of_former_name(id: KeyId, through: ApiSecretVersion, name: &ApiUserName) -> Self {
        Self::new(TaskKind::LeaveApiName, format!("{id}/{}/{name}", through.0))
    }

    /// Reads the subject of [`Task::of_former_name`].
    pub fn former_name(&self) -> Option<(KeyId, ApiSecretVersion, ApiUserName)> {
        // A name may contain a slash.
        let mut parts = self.subject.splitn(3, '/');
        let (id, through, name) = (parts.next()?, parts.next()?, parts.next()?);
        let through = ApiSecretVersion(through.parse().ok()?);
        Some((KeyId::parse(id)?, through, ApiUserName::parse(name)?))
    }

    /// Returns the task that produced `effect`.
    pub fn of(effect: &Effect) -> Self {
        match effect {
            Effect::PutRecord { id, .. } => Self::new(TaskKind::PutRecord, id),
            Effect::ReadBack { id, .. } => Self::new(TaskKind::ReadBack, id),
            Effect::ReadMany { .. } | Effect::ListKv { .. } => Self::own(TaskKind::Repair),
            Effect::PutLease { .. } => Self::own(TaskKind::PutLease),
            Effect::ReadLease { .. } => Self::own(TaskKind::ReadLease),
            Effect::TellEpoch { account, .. } => Self::new(TaskKind::TellEpoch, account),
            Effect::ConfirmName { request, .. } => Self::new(TaskKind::ConfirmName, request.member),
            Effect::ConfirmAccount { .. } => Self::own(TaskKind::ConfirmAccount),
            Effect::SendMail { envelope } => Self::new(TaskKind::SendMail, &envelope.id),
            Effect::AskHolds { account, member, .. } => {
                Self::of_membership(TaskKind::AskHolds, *account, *member)
            }
            Effect::TellPassword { account, news } => {
                Self::of_membership(TaskKind::TellPassword, *account, news.member)
            }
            Effect::TellAttempts { account, news, .. } => {
                Self::of_membership(TaskKind::TellAttempts, *account, news.member)
            }
            Effect::AskExists { account } => Self::new(TaskKind::AskExists, account),
            Effect::ConfirmApiName(confirmation) => {
                Self::new(TaskKind::ConfirmApiName, confirmation.id)
            }
            Effect::LeaveApiName { id, through, name, .. } => {
                Self::of_former_name(*id, *through, name)
            }
            Effect::AskApiName { .. } => Self::own(TaskKind::AskApiName),
            Effect::LeaveName { member, .. } => Self::new(TaskKind::LeaveName, member),
            Effect::MovePerson { .. } => Self::own(TaskKind::MovePerson),
            Effect::SettleMove { change } => Self::new(TaskKind::SettleMove, change.id),
            Effect::TellAddress { account, news } => {
                Self::of_membership(TaskKind::TellAddress, *account, news.member)
            }
        }
    }

    /// Adds the task with due time `at`. An existing task keeps its due time: it may be taken, or
    /// in backoff.
    pub fn schedule(&self, at: UnixMs) -> Statement {
        self.bound(
            "INSERT INTO due (at_ms, attempts, kind, subject) VALUES (?, 0, ?, ?) ON CONFLICT DO NOTHING",
            [at],
        )
    }

    /// Adds the task with due time `at`, or moves an existing one forward to `at`. For one task
    /// that serves many items, each with its own time.
    pub fn schedule_by(&self, at: UnixMs) -> Statement {
        self.bound(
            "INSERT INTO due (at_ms, attempts, kind, subject) VALUES (?, 0, ?, ?)
            ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms WHERE excluded.at_ms < at_ms",
            [at],
        )
    }

    /// Adds the task with due time `at`, or moves an existing one to `at`.
    pub fn reschedule(&self, at: UnixMs) -> Statement {
        self.bound(
            "INSERT INTO due (at_ms, attempts, kind, subject) VALUES (?, 0, ?, ?)
            ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, attempts = 0",
            [at],
        )
    }

    /// Moves the task to `at` and resets its attempts.
    pub fn postpone(&self, at: UnixMs) -> Statement {
        self.bound("UPDATE due SET at_ms = ?, attempts = 0 WHERE kind = ? AND subject = ?", [at])
    }

    /// Removes the task.
    pub fn done(&self) -> Statement {
        self.bound("DELETE FROM due WHERE kind = ? AND subject = ?", [])
    }

    /// Takes the task: reserves it until it is settled or [`IN_FLIGHT_MS`] have passed.
    pub fn taken(&self, now: UnixMs) -> Statement {
        let until = now.saturating_add(DurationMs::from_ms(IN_FLIGHT_MS));
        self.bound(
            "UPDATE due SET at_ms = ?, attempts = attempts + 1 WHERE kind = ? AND subject = ?",
            [until],
        )
    }

    /// Postpones a taken task after a failure, with growing backoff.
    ///
    /// # Errors
    /// [`SqlError`] if the database fails.
    pub fn failed(&self, sql: &dyn Sql, now: UnixMs) -> Result<Statement, SqlError> {
        let at = now.saturating_add(pause(self.attempts(sql)?));
        Ok(self.bound("UPDATE due SET at_ms = ? WHERE kind = ? AND subject = ?", [at]))
    }

    /// Postpones a task that could not even start, with growing backoff.
    ///
    /// # Errors
    /// [`SqlError`] if the database fails.
    pub fn stuck(&self, sql: &dyn Sql, now: UnixMs) -> Result<Statement, SqlError> {
        let at = now.saturating_add(pause(self.attempts(sql)?.saturating_add(1)));
        let text =
            "UPDATE due SET at_ms = ?, attempts = attempts + 1 WHERE kind = ? AND subject = ?";
        Ok(self.bound(text, [at]))
    }

    fn attempts(&self, sql: &dyn Sql) -> Result<i64, SqlError> {
        sql.integer(&self.bound("SELECT attempts FROM due WHERE kind = ? AND subject = ?", []))
    }

    fn bound<const N: usize>(&self, text: &'static str, times: [UnixMs; N]) -> Statement {
        Statement::new(text)
            .bind_all(times.map(Into::into))
            .bind(self.kind.as_str())
            .bind(self.subject.as_str())
    }
}

/// Returns `true` if this task exists, due or not.
///
/// # Errors
/// [`SqlError`] if the database fails.
pub fn stands(sql: &dyn Sql, task: &Task) -> Result<bool, SqlError> {
    Ok(sql.integer(&task.bound("SELECT count(*) FROM due WHERE kind = ? AND subject = ?", []))? > 0)
}

/// Returns the earliest due time of the tasks of a kind, Unix ms, if at least `many` exist;
/// otherwise `None`.
///
/// # Errors
/// [`SqlError`] if the database fails.
pub fn queue(sql: &dyn Sql, kind: TaskKind, many: u32) -> Result<Option<UnixMs>, SqlError> {
    let standing =
        Statement::new("SELECT count(*) FROM (SELECT 1 FROM due WHERE kind = ? LIMIT ?)");
    if sql.integer(&standing.bind(kind.as_str()).bind(many))? < many.into() {
        return Ok(None);
    }
    let first = Statement::new("SELECT min(at_ms) FROM due WHERE kind = ?").bind(kind.as_str());
    sql.first(&first)?.map_or(Ok(None), |mut row| row.optional_time())
}

/// Returns the task to run at `now`: mail first, then the earliest. Mail goes first because a
/// person waits for a code that expires in minutes. When KV hangs, each put before it would cost
/// [`EFFECT_TIMEOUT_MS`]. Mail is rare, so it delays little else.
///
/// A task of an unknown kind comes from a later release that was rolled back. It waits for that
/// release and does not block others.
///
/// # Errors
/// [`SqlError`] if the database fails.
pub fn first(sql: &dyn Sql, now: UnixMs) -> Result<Option<Task>, SqlError> {
    let mail = "SELECT kind, subject FROM due WHERE kind = ? AND at_ms <= ? ORDER BY at_ms, subject LIMIT 1";
    if let Some(row) =
        sql.first(&Statement::new(mail).bind(TaskKind::SendMail.as_str()).bind(now))?
    {
        return read(row).map(Some);
    }
    let text = format!(
        "SELECT kind, subject FROM due INDEXED BY due_at WHERE at_ms <= ? AND kind IN ({})
        ORDER BY at_ms, kind, subject LIMIT 1",
        known()
    );
    sql.first(&Statement::new(text).bind(now))?.map(read).transpose()
}

/// Returns the earliest due time of all tasks of known kinds, Unix ms.
///
/// # Errors
/// [`SqlError`] if the database fails.
pub fn earliest(sql: &dyn Sql) -> Result<Option<UnixMs>, SqlError> {
    let text = format!(
        "SELECT at_ms FROM due INDEXED BY due_at WHERE kind IN ({}) ORDER BY at_ms LIMIT 1",
        known()
    );
    sql.first(&Statement::new(text))?.map_or(Ok(None), |mut row| row.optional_time())
}

/// Returns the names of all kinds as an SQL list.
fn known() -> String {
    TaskKind::ALL.map(|kind| format!("'{}'", kind.as_str())).join(", ")
}

fn read(mut row: Row) -> Result<Task, SqlError> {
    Ok(Task { kind: row.parsed("a kind of task", TaskKind::parse)?, subject: row.text()? })
}

/// Returns the pause after the `attempts`-th failure, which doubles from [`PAUSE_MIN_MS`] to
/// [`PAUSE_MAX_MS`].
fn pause(attempts: i64) -> DurationMs {
    let doublings = u32::try_from(attempts.saturating_sub(1).max(0)).unwrap_or(u32::MAX);
    let factor = 2_u64.checked_pow(doublings).unwrap_or(u64::MAX);
    DurationMs::from_ms(PAUSE_MIN_MS.saturating_mul(factor).min(PAUSE_MAX_MS))
}

#[cfg(test)]
mod tests;
