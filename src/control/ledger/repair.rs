//! The repair: a slow comparison of KV with the ledger that finds unreported differences. KV can be
//! edited by hand, restored or lost, and so can a ledger.
//!
//! ```text
//!   (begin) ──▶ list: names in KV, a page at a time ──▶ compare: keys of ours, READ_MANY_MAX at a time ──▶ (a day later)
//! ```
//!
//! A name in KV without a key is an orphan. It gets a row, which makes it unsettled at once; the
//! second phase puts a tombstone, like every other repair ([`super::drift`]). Keys with a pending
//! put or read-back are skipped. At the end the ledger checks the lease document
//! ([`super::document`]). Each step is one effect, and the table `repair` holds the position, so a
//! crash repeats at most one step.

use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::record::Revision;

use super::account::Account;
use super::audit::Action;
use super::drift::{Drift, mend};
use super::publication::Publication;
use super::{document, rebuild};
use crate::ledger::{audit, publication};
use crate::objects::object::TaskStep;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks;
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::effect::{Effect, READ_MANY_MAX};

/// Time between the starts of two rounds. A daily round bounds how long a difference can exist. A
/// list and a bulk read per hundred keys a day cost little compared with the reads of
/// verifications.
pub const ROUND: DurationMs = DurationMs::from_days(1);

/// Pause between two steps. A full account has 200 steps, so its round takes three and a half
/// hours.
pub const PAUSE: DurationMs = DurationMs::from_s(60);

/// The position of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Position {
    /// In the list of KV names; holds the platform's cursor.
    List(Option<String>),
    /// Among the keys; holds the last one that was compared.
    Compare(String),
}

struct Round {
    position: Position,
    begun_at: UnixMs,
}

impl Round {
    fn load(sql: &dyn Sql) -> Result<Option<Self>, SqlError> {
        let text = "SELECT phase, ifnull(cursor, ''), begun_at_ms FROM repair";
        sql.first(&Statement::new(text))?.map(Self::read).transpose()
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        let is_listing = row.parsed("a phase", |phase| {
            ["list", "compare"].contains(&phase).then(|| phase == "list")
        })?;
        let cursor = row.text()?;
        let position = match is_listing {
            true => Position::List(Some(cursor).filter(|cursor| !cursor.is_empty())),
            false => Position::Compare(cursor),
        };
        Ok(Self { position, begun_at: row.time()? })
    }

    fn store(&self) -> Statement {
        let (phase, cursor) = match &self.position {
            Position::List(cursor) => ("list", cursor.clone()),
            Position::Compare(last) => ("compare", Some(last.clone())),
        };
        let text =
            "INSERT OR REPLACE INTO repair (one, phase, cursor, begun_at_ms) VALUES (1, ?, ?, ?)";
        Statement::new(text).bind(phase).bind(cursor).bind(self.begun_at)
    }

    fn over() -> Statement {
        Statement::new("DELETE FROM repair")
    }
}

fn task() -> Task {
    Task::own(TaskKind::Repair)
}

/// Schedules the first round of a new account.
pub fn schedule(now: UnixMs) -> Statement {
    task().schedule(now.saturating_add(ROUND))
}

/// Starts the next step of the round.
pub fn step(sql: &dyn Sql, account: &Account, now: UnixMs) -> Result<TaskStep, SqlError> {
    let (round, writes) = match Round::load(sql)? {
        Some(round) => (round, Vec::new()),
        None => {
            let round = Round { position: Position::List(None), begun_at: now };
            let store = round.store();
            (round, vec![store])
        }
    };
    let effect = match round.position {
        Position::List(cursor) => Effect::ListKv { prefix: prefix(account.id), cursor },
        Position::Compare(last) => {
            let rows = Publication::load_after(sql, &last, READ_MANY_MAX)?;
            if rows.is_empty() {
                let again = round.begun_at.saturating_add(ROUND);
                let writes = vec![Round::over(), document::schedule_look(now)];
                return Ok(TaskStep::Chore { writes, again: Some(again) });
            }
            Effect::ReadMany { ids: rows.iter().map(|row| row.id).collect() }
        }
    };
    Ok(TaskStep::Tracked { effect, writes })
}

/// Returns the prefix of the KV names of the account's records.
fn prefix(account: AccountId) -> String {
    format!("key/{account}")
}

