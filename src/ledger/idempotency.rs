//! Idempotency keys: the same member's same key issues once.

use super::key::Key;
use crate::due::{Duty, Kind};
use crate::id::{KeyId, MemberId};
use crate::sql::{Sql, SqlError, SqlExt, Statement};
use crate::time::{DurationMs, UnixMs};

/// How long one is remembered: whoever repeats a request a day later means a new one.
pub const LIFE: DurationMs = DurationMs::from_days(1);

/// Most that are remembered; the oldest give way. Twice the keys of a full account, in a day.
pub const ROWS_MAX: u32 = 40_000;

const _: () = assert!(ROWS_MAX >= super::decide::KEYS_MAX);

/// The key that `member` has issued under `idempotency_key`.
pub fn issued(
    sql: &dyn Sql,
    member: MemberId,
    idempotency_key: &str,
    now: UnixMs,
) -> Result<Option<Key>, SqlError> {
    let text = "SELECT key FROM idempotency WHERE member = ? AND idempotency_key = ? AND at_ms > ?";
    let found =
        Statement::new(text).bind(member.as_str()).bind(idempotency_key).bind(now.saturating_sub(LIFE));
    let Some(mut row) = sql.first(&found)? else { return Ok(None) };
    Key::load(sql, row.parsed("a key ID", KeyId::parse)?)
}

/// Remembers that `member` issued `key` under `idempotency_key`.
pub fn remember(member: MemberId, idempotency_key: &str, key: KeyId, now: UnixMs) -> [Statement; 3] {
    let make_room = "DELETE FROM idempotency WHERE (member, idempotency_key) IN (
        SELECT member, idempotency_key FROM idempotency ORDER BY at_ms DESC LIMIT -1 OFFSET ?)";
    let insert =
        "INSERT OR REPLACE INTO idempotency (member, idempotency_key, key, at_ms) VALUES (?, ?, ?, ?)";
    [
        Statement::new(make_room).bind(ROWS_MAX.saturating_sub(1)),
        Statement::new(insert).bind(member.as_str()).bind(idempotency_key).bind(key.as_str()).bind(now),
        Duty::own(Kind::SweepIdempotency).owe(now.saturating_add(LIFE)),
    ]
}

/// Forgets what is over.
pub fn sweep(now: UnixMs) -> Statement {
    Statement::new("DELETE FROM idempotency WHERE at_ms <= ?").bind(now.saturating_sub(LIFE))
}

/// When the next one that is not over at `now` will be.
pub fn next_end(sql: &dyn Sql, now: UnixMs) -> Result<Option<UnixMs>, SqlError> {
    let text = "SELECT min(at_ms) FROM idempotency WHERE at_ms > ?";
    let oldest = sql.first(&Statement::new(text).bind(now.saturating_sub(LIFE)))?;
    let oldest = oldest.map_or(Ok(None), |mut row| row.optional_time())?;
    Ok(oldest.map(|at| at.saturating_add(LIFE)))
}
