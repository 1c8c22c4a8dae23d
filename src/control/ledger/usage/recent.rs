//! The requests of the last 24 hours, for the views of keys.

use std::collections::BTreeMap;

use claviger_core::base::id::KeyId;
use claviger_core::base::time::UnixMs;

use super::day;
use crate::ledger::usage::counts::{HOUR_MS, count_of};
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::keys::KeyView;

/// Sets in each key its requests in the last 24 hours (the present hour and the 23 before it),
/// those let through and those refused by reason, and the time of the last refused one. Uses three
/// statements for all keys, and none for an empty list.
pub fn add_recent_uses(
    sql: &dyn Sql,
    keys: Vec<&mut KeyView>,
    now: UnixMs,
) -> Result<(), SqlError> {
    if keys.is_empty() {
        return Ok(());
    }
    let ids = serde_json::json!(keys.iter().map(|key| key.id).collect::<Vec<KeyId>>()).to_string();
    let recent = |text: &'static str| {
        let hour = now.as_ms().div_euclid(HOUR_MS).saturating_sub(24);
        Statement::new(text).bind(ids.as_str()).bind(day(now).saturating_sub(1)).bind(hour)
    };
    let uses = recent(
        "SELECT usage.key, sum(hour.value) FROM usage, json_each(usage.hours) AS hour
        WHERE usage.key IN (SELECT value FROM json_each(?)) AND usage.day >= ? AND 24 * usage.day + hour.key > ?
        GROUP BY usage.key",
    );
    let uses: BTreeMap<KeyId, u64> = sql
        .read_all(&uses, |mut row| {
            Ok((row.parsed("a key ID", KeyId::parse)?, count_of(row.integer()?)))
        })?
        .into_iter()
        .collect();
    let refusals = recent(
        "SELECT usage.key, reason.key, sum(hour.value)
        FROM usage, json_each(usage.refusals) AS reason, json_each(reason.value) AS hour
        WHERE usage.key IN (SELECT value FROM json_each(?)) AND usage.day >= ?
            AND 24 * usage.day + CAST(hour.key AS INTEGER) > ?
        GROUP BY usage.key, reason.key",
    );
    let mut refused: BTreeMap<KeyId, BTreeMap<String, u64>> = BTreeMap::new();
    for mut row in sql.rows(&refusals)? {
        let (id, reason) = (row.parsed("a key ID", KeyId::parse)?, row.text()?);
        refused.entry(id).or_default().insert(reason, count_of(row.integer()?));
    }
    let last = "SELECT key, max(last_refused_at_ms) FROM usage
        WHERE key IN (SELECT value FROM json_each(?)) GROUP BY key";
    let last: BTreeMap<KeyId, Option<UnixMs>> = sql
        .read_all(&Statement::new(last).bind(ids.as_str()), |mut row| {
            Ok((row.parsed("a key ID", KeyId::parse)?, row.optional_time()?))
        })?
        .into_iter()
        .collect();
    for key in keys {
        key.uses_24h = uses.get(&key.id).copied().unwrap_or_default();
        key.refused_24h = refused.remove(&key.id).unwrap_or_default();
        key.last_refused_at = last.get(&key.id).copied().flatten();
    }
    Ok(())
}