/// Returns the writes after a step failed. A list's cursor can expire, so the list starts again.
pub fn failed(sql: &dyn Sql, effect: &Effect, now: UnixMs) -> Result<Vec<Statement>, SqlError> {
    let mut writes = vec![task().failed(sql, now)?];
    let round = Round::load(sql)?.filter(|_| matches!(effect, Effect::ListKv { .. }));
    if let Some(Round { position: Position::List(Some(_)), begun_at }) = round {
        writes.push(Round { position: Position::List(None), begun_at }.store());
    }
    Ok(writes)
}

/// Returns the writes that follow from a page of names.
pub fn listed(
    sql: &dyn Sql,
    account: &Account,
    cursor_read: Option<&str>,
    (names, next): (&[String], Option<&str>),
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let is_next = |round: &Round| matches!(&round.position, Position::List(cursor) if cursor.as_deref() == cursor_read);
    let Some(round) = Round::load(sql)?.filter(is_next) else { return Ok(Vec::new()) };
    let mut writes = adopt_orphans(sql, account, names, now)?;
    let position =
        next.map_or(Position::Compare(String::new()), |next| Position::List(Some(next.to_owned())));
    writes.push(Round { position, ..round }.store());
    writes.push(task().postpone(now.saturating_add(PAUSE)));
    Ok(writes)
}

/// Adds a row with a new revision for each name that has none. Names that are not key IDs do not
/// belong to this ledger.
fn adopt_orphans(
    sql: &dyn Sql,
    account: &Account,
    names: &[String],
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let ids = names.iter().filter_map(|name| KeyId::parse(name.strip_prefix("key/")?));
    let ids: Vec<KeyId> = ids.filter(|id| id.account() == account.id).collect();
    let text = "SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM publication WHERE key = value)";
    let unknown = Statement::new(text).bind(serde_json::json!(ids).to_string());
    let orphans = sql.read_all(&unknown, |mut row| row.parsed("a key ID", KeyId::parse))?;
    let (mut writes, mut last) = (Vec::new(), account.revision);
    for id in orphans {
        last = last.next();
        writes.push(Publication::orphan(id, last, account.generation, now).store());
        writes.push(audit::journal(Action::Orphan, last, id.as_str(), now));
    }
    if last > account.revision {
        writes.push(Account::advance(last));
    }
    Ok(writes)
}

/// Returns the writes that follow from the records of some keys in KV.
pub fn compared(
    sql: &dyn Sql,
    account: &Account,
    values: &[(KeyId, Option<String>)],
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let Some(Round { position: Position::Compare(cursor), begun_at }) = Round::load(sql)? else {
        return Ok(Vec::new());
    };
    let (mut writes, mut last) = (Vec::new(), account.revision);
    for (id, value) in values {
        writes.extend(compare(sql, account, *id, value.as_deref(), &mut last, now)?);
    }
    let end = values.iter().map(|(id, _)| id.as_str()).max().unwrap_or_default().to_owned();
    writes.push(Round { position: Position::Compare(end.max(cursor)), begun_at }.store());
    writes.push(task().postpone(now.saturating_add(PAUSE)));
    Ok(writes)
}

fn compare(
    sql: &dyn Sql,
    account: &Account,
    id: KeyId,
    value: Option<&str>,
    last: &mut Revision,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let Some(row) = Publication::load(sql, id)? else { return Ok(Vec::new()) };
    for ahead in [TaskKind::PutRecord, TaskKind::ReadBack] {
        if tasks::stands(sql, &Task::new(ahead, id))? {
            return Ok(Vec::new());
        }
    }
    if row.generation != account.generation && rebuild::is_on_its_way(sql)? {
        return Ok(Vec::new());
    }
    let Some(record) = publication::record(sql, account, id)? else { return Ok(Vec::new()) };
    Ok(match Drift::of(value, &record) {
        Drift::Right if row.is_settled(account.generation) => Vec::new(),
        // The record is right, but no task will see it settle: schedule a put.
        Drift::Right => mend(account, row, &Drift::Absent, last, now),
        found => mend(account, row, &found, last, now),
    })
}

#[cfg(test)]
mod tests {
    use claviger_core::replication::record::kv_key;

    #[test]
    fn the_prefix_is_that_of_the_records() {
        let id = claviger_core::testing::key_id();
        assert!(kv_key(id).starts_with(&super::prefix(id.account())));
    }
}
