//! The stored keys that issuers have issued: their number, and the sweep of those that ended long
//! ago.

use claviger_core::base::id::KeyId;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::issuer::{Issuer, SealingGeneration};
use claviger_core::replication::record::Revision;

use super::account::Account;
use super::audit::Action;
use super::key::{Key, KeyCounts};
use crate::ledger::{audit, outbox};
use crate::objects::object::TaskStep;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};

/// Most stored keys of one account that issuers have issued, deleted ones excluded. Issuing itself
/// has no limit: a key that lives for at most a day is sealed and not stored. A row usually has a
/// kilobyte, at most 16. So these are 100 MB to 1.6 GB of an object's 10.
pub const ISSUED_KEYS_MAX: u32 = 100_000;

/// Number from which on keys that have ended are removed at once.
pub(super) const CROWDED: u32 = ISSUED_KEYS_MAX / 10 * 9;

/// Time for which an issued key stays in the list after its end.
pub const KEPT_AFTER_END: DurationMs = DurationMs::from_days(30);

/// Most keys of one sweep: as many as one alarm puts.
const SWEEP_KEYS_MAX: u32 = 40;

/// Schedules the sweep of a changed key, if an issuer issued it and it has an end.
pub(super) fn schedule_sweep(after: &Key) -> Option<Statement> {
    after.issued?;
    Some(
        Task::own(TaskKind::SweepIssued)
            .schedule_by(after.limits.expires.at()?.saturating_add(KEPT_AFTER_END)),
    )
}

/// Records the end of all keys that `issuer` issued in its sealing generation `generation`, if
/// there are any.
pub(super) fn note_end(
    issuer: Issuer,
    generation: SealingGeneration,
    now: UnixMs,
) -> [Statement; 2] {
    let issuer = issuer.as_str();
    let text = "INSERT INTO issuer_end (issuer, generation, at_ms) SELECT ?, ?, ?
        WHERE EXISTS (SELECT 1 FROM key WHERE issued_by = ? AND issued_generation = ?) ON CONFLICT DO NOTHING";
    let end = Statement::new(text)
        .bind(issuer)
        .bind(generation.0)
        .bind(now)
        .bind(issuer)
        .bind(generation.0);
    // The sweep itself decides if space is needed now.
    [end, Task::own(TaskKind::SweepIssued).schedule_by(now)]
}

/// Removes a batch of issued keys that ended long ago, by expiry or with their issuer. Above the
/// limit of `CROWDED` it removes any that have ended. As after every deletion, a tombstone stays.
pub fn sweep(sql: &dyn Sql, account: &Account, now: UnixMs) -> Result<TaskStep, SqlError> {
    let kept = if KeyCounts::load(sql)?.issuers >= CROWDED {
        DurationMs::default()
    } else {
        KEPT_AFTER_END
    };
    let until = now.saturating_sub(kept);
    let over = "SELECT * FROM (SELECT id FROM key WHERE issued_by IS NOT NULL AND state <> 'deleted' AND expires_ms <= ?
            ORDER BY expires_ms LIMIT ?)
        UNION SELECT * FROM (SELECT key.id FROM issuer_end
            CROSS JOIN key ON key.issued_by = issuer_end.issuer AND key.issued_generation = issuer_end.generation
            WHERE issuer_end.at_ms <= ? AND key.state <> 'deleted' LIMIT ?)
        LIMIT ?";
    let most = SWEEP_KEYS_MAX;
    let over = Statement::new(over).bind(until).bind(most).bind(until).bind(most).bind(most);
    let ids = sql.read_all(&over, |mut row| row.parsed("a key ID", KeyId::parse))?;
    let (mut writes, mut last) = (Vec::new(), account.revision);
    for id in &ids {
        last = last.next();
        writes.extend(remove(sql, account, *id, last, now)?);
    }
    if !ids.is_empty() {
        writes.push(Account::advance(last));
    }
    let forget = "DELETE FROM issuer_end WHERE at_ms <= ? AND NOT EXISTS
        (SELECT 1 FROM key WHERE issued_by = issuer AND issued_generation = generation)";
    writes.push(Statement::new(forget).bind(until));
    let next = "SELECT min(at_ms) FROM (
        SELECT min(expires_ms) AS at_ms FROM key WHERE issued_by IS NOT NULL AND state <> 'deleted' AND expires_ms > ?
        UNION ALL SELECT min(at_ms) FROM issuer_end WHERE at_ms > ?)";
    let next = sql.first(&Statement::new(next).bind(until).bind(until))?;
    let next = next.map_or(Ok(None), |mut row| row.optional_time())?;
    let next_at = next.map(|at| at.saturating_add(kept));
    let is_all = ids.len() < usize::try_from(SWEEP_KEYS_MAX).unwrap_or(usize::MAX);
    Ok(TaskStep::Chore { writes, again: if is_all { next_at } else { Some(now) } })
}

fn remove(
    sql: &dyn Sql,
    account: &Account,
    id: KeyId,
    revision: Revision,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let mut writes = vec![audit::journal(Action::Sweep, revision, id.as_str(), now)];
    for text in [
        "DELETE FROM key_network WHERE key = ?",
        "DELETE FROM usage WHERE key = ?",
        "DELETE FROM key WHERE id = ?",
    ] {
        writes.push(Statement::new(text).bind(id.as_str()));
    }
    writes.extend(outbox::changed(sql, id, revision, account.generation, now)?);
    Ok(writes)
}
