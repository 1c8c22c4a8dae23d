//! The rebuild: puts every record and the lease document into KV again, after a new history began
//! or at the operator's request.
//!
//! It goes through the keys in the order of their IDs and schedules a put for each, in batches. It
//! adds a batch only while few puts are pending, so that a member's change never waits long in the
//! queue. The table `rebuild` holds its position.

use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::record::Epoch;

use super::account::Account;
use super::document;
use super::publication;
use super::publication::Publication;
use crate::objects::object::{EFFECTS_PER_RING_MAX, TaskStep};
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks;
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::view::Progress;

/// Keys of one batch: as many as one alarm puts.
pub const BATCH: u32 = EFFECTS_PER_RING_MAX;

/// Pause between two batches: long enough for the alarm that puts one.
pub const PAUSE: DurationMs = DurationMs::from_s(1);

/// A text that sorts after every key ID.
const END: &str = "~";

/// Begins a rebuild, or restarts the one in progress.
pub fn begin(now: UnixMs) -> Vec<Statement> {
    let text = "INSERT OR REPLACE INTO rebuild (one, cursor, begun_at_ms) VALUES (1, '', ?)";
    vec![
        Statement::new(text).bind(now),
        Task::own(TaskKind::Rebuild).reschedule(now),
        document::spoil(),
    ]
}

/// Begins a new history of the account, and the rebuild that it needs. `is_noted` states that the
/// directory has noted the history.
pub fn begin_epoch(
    account: &mut Account,
    epoch: Epoch,
    is_noted: bool,
    now: UnixMs,
) -> Vec<Statement> {
    [vec![account.begin_epoch(epoch, is_noted)], begin(now)].concat()
}

/// Returns `true` if a rebuild is in progress.
pub fn is_on_its_way(sql: &dyn Sql) -> Result<bool, SqlError> {
    Ok(sql.integer(&Statement::new("SELECT count(*) FROM rebuild"))? > 0)
}

/// Schedules the puts of the next batch.
pub fn step(sql: &dyn Sql, account: &Account, now: UnixMs) -> Result<TaskStep, SqlError> {
    let row = sql.first(&Statement::new("SELECT cursor, begun_at_ms FROM rebuild"))?;
    let Some(mut row) = row else { return Ok(TaskStep::moot()) };
    let (cursor, begun_at) = (row.text()?, row.time()?);
    // While KV refuses puts, their backoff grows. Waiting for the first of them adds no further
    // puts, and no alarms in between.
    if let Some(first) = tasks::queue(sql, TaskKind::PutRecord, BATCH)? {
        return Ok(TaskStep::Chore {
            writes: Vec::new(),
            again: Some(first.max(now).saturating_add(PAUSE)),
        });
    }
    let batch = Publication::load_after(sql, &cursor, BATCH)?;
    let Some(last) = batch.last().map(|row| row.id) else {
        return Ok(TaskStep::Chore {
            writes: vec![Statement::new("DELETE FROM rebuild")],
            again: None,
        });
    };
    let mut writes = vec![Statement::new("UPDATE rebuild SET cursor = ?").bind(last.as_str())];
    let is_done = |row: &Publication| {
        row.is_acknowledged(account.generation)
            && row.acknowledged_at.is_some_and(|at| at > begun_at)
    };
    for row in batch.into_iter().filter(|row| !is_done(row)) {
        writes.push(publication::schedule(row.id, now));
        writes.push(Publication { pending_since: row.pending_since.or(Some(now)), ..row }.store());
    }
    Ok(TaskStep::Chore { writes, again: Some(now.saturating_add(PAUSE)) })
}

/// Returns the progress of publication to KV.
pub fn progress(sql: &dyn Sql, account: &Account, now: UnixMs) -> Result<Progress, SqlError> {
    let cursor = sql.first(&Statement::new("SELECT cursor FROM rebuild"))?;
    let cursor = cursor.map(|mut row| row.text()).transpose()?;
    let text = "SELECT count(*),
            count(CASE WHEN generation = ? AND acknowledged = revision AND owed_at_ms IS NULL AND key <= ? THEN 1 END),
            count(CASE WHEN generation = ? AND base < revision AND settled < revision THEN 1 END)
        FROM publication";
    let counts = Statement::new(text)
        .bind(account.generation)
        .bind(cursor.as_deref().unwrap_or(END))
        .bind(account.generation);
    let [total, done, unsettled] = match sql.first(&counts)? {
        Some(mut row) => [row.count()?, row.count()?, row.count()?].map(u64::from),
        None => [0; 3],
    };
    let lag_s = account.lag(now).map(|lag| lag.as_ms().div_euclid(1_000));
    Ok(Progress { rebuilding: cursor.is_some(), done, total, unsettled, lag_s })
}
