//! The outbox: changes that KV, the name object and the directory must still receive, and the proof
//! that KV keeps them.
//!
//! There is one task `put_record` per key, however often the key changes. A put always carries the
//! row as of its start, and a second put of the key never starts while one is in flight. The task
//! ends only when the acknowledged revision is still the key's revision. So KV ends with the newest
//! record, and a put of unknown outcome is repeated. The time at which a put was sent identifies
//! it: the outcome of any other put changes nothing.
//!
//! An acknowledgement schedules `read_back`. Its result either settles the change or schedules
//! another put ([`super::publication`]).

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::record::{Record, Revision, kv_key};

use super::account::Account;
use super::api_user_row::StoredApiUser;
use super::drift::Drift;
use super::member::Member;
use super::publication::Publication;
use crate::ledger::{api_user_row, drift, publication};
use crate::objects::object::TaskStep;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{PAUSE_MIN_MS, Task, TaskKind};
use crate::protocol::account::Email;
use crate::protocol::effect::{ApiNameConfirmation, Effect, NameConfirmation};

/// Schedules the put of a key that has changed: updates its publication row and adds the task.
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
    Ok([row.store(), publication::schedule(id, now)])
}

/// Starts the put of a key's present record.
pub fn put(
    sql: &dyn Sql,
    account: &Account,
    subject: &str,
    now: UnixMs,
) -> Result<TaskStep, SqlError> {
    let Some(row) = publication_of(sql, subject)? else { return Ok(TaskStep::moot()) };
    let Some(record) = publication::record(sql, account, row.id)? else {
        return Ok(TaskStep::moot());
    };
    let (id, revision, key, value) = (row.id, row.revision, kv_key(row.id), text(&record)?);
    let effect = Effect::PutRecord { id, revision, key, value, sent_at: now };
    Ok(TaskStep::Tracked { effect, writes: vec![row.sent(account.generation, now).store()] })
}

/// Returns the writes after KV acknowledged the put of `revision` sent at `sent_at`.
pub fn acknowledged(
    sql: &dyn Sql,
    account: &Account,
    id: KeyId,
    (revision, sent_at): (Revision, UnixMs),
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let put = Task::new(TaskKind::PutRecord, id);
    let Some(row) = Publication::load(sql, id)? else { return Ok(vec![put.done()]) };
    let Some(row) = row.acknowledged(revision, sent_at, account.generation, now) else {
        return Ok(Vec::new());
    };
    Ok(match row.read_back_at(account.generation).filter(|_| row.pending_since.is_none()) {
        Some(at) => vec![row.store(), put.done(), Task::new(TaskKind::ReadBack, id).reschedule(at)],
        None => {
            let next_put = now.saturating_add(DurationMs::from_ms(PAUSE_MIN_MS));
            vec![row.store(), put.postpone(next_put)]
        }
    })
}

/// Returns the writes after the put sent at `sent_at` failed or had an unknown outcome.
pub fn failed(
    sql: &dyn Sql,
    id: KeyId,
    sent_at: UnixMs,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let row = Publication::load(sql, id)?.and_then(|row| row.failed(sent_at));
    let Some(row) = row else { return Ok(Vec::new()) };
    Ok(vec![row.store(), Task::new(TaskKind::PutRecord, id).failed(sql, now)?])
}

/// Starts the read-back of a key whose put KV acknowledged. If the key has changed or was put
/// since, the newer put's acknowledgement schedules another read-back.
pub fn read_back(
    sql: &dyn Sql,
    account: &Account,
    subject: &str,
    now: UnixMs,
) -> Result<TaskStep, SqlError> {
    let row = publication_of(sql, subject)?;
    let ready =
        |row: Publication| Some((row.read_back_at(account.generation)?, row.acknowledged_at?, row));
    let Some((at, acknowledged_at, row)) = row.and_then(ready) else { return Ok(TaskStep::moot()) };
    if now < at {
        return Ok(TaskStep::Chore { writes: Vec::new(), again: Some(at) });
    }
    let (id, revision, key) = (row.id, row.revision, kv_key(row.id));
    Ok(TaskStep::Effect(Effect::ReadBack { id, revision, key, acknowledged_at }))
}

