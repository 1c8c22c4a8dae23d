//! Idempotency keys: a member's idempotency key issues at most one key.
//!
//! There is a row for each key that members issued within the last day. The limit of keys per
//! account bounds their number, plus keys deleted on the same day, each of which required a mailed
//! code.

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::time::{DurationMs, UnixMs};

use super::key::Key;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};

/// Lifetime of an idempotency key: a request repeated a day later is a new one.
pub const LIFE: DurationMs = DurationMs::from_days(1);

/// Returns the key that an earlier request of `member` issued with this idempotency key; `None` if
/// there is none.
pub fn issued(
    sql: &dyn Sql,
    member: MemberId,
    idempotency_key: &str,
    now: UnixMs,
) -> Result<Option<Key>, SqlError> {
    let id = used(sql, member, idempotency_key, now)?;
    id.map_or(Ok(None), |id| Key::load(sql, id))
}

/// Returns the ID for which an earlier request of `member` used this idempotency key; `None` if
/// there is none.
pub fn used(
    sql: &dyn Sql,
    member: MemberId,
    idempotency_key: &str,
    now: UnixMs,
) -> Result<Option<KeyId>, SqlError> {
    let text = "SELECT key FROM idempotency WHERE member = ? AND idempotency_key = ? AND at_ms > ?";
    let found = Statement::new(text)
        .bind(member.as_str())
        .bind(idempotency_key)
        .bind(now.saturating_sub(LIFE));
    sql.first(&found)?.map(|mut row| row.parsed("a key ID", KeyId::parse)).transpose()
}

/// Records that `member` issued `key` with `idempotency_key`.
pub fn remember(
    member: MemberId,
    idempotency_key: &str,
    key: KeyId,
    now: UnixMs,
) -> [Statement; 2] {
    let insert = "INSERT OR REPLACE INTO idempotency (member, idempotency_key, key, at_ms) VALUES (?, ?, ?, ?)";
    [
        Statement::new(insert)
            .bind(member.as_str())
            .bind(idempotency_key)
            .bind(key.as_str())
            .bind(now),
        Task::own(TaskKind::SweepIdempotency).schedule(now.saturating_add(LIFE)),
    ]
}

/// Removes expired idempotency keys.
pub fn sweep(now: UnixMs) -> Statement {
    Statement::new("DELETE FROM idempotency WHERE at_ms <= ?").bind(now.saturating_sub(LIFE))
}

/// Returns the next expiry after `now`, Unix ms.
pub fn next_end(sql: &dyn Sql, now: UnixMs) -> Result<Option<UnixMs>, SqlError> {
    let text = "SELECT min(at_ms) FROM idempotency WHERE at_ms > ?";
    let oldest = sql.first(&Statement::new(text).bind(now.saturating_sub(LIFE)))?;
    let oldest = oldest.map_or(Ok(None), |mut row| row.optional_time())?;
    Ok(oldest.map(|at| at.saturating_add(LIFE)))
}
