//! The lease document in KV ([`claviger_core::replication::document`]): when the ledger puts it,
//! and how it proves that KV keeps it.
//!
//! Triggers raise `lease_document.version` whenever the document's contents change: keys, unsettled
//! marks, account state, or history. They fire for every writer. The change then schedules the task
//! `put_lease` if the deployment wants documents, or if this account ever had one.
//!
//! Each put carries the document that is current when the put starts; later changes go into the
//! next put. Two puts start at least [`PAUSE_MIN_MS`] apart, and at most one is in flight. The
//! ledger repeats a put that failed or has an unknown outcome. The earlier put may still land late
//! and overwrite a newer document. So the ledger reads the last document back once no put can land
//! any more. If KV holds another one, the ledger puts it again under a higher number. The same
//! check ends each round of the [repair](super::repair).

use claviger_core::base::id::AccountId;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::document::{CHANGES_MAX, Document, kv_key};
use claviger_core::replication::record::{Epoch, Revision};
use claviger_core::replication::refresh::{Delta, Mark, Refresh, SETTLE_MS, Unsettled};
use claviger_core::replication::superseded::Superseded;

use super::account::Account;
use super::publication::PUT_LATE_MS;
use super::state;
use crate::ledger::publication;
use crate::objects::object::TaskStep;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{PAUSE_MIN_MS, Task, TaskKind};
use crate::protocol::effect::Effect;
use crate::protocol::integer::INTEGER_MAX;

/// The state of KV for the lease document.
#[derive(Clone, Debug, PartialEq, Eq)]
struct DocumentStanding {
    /// Version of the contents; rises with each change of them.
    version: i64,
    /// Last version that KV acknowledged; 0: none.
    acknowledged: i64,
    /// Number of the last document sent; 0: none.
    number: u64,
    /// Epoch in that document.
    epoch: Option<Epoch>,
    /// Time at which it was sent, Unix ms.
    sent_at: Option<UnixMs>,
    /// `true` while that put is in flight.
    is_under_way: bool,
    /// Time of KV's acknowledgement, Unix ms.
    acknowledged_at: Option<UnixMs>,
    /// Time at which the last put of unknown outcome was sent, Unix ms.
    unsure_at: Option<UnixMs>,
}

impl DocumentStanding {
    fn load(sql: &dyn Sql) -> Result<Self, SqlError> {
        let text =
            "SELECT version, acknowledged, number, ifnull(epoch, ''), sent_at_ms, is_under_way,
            acknowledged_at_ms, unsure_at_ms FROM lease_document";
        let row = sql.first(&Statement::new(text))?;
        row.map_or_else(|| Err(SqlError::Column { column: 0, expected: "a row" }), Self::read)
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            version: row.integer()?,
            acknowledged: row.integer()?,
            number: u64::try_from(row.integer()?).unwrap_or_default(),
            epoch: Some(row.text()?).filter(|text| !text.is_empty()).map(Epoch::from_stored),
            sent_at: row.optional_time()?,
            is_under_way: row.integer()? != 0,
            acknowledged_at: row.optional_time()?,
            unsure_at: row.optional_time()?,
        })
    }

    /// Updates the row of `lease_document`, except `version`. Only the triggers and [`spoil`] raise
    /// that.
    fn store(&self) -> Statement {
        let text =
            "UPDATE lease_document SET acknowledged = ?, number = ?, epoch = ?, sent_at_ms = ?,
            is_under_way = ?, acknowledged_at_ms = ?, unsure_at_ms = ?";
        Statement::new(text)
            .bind(self.acknowledged)
            .bind(i64::try_from(self.number).unwrap_or(INTEGER_MAX))
            .bind(self.epoch.as_ref().map(Epoch::as_str))
            .bind(self.sent_at)
            .bind(self.is_under_way)
            .bind(self.acknowledged_at)
            .bind(self.unsure_at)
    }

    fn is_pending(&self) -> bool {
        self.version > self.acknowledged
    }

    /// Treats a put without a reported outcome as one that may still land.
    fn concluded(self) -> Self {
        let unsure_at =
            if self.is_under_way { self.sent_at.max(self.unsure_at) } else { self.unsure_at };
        Self { is_under_way: false, unsure_at, ..self }
    }

    /// Returns the earliest time for the read-back, Unix ms; `None` while KV lacks the last
    /// document.
    fn read_back_at(&self) -> Option<UnixMs> {
        // A put in flight is pending, too.
        let acknowledged_at = self.acknowledged_at.filter(|_| !self.is_pending())?;
        let landed_at =
            self.unsure_at.map(|sent| sent.saturating_add(DurationMs::from_ms(PUT_LATE_MS)));
        let last = landed_at.map_or(acknowledged_at, |landed_at| acknowledged_at.max(landed_at));
        Some(last.saturating_add(DurationMs::from_ms(SETTLE_MS)))
    }
}

