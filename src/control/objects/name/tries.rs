//! Rate limits of password tries at one name: per address block, and over all blocks.

use claviger_core::base::time::{DurationMs, UnixMs};

use crate::objects::object::TaskStep;
use crate::objects::rate_limit::{FixedWindow, Window};
use crate::objects::sql::migrate::{is_initialised, migrate};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};

/// Rate limit of one block at one name. Ten tries in a quarter of an hour suffice for a forgetful
/// member. A guesser gets some thousand a day, against passwords of twelve characters and more.
pub const BLOCK_TRIES: FixedWindow =
    FixedWindow { tries_max: 10, window: DurationMs::from_s(15 * 60) };

/// Rate limit of all blocks together at one name. Blocks with a recent right password are exempt;
/// otherwise an attacker with many addresses could lock a member out.
pub const NAME_TRIES: FixedWindow =
    FixedWindow { tries_max: 100, window: DurationMs::from_s(60 * 60) };

/// Time for which a right password exempts its block from the limit over all blocks, in
/// milliseconds: 30 days.
pub const TRUST_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Key of the row that counts all blocks.
const ALL: &str = "*";

/// Counts one try.
///
/// # Errors
/// The outer error is the database's. The inner one is the time of the next accepted try. A refused
/// try is not written, so that a refusal costs no write.
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
    migrate(sql, super::schema::MIGRATIONS, now)?;
    counted
        .push(Task::own(TaskKind::SweepTries).schedule_by(now.saturating_add(NAME_TRIES.window)));
    sql.apply(&counted)?;
    Ok(Ok(()))
}

/// Records a right password: resets its block's window and exempts the block for [`TRUST_MS`].
pub fn succeeded(block: Option<&str>, now: UnixMs) -> Statement {
    Statement::new("UPDATE tries SET tries = 0, succeeded_at_ms = ? WHERE block = ?")
        .bind(now)
        .bind(block.unwrap_or_default())
}

/// Removes rows that have no effect any more, and returns the time of the next sweep. It comes when
/// the next row expires, not hourly. Members who signed in this month would otherwise cost hundreds
/// of useless alarms each.
pub fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<TaskStep, SqlError> {
    const OVER_AT: &str = "max(since_ms + ?, ifnull(succeeded_at_ms + ?, 0))";
    let trust = i64::try_from(TRUST_MS).unwrap_or(i64::MAX);
    let window = i64::try_from(NAME_TRIES.window.as_ms()).unwrap_or(i64::MAX);
    let bound = |text: String| Statement::new(text).bind(window).bind(trust);
    let next = bound(format!(
        "SELECT min(over_at) FROM (SELECT {OVER_AT} AS over_at FROM tries) WHERE over_at > ?"
    ));
    let again = sql.first(&next.bind(now))?.map_or(Ok(None), |mut row| row.optional_time())?;
    let writes = vec![bound(format!("DELETE FROM tries WHERE {OVER_AT} <= ?")).bind(now)];
    Ok(TaskStep::Chore { writes, again })
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