/// Returns the writes that follow from the value that the read-back found.
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
    let done = Task::new(TaskKind::ReadBack, id).done();
    Ok(match Drift::of(value, &record) {
        Drift::Right => vec![done, row.settled().store()],
        found => {
            let mut writes = vec![done];
            let mut last = account.revision;
            writes.extend(drift::mend(account, row, &found, &mut last, now));
            writes
        }
    })
}

/// Returns a record as the JSON text that KV stores.
pub fn text(record: &Record) -> Result<String, SqlError> {
    // Serialising text and numbers cannot fail. If it did, skipping the put would lose the record,
    // so this is an error.
    serde_json::to_string(record).map_err(|_| SqlError::Column { column: 0, expected: "a record" })
}

/// Starts the confirmation of a member's name at its name object.
pub fn confirm_name(sql: &dyn Sql, account: &Account, subject: &str) -> Result<TaskStep, SqlError> {
    let member = MemberId::parse(subject).map_or(Ok(None), |id| Member::load(sql, id))?;
    Ok(member.map_or(TaskStep::moot(), |Member { view, secret_version, .. }| {
        let request = NameConfirmation { account: account.id, member: view.id, secret_version };
        TaskStep::Effect(Effect::ConfirmName { email: view.email, request })
    }))
}

/// Starts the release of a removed member's membership at its name object.
pub fn leave_name(sql: &dyn Sql, account: &Account, subject: &str) -> Result<TaskStep, SqlError> {
    let row = sql.first(
        &Statement::new("SELECT member, email FROM leaving WHERE member = ?").bind(subject),
    )?;
    let Some(mut row) = row else { return Ok(TaskStep::moot()) };
    let member = row.parsed("a member ID", MemberId::parse)?;
    let email = row.parsed("an address", |text| Email::parse(text).ok())?;
    Ok(TaskStep::Effect(Effect::LeaveName { email, account: account.id, member }))
}

/// Returns the writes after the name object has released a membership.
pub fn left_name(member: MemberId) -> Vec<Statement> {
    vec![
        Statement::new("DELETE FROM leaving WHERE member = ?").bind(member.as_str()),
        Task::new(TaskKind::LeaveName, member).done(),
    ]
}

/// Starts the confirmation of an API user's present name and secret at its name object.
pub fn confirm_api_name(
    sql: &dyn Sql,
    account: &Account,
    subject: &str,
) -> Result<TaskStep, SqlError> {
    let user = KeyId::parse(subject).map_or(Ok(None), |id| StoredApiUser::load(sql, id))?;
    Ok(user.map_or(TaskStep::moot(), |user| {
        TaskStep::Effect(Effect::ConfirmApiName(confirmation(account, user)))
    }))
}

fn confirmation(account: &Account, user: StoredApiUser) -> ApiNameConfirmation {
    let StoredApiUser { id, secret, decided, .. } = user;
    ApiNameConfirmation { account: account.id, id, name: decided.name, version: secret }
}

/// Returns the write after a name object has confirmed a name and secret. If they have changed
/// since, the present ones follow.
pub fn confirmed_api_name(
    sql: &dyn Sql,
    account: &Account,
    confirmed: &ApiNameConfirmation,
    now: UnixMs,
) -> Result<Statement, SqlError> {
    let present = StoredApiUser::load(sql, confirmed.id)?.map(|user| confirmation(account, user));
    let task = api_user_row::confirm_task(confirmed.id);
    let is_present = present.is_none_or(|present| present == *confirmed);
    Ok(if is_present { task.done() } else { task.reschedule(now) })
}

/// Starts the release of a former name of an API user at its name object.
pub fn leave_api_name(account: &Account, task: &Task) -> TaskStep {
    match task.former_name() {
        Some((id, through, name)) => {
            TaskStep::Effect(Effect::LeaveApiName { account: account.id, id, through, name })
        }
        None => TaskStep::moot(),
    }
}

/// Loads the publication of the key whose ID is a task's subject.
fn publication_of(sql: &dyn Sql, subject: &str) -> Result<Option<Publication>, SqlError> {
    KeyId::parse(subject).map_or(Ok(None), |id| Publication::load(sql, id))
}