fn put_task() -> Task {
    Task::own(TaskKind::PutLease)
}

fn read_task() -> Task {
    Task::own(TaskKind::ReadLease)
}

/// Schedules the put if the preceding writes of the same transaction have changed the document. A
/// document that was ever put stays current even if the deployment does not want documents now: it
/// may want them again.
pub fn schedule(is_wanted: bool, now: UnixMs) -> Statement {
    // `put_lease` is the stored name of this kind of task.
    let text = "INSERT INTO due (kind, subject, at_ms, attempts)
        SELECT 'put_lease', '', ?, 0 FROM lease_document WHERE version > acknowledged AND (? OR number > 0)
        ON CONFLICT DO NOTHING";
    Statement::new(text).bind(now).bind(is_wanted)
}

/// Marks every version as unacknowledged, so that the document is put again.
pub fn spoil() -> Statement {
    Statement::new("UPDATE lease_document SET version = version + 1")
}

/// Returns `true` if a document must be put and no task exists for it.
pub fn is_forgotten(sql: &dyn Sql) -> Result<bool, SqlError> {
    let text = "SELECT count(*) FROM lease_document WHERE version > acknowledged
        AND NOT EXISTS (SELECT 1 FROM due WHERE kind = 'put_lease')";
    Ok(sql.integer(&Statement::new(text))? > 0)
}

/// Schedules a read-back of KV, if there ever was a document.
pub fn schedule_look(now: UnixMs) -> Statement {
    // `read_lease` is the stored name of this kind of task.
    let text = "INSERT INTO due (kind, subject, at_ms, attempts)
        SELECT 'read_lease', '', ?, 0 FROM lease_document WHERE number > 0 ON CONFLICT DO NOTHING";
    Statement::new(text).bind(now)
}

/// Returns the least number of a document that belongs to the present history; 0 if none was ever
/// sent. After a change of history this is the next number.
pub fn number(sql: &dyn Sql, account: &Account) -> Result<u64, SqlError> {
    let DocumentStanding { number, epoch, .. } = DocumentStanding::load(sql)?;
    let is_of_history = number == 0 || epoch.as_ref() == Some(&account.epoch);
    Ok(if is_of_history { number } else { number.saturating_add(1) })
}

/// Starts the put of the present document.
pub fn put(sql: &dyn Sql, account: &Account, now: UnixMs) -> Result<TaskStep, SqlError> {
    let standing = DocumentStanding::load(sql)?.concluded();
    if !standing.is_pending() {
        return Ok(TaskStep::moot());
    }
    let since = standing.sent_at.and_then(|sent| now.since(sent));
    if let Some(left) =
        since.and_then(|since| PAUSE_MIN_MS.checked_sub(since.as_ms())).filter(|left| *left > 0)
    {
        let again = now.saturating_add(DurationMs::from_ms(left));
        return Ok(TaskStep::Chore { writes: Vec::new(), again: Some(again) });
    }
    let time = u64::try_from(now.as_ms()).unwrap_or_default();
    let number = time.max(standing.number.saturating_add(1));
    let (version, key) = (standing.version, kv_key(account.id));
    let value = text(&document(sql, account, number)?)?;
    let sent = DocumentStanding {
        number,
        epoch: Some(account.epoch.clone()),
        sent_at: Some(now),
        is_under_way: true,
        ..standing
    };
    Ok(TaskStep::Tracked {
        effect: Effect::PutLease { key, value, number, version },
        writes: vec![sent.store()],
    })
}

