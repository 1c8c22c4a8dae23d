//! The outbox: what KV, the name and the directory have yet to be told.
//!
//! There is one duty per key, whatever happens to it meanwhile: a put always carries the row as it is when the put
//! starts, and no second put of the key starts while one is under way. The duty goes only when the revision that KV
//! acknowledged is still the key's. So KV ends with the newest record, and a put whose fate is unknown is put again.

use super::account::{Account, Member};
use super::key::Key;
use super::key_of;
use crate::due::{Duty, Kind, PAUSE_MIN_MS};
use crate::id::{KeyId, MemberId};
use crate::object::Step;
use crate::protocol::{Effect, NameConfirmation};
use crate::record::{Revision, kv_key};
use crate::sql::{Sql, SqlError, Statement};
use crate::time::{DurationMs, UnixMs};

/// Owes KV the record of a key that has changed.
pub fn owe(id: KeyId, now: UnixMs) -> Statement {
    Duty::new(Kind::PutRecord, id).owe(now)
}

/// The put of a key's present record.
pub fn put(sql: &dyn Sql, account: &Account, subject: &str) -> Result<Step, SqlError> {
    let key = key_of(subject).map_or(Ok(None), |id| Key::load(sql, id))?;
    let Some(key) = key else { return Ok(Step::moot()) };
    let value = serde_json::to_string(&key.record(&account.epoch));
    // A record is JSON of text and numbers, which cannot fail to be written; a moot step would lose it, so it is loud.
    let value = value.map_err(|_| SqlError::Column { column: 0, expected: "a record" })?;
    Ok(Step::Effect(Effect::PutRecord { id: key.id, revision: key.revision, key: kv_key(key.id), value }))
}

/// What follows from KV's acknowledgement of `revision`.
pub fn acknowledged(
    sql: &dyn Sql,
    id: KeyId,
    revision: Revision,
    now: UnixMs,
) -> Result<Statement, SqlError> {
    let duty = Duty::new(Kind::PutRecord, id);
    let is_newest = Key::load(sql, id)?.is_none_or(|key| key.revision == revision);
    let next_put = now.saturating_add(DurationMs::from_ms(PAUSE_MIN_MS));
    Ok(if is_newest { duty.done() } else { duty.postpone(next_put) })
}

/// The confirmation of a member's name.
pub fn confirm_name(sql: &dyn Sql, account: &Account, subject: &str) -> Result<Step, SqlError> {
    let member = MemberId::parse(subject).map_or(Ok(None), |id| Member::load(sql, id))?;
    Ok(member.map_or(Step::moot(), |Member { view, secret_version }| {
        let request = NameConfirmation { account: account.id, member: view.id, secret_version };
        Step::Effect(Effect::ConfirmName { email: view.email, request })
    }))
}
