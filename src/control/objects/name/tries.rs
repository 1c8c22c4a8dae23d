//! Tries at the password of one name: counted per address block, and over all blocks.

use claviger_core::base::time::{DurationMs, UnixMs};

use crate::objects::object::Step;
use crate::objects::rate_limit::{Budget, Window};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement, is_initialised, migrate};
use crate::objects::tasks::{Duty, Kind};

/// What one block may try at one name. Ten in a quarter of an hour leave room for a forgetful
/// person, and nothing for a guesser: a thousand a day, of passwords of twelve characters and more.
pub const BLOCK_TRIES: Budget = Budget { tries_max: 10, window: DurationMs::from_s(15 * 60) };

/// What all blocks together may try at one name, blocks apart that had a right password lately:
/// else whoever has many addresses could keep a member out.
pub const NAME_TRIES: Budget = Budget { tries_max: 100, window: DurationMs::from_s(60 * 60) };

/// How long a right password keeps its block from being shut out by other blocks' tries, in
/// milliseconds: 30 days.
pub const TRUST_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// The row that counts all blocks.
const ALL: &str = "*";

/// Counts one try.
///
/// The outer error is the database's; the inner one says when the next try will be looked at. A try
/// that is refused is not written, so that refusing costs nothing.
pub fn count(
    sql: &dyn Sql,
    block: Option<&str>,
    now: UnixMs,
) -> Result<Result<(), UnixMs>, SqlError> {
    let block = block.unwrap_or_default();
    let own = Counter::read(sql, block)?;
    let mut counted = match BLOCK_TRIES.count(own.as_ref().map(|counter| counter.window), now) {
        Ok(window) => vec![write(block, window)],
        Err(until) => return Ok(Err(until)),
    };
    if !own.is_some_and(|counter| counter.is_trusted(now)) {
        let all = Counter::read(sql, ALL)?.map(|counter| counter.window);
        match NAME_TRIES.count(all, now) {
            Ok(window) => counted.push(write(ALL, window)),
            Err(until) => return Ok(Err(until)),
        }
    }
    migrate(sql, super::MIGRATIONS, now)?;
    counted.push(Duty::own(Kind::SweepTries).owe_by(now.saturating_add(NAME_TRIES.window)));
    sql.apply(&counted)?;
    Ok(Ok(()))
}

/// Notes a right password: its block starts anew, and is trusted.
pub fn succeeded(block: Option<&str>, now: UnixMs) -> Statement {
    Statement::new("UPDATE tries SET tries = 0, succeeded_at_ms = ? WHERE block = ?")
        .bind(now)
        .bind(block.unwrap_or_default())
}

/// Removes what counts no more, and comes again when the next does not: an alarm an hour for each
/// member who signed in this month would be hundreds, and all but one for nothing.
pub fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<Step, SqlError> {
    const OVER_AT: &str = "max(since_ms + ?, ifnull(succeeded_at_ms + ?, 0))";
    let trust = i64::try_from(TRUST_MS).unwrap_or(i64::MAX);
    let window = i64::try_from(NAME_TRIES.window.as_ms()).unwrap_or(i64::MAX);
    let bound = |text: String| Statement::new(text).bind(window).bind(trust);
    let next = bound(format!(
        "SELECT min(over_at) FROM (SELECT {OVER_AT} AS over_at FROM tries) WHERE over_at > ?"
    ));
    let again = sql.first(&next.bind(now))?.map_or(Ok(None), |mut row| row.optional_time())?;
    let writes = vec![bound(format!("DELETE FROM tries WHERE {OVER_AT} <= ?")).bind(now)];
    Ok(Step::Chore { writes, again })
}

struct Counter {
    window: Window,
    succeeded_at: Option<UnixMs>,
}

impl Counter {
    fn read(sql: &dyn Sql, block: &str) -> Result<Option<Self>, SqlError> {
        if !is_initialised(sql)? {
            return Ok(None);
        }
        let row =
            Statement::new("SELECT since_ms, tries, succeeded_at_ms FROM tries WHERE block = ?")
                .bind(block);
        sql.first(&row)?.map(Self::of).transpose()
    }

    fn of(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            window: Window { since: row.time()?, tries: row.count()? },
            succeeded_at: row.optional_time()?,
        })
    }

    fn is_trusted(&self, now: UnixMs) -> bool {
        self.succeeded_at
            .and_then(|at| now.since(at))
            .is_some_and(|age| age < DurationMs::from_ms(TRUST_MS))
    }
}

fn write(block: &str, window: Window) -> Statement {
    let text = "INSERT INTO tries (block, since_ms, tries) VALUES (?, ?, ?)
        ON CONFLICT (block) DO UPDATE SET since_ms = excluded.since_ms, tries = excluded.tries";
    Statement::new(text).bind(block).bind(window.since).bind(window.tries)
}
