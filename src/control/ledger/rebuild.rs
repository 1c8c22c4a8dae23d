//! The rebuild: every record, and the lease document, is put into KV again, after a new history
//! began or at the operator's word.
//!
//! It walks through the keys in the order of their IDs and owes each its put, a batch at a time and
//! only while few puts are waiting, so that a change is never far behind in the queue. Where it
//! stands is in the table `rebuild`.

use claviger_core::base::time::{DurationMs, UnixMs};

use super::account::Account;
use super::document;
use super::publication::Publication;
use crate::objects::object::{EFFECTS_PER_RING_MAX, Step};
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks;
use crate::objects::tasks::{Duty, Kind};
use crate::protocol::view::Progress;

/// Keys of one batch: what one alarm puts.
pub const BATCH: u32 = EFFECTS_PER_RING_MAX;

/// Between two batches: long enough for the alarm that puts one.
pub const PAUSE: DurationMs = DurationMs::from_s(1);

/// Sorts after every key ID.
const END: &str = "~";

/// Begins a rebuild, or begins the one on its way anew.
pub fn begin(now: UnixMs) -> Vec<Statement> {
    let text = "INSERT OR REPLACE INTO rebuild (one, cursor, begun_at_ms) VALUES (1, '', ?)";
    vec![Statement::new(text).bind(now), Duty::own(Kind::Rebuild).owe_at(now), document::spoil()]
}

/// Whether one is on its way.
pub fn is_on_its_way(sql: &dyn Sql) -> Result<bool, SqlError> {
    Ok(sql.integer(&Statement::new("SELECT count(*) FROM rebuild"))? > 0)
}

/// The next batch.
pub fn step(sql: &dyn Sql, account: &Account, now: UnixMs) -> Result<Step, SqlError> {
    let row = sql.first(&Statement::new("SELECT cursor, begun_at_ms FROM rebuild"))?;
    let Some(mut row) = row else { return Ok(Step::moot()) };
    let (cursor, begun_at) = (row.text()?, row.time()?);
    // While KV takes nothing, the puts that wait come due less and less often: neither are more
    // added, nor does the alarm ring in between.
    if let Some(first) = tasks::queue(sql, Kind::PutRecord, BATCH)? {
        return Ok(Step::Chore {
            writes: Vec::new(),
            again: Some(first.max(now).saturating_add(PAUSE)),
        });
    }
    let batch = Publication::load_after(sql, &cursor, BATCH)?;
    let Some(last) = batch.last().map(|row| row.id) else {
        return Ok(Step::Chore {
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
        writes.push(super::outbox::owe(row.id, now));
        writes.push(Publication { owed_at: row.owed_at.or(Some(now)), ..row }.store());
    }
    Ok(Step::Chore { writes, again: Some(now.saturating_add(PAUSE)) })
}

/// How far KV has what the ledger has.
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
