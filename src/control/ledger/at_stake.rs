//! Counts the keys that an action would end, for the question before it.

use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::issuer::{Issuer, SealingGeneration};

use super::key::{Key, KeyCounts};
use super::service::Service;
use crate::ledger::usage::counts::day;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::at_stake::{AccountCounts, COUNTED_MAX, IssuedCounts};

/// Time in which a key counts as used.
const USED_WITHIN: DurationMs = DurationMs::from_days(1);

/// Returns the counts of the keys that an issuer has issued; `None` if there is no such issuer.
pub(super) fn issued(
    sql: &dyn Sql,
    issuer: Issuer,
    now: UnixMs,
) -> Result<Option<IssuedCounts>, SqlError> {
    let generation = match issuer {
        Issuer::Key(id) => Key::load(sql, id)?.and_then(Key::living).map(|key| key.sealing),
        Issuer::Service => Service::load(sql)?.map(|service| service.issuing.generation),
    };
    generation.map(|generation| count(sql, issuer, generation, now)).transpose()
}

fn count(
    sql: &dyn Sql,
    issuer: Issuer,
    generation: SealingGeneration,
    now: UnixMs,
) -> Result<IssuedCounts, SqlError> {
    // One key more than the count covers shows if the count is exact.
    let text = "SELECT count(*), ifnull(sum(is_unlimited), 0), ifnull(sum(is_used), 0) FROM (
        SELECT key.expires_ms IS NULL AS is_unlimited,
            EXISTS (SELECT 1 FROM usage WHERE usage.key = key.id AND usage.day >= ? AND usage.last_used_at_ms > ?) AS is_used
        FROM key WHERE issued_by = ? AND issued_generation = ? AND state = 'active'
            AND (expires_ms IS NULL OR expires_ms > ?) LIMIT ?)";
    let since = now.saturating_sub(USED_WITHIN);
    let statement = Statement::new(text)
        .bind(day(since))
        .bind(since)
        .bind(issuer.as_str())
        .bind(generation.0)
        .bind(now)
        .bind(COUNTED_MAX.saturating_add(1));
    let row = sql.first(&statement)?;
    let mut row = row.ok_or(SqlError::Column { column: 0, expected: "a row" })?;
    let (stored, unlimited, used) = (row.count()?, row.count()?, row.count()?);
    Ok(IssuedCounts {
        stored: stored.min(COUNTED_MAX),
        unlimited: unlimited.min(COUNTED_MAX),
        used_24h: used.min(COUNTED_MAX),
        is_exact: stored <= COUNTED_MAX,
    })
}

/// Returns the counts of an account's keys and members.
pub(super) fn of_account(sql: &dyn Sql, now: UnixMs) -> Result<AccountCounts, SqlError> {
    let KeyCounts { members, issuers, .. } = KeyCounts::load(sql)?;
    let since = now.saturating_sub(USED_WITHIN);
    let text = "SELECT count(*) FROM (
        SELECT DISTINCT key FROM usage INDEXED BY usage_by_day WHERE day >= ? AND last_used_at_ms > ?
            AND EXISTS (SELECT 1 FROM key WHERE id = usage.key) LIMIT ?)";
    let used = Statement::new(text).bind(day(since)).bind(since).bind(COUNTED_MAX);
    let used_24h = u32::try_from(sql.integer(&used)?).unwrap_or(COUNTED_MAX);
    let people = "SELECT count(*) FROM member WHERE removed_at_ms IS NULL";
    let people = u32::try_from(sql.integer(&Statement::new(people))?).ok();
    Ok(AccountCounts { members, issuers, used_24h, people })
}
