//! Idempotency keys: an idempotency key issues at most one key, or creates at most one API user, of
//! one author.
//!
//! There is a row for each key that members and programs issued within the last day, and for each
//! API user that members created. The limits of keys and API users per account bound their number,
//! plus keys deleted on the same day, each of which required a mailed code.
//!
//! The stored form is the text as the client chose it for a key that a member issues. Others have a
//! prefix with a blank, which no text of a client has: programs
//! ([`stored_idempotency_key`](super::context::ActContext::stored_idempotency_key)), and API users
//! ([`stored_idempotency_key`](super::api_user_row::stored_idempotency_key)).

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

/// Records that `member` issued `key`, or created the API user with this ID, with
/// `idempotency_key`.
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
