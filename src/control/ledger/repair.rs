//! The repair: a slow round through KV and the ledger that finds what nobody has reported. KV is
//! written by hand, restored, or lost; so is a ledger.
//!
//! ```text
//!   (begin) ──▶ list: names in KV, a page at a time ──▶ compare: keys of ours, READ_MANY_MAX at a time ──▶ (a day later)
//! ```
//!
//! A name in KV without a key is an orphan: it gets a row, which makes it unsettled at once, and in
//! the second phase a tombstone, as whatever differs there is put right ([`super::drift`]). Keys
//! with a put or a read-back ahead are left to that. At the end the lease document is looked at
//! ([`super::document`]). Each step is one effect, and where it stands is in the table `repair`, so
//! that a crash repeats a step at most.

use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::record::Revision;

use super::account::Account;
use super::audit::Action;
use super::drift::{Finding, mend};
use super::publication::Publication;
use super::{document, rebuild};
use crate::ledger::{audit, publication};
use crate::objects::object::Step;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks;
use crate::objects::tasks::{Duty, Kind};
use crate::protocol::effect::{Effect, READ_MANY_MAX};

/// From the begin of a round to that of the next. A day is an answer to "since when?", and a list
/// and a bulk read per hundred keys a day cost nothing beside what verifications read.
pub const ROUND: DurationMs = DurationMs::from_days(1);

/// Between two steps. A full account has 200 of them, and so three hours and a half.
pub const PAUSE: DurationMs = DurationMs::from_s(60);

/// Where a round stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// In the list of names; the platform's cursor.
    List(Option<String>),
    /// Among the keys; the last one that was compared.
    Compare(String),
}

struct Round {
    place: Place,
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
        let place = match is_listing {
            true => Place::List(Some(cursor).filter(|cursor| !cursor.is_empty())),
            false => Place::Compare(cursor),
        };
        Ok(Self { place, begun_at: row.time()? })
    }

    fn store(&self) -> Statement {
        let (phase, cursor) = match &self.place {
            Place::List(cursor) => ("list", cursor.clone()),
            Place::Compare(last) => ("compare", Some(last.clone())),
        };
        let text =
            "INSERT OR REPLACE INTO repair (one, phase, cursor, begun_at_ms) VALUES (1, ?, ?, ?)";
        Statement::new(text).bind(phase).bind(cursor).bind(self.begun_at)
    }

    fn over() -> Statement {
        Statement::new("DELETE FROM repair")
    }
}

fn duty() -> Duty {
    Duty::own(Kind::Repair)
}

/// Owes a new account its first round.
pub fn owe(now: UnixMs) -> Statement {
    duty().owe(now.saturating_add(ROUND))
}

/// The next step of the round.
pub fn step(sql: &dyn Sql, account: &Account, now: UnixMs) -> Result<Step, SqlError> {
    let (round, writes) = match Round::load(sql)? {
        Some(round) => (round, Vec::new()),
        None => {
            let round = Round { place: Place::List(None), begun_at: now };
            let store = round.store();
            (round, vec![store])
        }
    };
    let effect = match round.place {
        Place::List(cursor) => Effect::ListKv { prefix: prefix(account.id), cursor },
        Place::Compare(last) => {
            let rows = Publication::load_after(sql, &last, READ_MANY_MAX)?;
            if rows.is_empty() {
                let again = round.begun_at.saturating_add(ROUND);
                let writes = vec![Round::over(), document::owe_look(now)];
                return Ok(Step::Chore { writes, again: Some(again) });
            }
            Effect::ReadMany { ids: rows.iter().map(|row| row.id).collect() }
        }
    };
    Ok(Step::Tracked { effect, writes })
}

/// Beginning of the names of the account's records.
fn prefix(account: AccountId) -> String {
    format!("key/{account}")
}

/// What follows when a step failed. A list's cursor does not live for ever: the list begins anew.
pub fn failed(sql: &dyn Sql, effect: &Effect, now: UnixMs) -> Result<Vec<Statement>, SqlError> {
    let mut writes = vec![duty().failed(sql, now)?];
    let round = Round::load(sql)?.filter(|_| matches!(effect, Effect::ListKv { .. }));
    if let Some(Round { place: Place::List(Some(_)), begun_at }) = round {
        writes.push(Round { place: Place::List(None), begun_at }.store());
    }
    Ok(writes)
}

/// What follows from a page of names.
pub fn listed(
    sql: &dyn Sql,
    account: &Account,
    asked: Option<&str>,
    (names, next): (&[String], Option<&str>),
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let is_next =
        |round: &Round| matches!(&round.place, Place::List(cursor) if cursor.as_deref() == asked);
    let Some(round) = Round::load(sql)?.filter(is_next) else { return Ok(Vec::new()) };
    let mut writes = adopt_orphans(sql, account, names, now)?;
    let place =
        next.map_or(Place::Compare(String::new()), |next| Place::List(Some(next.to_owned())));
    writes.push(Round { place, ..round }.store());
    writes.push(duty().postpone(now.saturating_add(PAUSE)));
    Ok(writes)
}

/// Gives each name without a row one, with a number of its own. What is no key's name is not ours.
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

/// What follows from what KV holds of some keys.
pub fn compared(
    sql: &dyn Sql,
    account: &Account,
    values: &[(KeyId, Option<String>)],
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let Some(Round { place: Place::Compare(cursor), begun_at }) = Round::load(sql)? else {
        return Ok(Vec::new());
    };
    let (mut writes, mut last) = (Vec::new(), account.revision);
    for (id, value) in values {
        writes.extend(compare(sql, account, *id, value.as_deref(), &mut last, now)?);
    }
    let end = values.iter().map(|(id, _)| id.as_str()).max().unwrap_or_default().to_owned();
    writes.push(Round { place: Place::Compare(end.max(cursor)), begun_at }.store());
    writes.push(duty().postpone(now.saturating_add(PAUSE)));
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
    for ahead in [Kind::PutRecord, Kind::ReadBack] {
        if tasks::stands(sql, &Duty::new(ahead, id))? {
            return Ok(Vec::new());
        }
    }
    if row.generation != account.generation && rebuild::is_on_its_way(sql)? {
        return Ok(Vec::new());
    }
    let Some(record) = publication::record(sql, account, id)? else { return Ok(Vec::new()) };
    Ok(match Finding::of(value, &record) {
        Finding::Right if row.is_settled(account.generation) => Vec::new(),
        // Right, but nobody is on the way to see it settle: that is ours to mend, too.
        Finding::Right => mend(account, row, &Finding::Absent, last, now),
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