/// Returns the writes after KV acknowledged the document `number`, which contains all changes up to
/// `version`.
pub fn acknowledged(
    sql: &dyn Sql,
    number: u64,
    version: i64,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let standing = DocumentStanding::load(sql)?;
    if !standing.is_under_way || standing.number != number {
        return Ok(Vec::new());
    }
    let standing = DocumentStanding {
        is_under_way: false,
        acknowledged: version,
        acknowledged_at: Some(now),
        ..standing
    };
    Ok(match standing.read_back_at() {
        Some(at) => vec![standing.store(), put_task().done(), read_task().reschedule(at)],
        None => {
            let next = now.saturating_add(DurationMs::from_ms(PAUSE_MIN_MS));
            vec![standing.store(), put_task().postpone(next)]
        }
    })
}

/// Returns the writes after the put of `number` failed or had an unknown outcome.
pub fn failed(sql: &dyn Sql, number: u64, now: UnixMs) -> Result<Vec<Statement>, SqlError> {
    let standing = DocumentStanding::load(sql)?;
    if !standing.is_under_way || standing.number != number {
        return Ok(Vec::new());
    }
    Ok(vec![standing.concluded().store(), put_task().failed(sql, now)?])
}

/// Starts the read-back once KV must hold the last document. While another put is pending, its
/// acknowledgement schedules the read-back.
pub fn look(sql: &dyn Sql, account: AccountId, now: UnixMs) -> Result<TaskStep, SqlError> {
    let standing = DocumentStanding::load(sql)?;
    let Some(at) = standing.read_back_at() else { return Ok(TaskStep::moot()) };
    if now < at {
        return Ok(TaskStep::Chore { writes: Vec::new(), again: Some(at) });
    }
    Ok(TaskStep::Effect(Effect::ReadLease { key: kv_key(account), number: standing.number }))
}

/// Returns the writes that follow from the value in KV, which should be the document `number`.
pub fn looked(
    sql: &dyn Sql,
    account: &Account,
    number: u64,
    value: Option<&str>,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let standing = DocumentStanding::load(sql)?;
    if standing.number != number {
        // The task is now that of a later document.
        return Ok(Vec::new());
    }
    if standing.read_back_at().is_none() {
        return Ok(vec![read_task().done()]);
    }
    if value == Some(text(&document(sql, account, number)?)?.as_str()) {
        return Ok(vec![read_task().done()]);
    }
    // An isolate that has seen a higher number ignores every lower one.
    let held =
        value.and_then(|text| Document::from_kv(text, account.id)).map_or(0, |held| held.number);
    let ceiling = u64::try_from(INTEGER_MAX).unwrap_or_default();
    let number = if held < ceiling { held.max(standing.number) } else { standing.number };
    Ok(vec![
        DocumentStanding { number, ..standing }.store(),
        spoil(),
        read_task().done(),
        put_task().schedule(now),
    ])
}

/// Returns the present document.
fn document(sql: &dyn Sql, account: &Account, number: u64) -> Result<Document, SqlError> {
    let (base, changes) = changes(sql)?;
    // Only a request can begin another history. Overflow makes isolates send one.
    let unsettled = match account.epoch_is_over {
        true => Unsettled::Overflow,
        false => publication::unsettled(sql, account.generation)?,
    };
    let refresh = Refresh {
        epoch: account.epoch.clone(),
        revision: account.revision,
        delta: Delta::Changes(changes),
        unsettled,
        state: Some(state::load(sql, account)?),
        answers: Vec::new(),
        document: number,
        superseded: publication::superseded(sql, account.generation)?.map(Superseded::Filter),
    };
    Document::new(account.id, number, refresh, base).ok_or_else(unwritten)
}

/// Returns the last changes, and the revision after which all changes are among them.
fn changes(sql: &dyn Sql) -> Result<(Revision, Vec<Mark>), SqlError> {
    let limit = u32::try_from(CHANGES_MAX).map_or(u32::MAX, |max| max.saturating_add(1));
    let text = "SELECT key, revision FROM publication ORDER BY revision DESC LIMIT ?";
    let mut marks = sql.read_all(&Statement::new(text).bind(limit), publication::mark)?;
    let beyond = marks.get(CHANGES_MAX).map(|mark| mark.revision);
    marks.truncate(CHANGES_MAX);
    Ok((beyond.unwrap_or_default(), marks))
}

fn text(document: &Document) -> Result<String, SqlError> {
    document.text().map_err(|_| unwritten())
}

/// Returns the error for a document that cannot be serialised. Text and numbers always can;
/// skipping the put instead would lose the document.
fn unwritten() -> SqlError {
    SqlError::Column { column: 0, expected: "a lease document" }
}
