//! The outbox: what KV, the name and the directory have yet to be told, and whether KV has taken it
//! for good.
//!
//! There is one duty `put_record` per key, whatever happens to it meanwhile: a put always carries
//! the row as it is when the put starts, and no second put of the key starts while one is under
//! way. The duty goes only when the revision that KV acknowledged is still the key's. So KV ends
//! with the newest record, and a put whose fate is unknown is put again. Which put an outcome is
//! about is told by the time at which it was sent: the outcome of any other changes nothing.
//!
//! An acknowledgement owes `read_back`. What that finds settles the change, or owes the put again
//! ([`super::publication`]).

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::record::{Record, Revision, kv_key};

use super::account::{Account, Member};
use super::drift::Finding;
use super::publication::Publication;
use crate::ledger::{drift, publication};
use crate::objects::object::Step;
use crate::objects::sql::{Sql, SqlError, Statement};
use crate::objects::tasks::{Duty, Kind, PAUSE_MIN_MS};
use crate::protocol::effect::{Effect, NameConfirmation};

/// Owes KV the record of a key that has changed: its row, and the duty.
pub fn changed(
    sql: &dyn Sql,
    id: KeyId,
    revision: Revision,
    generation: u32,
    now: UnixMs,
) -> Result<[Statement; 2], SqlError> {
    let row = match Publication::load(sql, id)? {
        Some(row) => row.changed(revision, generation, now),
        None => Publication::new(id, revision, generation, now),
    };
    Ok([row.store(), owe(id, now)])
}

/// Owes KV the present record of a key.
pub fn owe(id: KeyId, now: UnixMs) -> Statement {
    Duty::new(Kind::PutRecord, id).owe(now)
}

/// The put of a key's present record.
pub fn put(sql: &dyn Sql, account: &Account, subject: &str, now: UnixMs) -> Result<Step, SqlError> {
    let row = key_of(subject).map_or(Ok(None), |id| Publication::load(sql, id))?;
    let Some(row) = row else { return Ok(Step::moot()) };
    let Some(record) = publication::record(sql, account, row.id)? else { return Ok(Step::moot()) };
    let (id, revision, key, value) = (row.id, row.revision, kv_key(row.id), text(&record)?);
    let effect = Effect::PutRecord { id, revision, key, value, sent_at: now };
    Ok(Step::Tracked { effect, writes: vec![row.sent(account.generation, now).store()] })
}

/// What follows from KV's acknowledgement of the put of `revision` that was sent at `sent_at`.
pub fn acknowledged(
    sql: &dyn Sql,
    account: &Account,
    id: KeyId,
    (revision, sent_at): (Revision, UnixMs),
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let put = Duty::new(Kind::PutRecord, id);
    let Some(row) = Publication::load(sql, id)? else { return Ok(vec![put.done()]) };
    let Some(row) = row.acknowledged(revision, sent_at, account.generation, now) else {
        return Ok(Vec::new());
    };
    Ok(match row.read_back_at(account.generation).filter(|_| row.owed_at.is_none()) {
        Some(at) => vec![row.store(), put.done(), Duty::new(Kind::ReadBack, id).owe_at(at)],
        None => {
            let next_put = now.saturating_add(DurationMs::from_ms(PAUSE_MIN_MS));
            vec![row.store(), put.postpone(next_put)]
        }
    })
}

/// What follows when the put that was sent at `sent_at` failed, or nobody knows how it went.
pub fn failed(
    sql: &dyn Sql,
    id: KeyId,
    sent_at: UnixMs,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let row = Publication::load(sql, id)?.and_then(|row| row.failed(sent_at));
    let Some(row) = row else { return Ok(Vec::new()) };
    Ok(vec![row.store(), Duty::new(Kind::PutRecord, id).failed(sql, now)?])
}

/// The read-back of a key whose put was acknowledged. When it was changed or put since, that put's
/// acknowledgement owes another.
pub fn read_back(
    sql: &dyn Sql,
    account: &Account,
    subject: &str,
    now: UnixMs,
) -> Result<Step, SqlError> {
    let row = key_of(subject).map_or(Ok(None), |id| Publication::load(sql, id))?;
    let ready =
        |row: Publication| Some((row.read_back_at(account.generation)?, row.acknowledged_at?, row));
    let Some((at, acknowledged_at, row)) = row.and_then(ready) else { return Ok(Step::moot()) };
    if now < at {
        return Ok(Step::Chore { writes: Vec::new(), again: Some(at) });
    }
    let (id, revision, key) = (row.id, row.revision, kv_key(row.id));
    Ok(Step::Effect(Effect::ReadBack { id, revision, key, acknowledged_at }))
}

/// What follows from what the read-back found.
pub fn was_read_back(
    sql: &dyn Sql,
    account: &Account,
    id: KeyId,
    (revision, acknowledged_at): (Revision, UnixMs),
    value: Option<&str>,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let is_about = |row: &Publication| {
        let (put, about) = ((row.revision, row.acknowledged_at), (revision, Some(acknowledged_at)));
        row.is_acknowledged(account.generation) && put == about
    };
    let Some(row) = Publication::load(sql, id)?.filter(is_about) else { return Ok(Vec::new()) };
    let Some(record) = publication::record(sql, account, id)? else { return Ok(Vec::new()) };
    let done = Duty::new(Kind::ReadBack, id).done();
    Ok(match Finding::of(value, &record) {
        Finding::Right => vec![done, row.settled().store()],
        found => {
            let mut writes = vec![done];
            let mut last = account.revision;
            writes.extend(drift::mend(account, row, &found, &mut last, now));
            writes
        }
    })
}

/// A record as KV holds it.
pub fn text(record: &Record) -> Result<String, SqlError> {
    // JSON of text and numbers cannot fail to be written; a moot step would lose the record, so it
    // is loud.
    serde_json::to_string(record).map_err(|_| SqlError::Column { column: 0, expected: "a record" })
}

/// The confirmation of a member's name.
pub fn confirm_name(sql: &dyn Sql, account: &Account, subject: &str) -> Result<Step, SqlError> {
    let member = MemberId::parse(subject).map_or(Ok(None), |id| Member::load(sql, id))?;
    Ok(member.map_or(Step::moot(), |Member { view, secret_version }| {
        let request = NameConfirmation { account: account.id, member: view.id, secret_version };
        Step::Effect(Effect::ConfirmName { email: view.email, request })
    }))
}

/// The key that a duty is about.
fn key_of(subject: &str) -> Option<KeyId> {
    KeyId::parse(subject)
}
