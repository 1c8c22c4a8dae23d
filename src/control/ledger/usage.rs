//! Usage of a key: the number of accepted and of refused requests, these by reason; their
//! addresses, and the times of the last ones.
//!
//! There is one row per key and day. The ledger adds up reports in memory ([`pending`]) and writes
//! them in one `apply`. It writes a minute after the first report, or after some seconds without a
//! report. It also writes before each command of a member, and when the memory is full. So the
//! number of writes depends on the keys and isolates of that minute, not on the number of reports.
//! If the memory is lost, at most a minute's counts are lost. A failed write loses counts and never
//! doubles them: they leave memory first, together with the sequences of their batches.
//!
//! The ledger ignores a batch with a known or lower sequence. It forgets an isolate that is silent
//! for [`ISOLATE_LIFE`]; only a repeat after that would count again. The sweep runs once a day
//! while any data can expire. It also runs when the ledger removes deleted keys.

pub(super) mod counts;
pub mod pending;
mod recent;
pub(super) mod service;

use std::collections::BTreeMap;

use claviger_core::base::id::KeyId;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::limits::network::{ClientAddress, Networks};
use claviger_core::replication::refresh::{ADDRESSES_MAX, Caller, USES_MAX, UsageBatch, Use};

use crate::ledger::networks;
pub use crate::ledger::usage::counts::{CALLERS_KEPT, CALLERS_MAX};
use crate::ledger::usage::counts::{
    CountsByDay, DayCounts, OTHER_REASON, REPORT_LATE_MAX, add_caller, day, drawn_in, in_hour,
    is_refusal_reason, refused, stored,
};
use crate::ledger::usage::pending::{PendingCounts, UsageReport};
pub use crate::ledger::usage::recent::add_recent_uses;
use crate::objects::object::TaskStep;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};

/// Days for which usage is kept. The day of a key's last use is kept as long as the key. Any month
/// fits. For 120,000 keys ([`KEYS_MAX`](super::decide::KEYS_MAX) and
/// [`ISSUED_KEYS_MAX`](super::issued::ISSUED_KEYS_MAX)) that is 3.84 million rows of some 200
/// bytes, at most 450. So usage takes 0.8 GB of an object's 10, at most 1.7. The reasons of
/// refusals add 30 bytes for a key that is refused now and then.
pub const DAYS: i64 = 32;

/// Time for which an isolate's last sequence is stored: it repeats a batch within seconds or never.
pub const ISOLATE_LIFE: DurationMs = DurationMs::from_days(1);

/// Most isolates that are stored after a sweep; those without a report for the longest time are
/// removed first. An account is served by fewer isolates in a day.
pub const ISOLATES_MAX: u32 = 10_000;

/// Maximum number of `usage` rows that one sweep removes, and also that it clears of callers and
/// hours. Rows of isolates have no such bound.
const SWEEP_ROWS_MAX: u32 = 1_000;

/// Most reasons of refusals that are read of one key in one batch.
const REASONS_MAX: usize = 16;

/// Most callers in the list of those that an edit would lock out: a list that a member reads before
/// saving.
pub const LOCKED_OUT_MAX: usize = 50;

/// An active key that a refresh of an earlier release's edge asked for, which counts as one use:
/// such an edge leaves it to the ledger before it knows the verdict. The caller's address is
/// present if the key's networks allow it.
pub type Used = (KeyId, Option<ClientAddress>);

/// Returns the usage that a refresh reports: its batch, and the keys in `used` that the refresh
/// itself uses. Empty if `pending` or the database already has the batch.
pub fn report(
    sql: &dyn Sql,
    pending: &PendingCounts,
    batch: Option<&UsageBatch>,
    used: &[Used],
    now: UnixMs,
) -> Result<UsageReport, SqlError> {
    if let Some(batch) = batch
        && known_sequence(sql, pending, batch.isolate)?
            .is_some_and(|known| stored(batch.sequence) <= known)
    {
        return Ok(UsageReport::default());
    }
    let last_batch = batch.map(|batch| (batch.isolate, batch.sequence));
    let service = batch.and_then(|batch| batch.service.as_ref());
    let service = service.map(|uses| service::bounded(uses, now));
    Ok(UsageReport { last_batch, counts: add_up(batch, used, now), service })
}

/// Returns the last counted sequence of an isolate.
fn known_sequence(
    sql: &dyn Sql,
    pending: &PendingCounts,
    isolate: u64,
) -> Result<Option<i64>, SqlError> {
    if let Some(sequence) = pending.sequence(isolate) {
        return Ok(Some(stored(sequence)));
    }
    let text = "SELECT sequence FROM usage_isolate WHERE isolate = ?";
    sql.first(&Statement::new(text).bind(name(isolate)))?.map(|mut row| row.integer()).transpose()
}

/// Returns the stored form of an isolate's number.
fn name(isolate: u64) -> String {
    format!("{isolate:016x}")
}

/// Returns the writes of all pending counts, for one `apply`. Skips keys that do not exist or no
/// longer exist.
pub fn write(
    sql: &dyn Sql,
    pending: PendingCounts,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let (counts, isolates, service) = pending.into_parts();
    let mut writes: Vec<Statement> = isolates
        .into_iter()
        .map(|(isolate, last_batch)| {
            let text =
                "INSERT OR REPLACE INTO usage_isolate (isolate, sequence, at_ms) VALUES (?, ?, ?)";
            Statement::new(text)
                .bind(name(isolate))
                .bind(stored(last_batch.sequence))
                .bind(last_batch.at)
        })
        .collect();
    // Pending counts may belong to an earlier day than any report that arrives now.
    let since = counts.keys().map(|(_, day)| *day).min().unwrap_or_default();
    let known = known(sql, counts.keys().map(|(key, _)| *key), since)?;
    writes.extend(networks::used(sql, &counts, now)?);
    if let Some(uses) = service {
        writes.extend(service::write(sql, uses, now)?);
    }
    for ((key, day), day_counts) in counts {
        let Some(days) = known.get(&key) else { continue };
        let mut sum = days.get(&day).cloned().unwrap_or_default();
        sum.add(day_counts);
        writes.push(sum.store(key, day));
    }
    if !writes.is_empty() {
        writes.push(task().schedule(now.saturating_add(ISOLATE_LIFE)));
    }
    Ok(writes)
}

fn task() -> Task {
    Task::own(TaskKind::SweepUsage)
}

/// Returns the sums of a batch, of at most [`USES_MAX`] uses, and of this refresh.
fn add_up(batch: Option<&UsageBatch>, used: &[Used], now: UnixMs) -> CountsByDay {
    let mut counts = CountsByDay::new();
    for one in batch.iter().flat_map(|batch| &batch.uses).take(USES_MAX) {
        let at = one.last_at.clamp(now.saturating_sub(REPORT_LATE_MAX), now);
        counts.entry((one.id, day(at))).or_default().add(DayCounts {
            uses: one.count,
            last_used_at: (one.count > 0).then_some(at),
            addresses: one.addresses.iter().take(ADDRESSES_MAX).copied().collect(),
            hours: in_hour(at, one.count),
            callers: one
                .callers
                .iter()
                .take(ADDRESSES_MAX)
                .map(|caller| drawn_in(caller, now))
                .collect(),
            ..DayCounts::default()
        });
        for (reason, at, count) in refusals(one, now) {
            counts.entry((one.id, day(at))).or_default().add(refused(reason, at, count));
        }
    }
    for (id, from) in used {
        let caller = from.map(|address| Caller { address, count: 1, last_at: now });
        let once = DayCounts {
            uses: 1,
            last_used_at: Some(now),
            hours: in_hour(now, 1),
            callers: caller.into_iter().collect(),
            ..DayCounts::default()
        };
        counts.entry((*id, day(now))).or_default().add(once);
    }
    counts
}

/// Returns the refusals of a key: reason, time of the last, and number.
fn refusals(one: &Use, now: UnixMs) -> Vec<(&str, UnixMs, u64)> {
    let clamped = |at: UnixMs| at.clamp(now.saturating_sub(REPORT_LATE_MAX), now);
    let (mut found, mut rest) = (Vec::new(), one.denials);
    for refusal in one.refusals.iter().take(REASONS_MAX) {
        let is_known = is_refusal_reason(&refusal.reason);
        let reason = if is_known { &*refusal.reason } else { OTHER_REASON };
        // The sum is never more than the number of refused requests.
        let count = refusal.count.min(rest);
        rest = rest.saturating_sub(count);
        found.push((reason, clamped(refusal.last_at), count));
    }
    // An edge of an earlier release gives no reasons.
    found.push((OTHER_REASON, clamped(one.last_at), rest));
    found.retain(|(.., count)| *count > 0);
    found
}

/// Loads the counts since `since` of those keys and API users that exist.
fn known(
    sql: &dyn Sql,
    keys: impl Iterator<Item = KeyId>,
    since: i64,
) -> Result<BTreeMap<KeyId, BTreeMap<i64, DayCounts>>, SqlError> {
    let keys: Vec<KeyId> = keys.collect();
    let ids = serde_json::json!(keys).to_string();
    let mut known: BTreeMap<KeyId, BTreeMap<i64, DayCounts>> = BTreeMap::new();
    // API users have usage, too. Almost all batches are of keys alone.
    for table in ["key", "api_user"] {
        // The `LEFT JOIN` also returns a row without usage.
        let text = format!(
            "SELECT {table}.id, ifnull(day, 0), ifnull(uses, 0), ifnull(denials, 0), last_used_at_ms,
                ifnull(addresses, '[]'), ifnull(hours, '[]'), ifnull(callers, '[]'), ifnull(refusals, '{{}}'),
                last_refused_at_ms
            FROM {table} LEFT JOIN usage ON usage.key = {table}.id AND usage.day >= ?
            WHERE {table}.id IN (SELECT value FROM json_each(?)) AND {table}.state <> 'deleted'"
        );
        for mut row in sql.rows(&Statement::new(text).bind(since).bind(ids.as_str()))? {
            let (key, day) = (row.parsed("a key ID", KeyId::parse)?, row.integer()?);
            known.entry(key).or_default().insert(day, DayCounts::read(&mut row)?);
        }
        if keys.iter().all(|key| known.contains_key(key)) {
            break;
        }
    }
    Ok(known)
}

/// Returns the callers of a key within [`CALLERS_KEPT`] that `networks` do not allow, latest first,
/// at most [`LOCKED_OUT_MAX`]. Their counts cover whole days.
pub fn locked_out(
    sql: &dyn Sql,
    key: KeyId,
    networks: &Networks,
    now: UnixMs,
) -> Result<Vec<Caller>, SqlError> {
    let since = now.saturating_sub(CALLERS_KEPT);
    let rows = Statement::new("SELECT callers FROM usage WHERE key = ? AND day >= ?");
    let mut callers: Vec<Caller> = Vec::new();
    for mut row in sql.rows(&rows.bind(key.as_str()).bind(day(since)))? {
        let known: Vec<Caller> = row.parsed("callers", |json| serde_json::from_str(json).ok())?;
        let out = known
            .into_iter()
            .filter(|one| one.last_at > since && !networks.allows(Some(one.address)));
        out.for_each(|caller| add_caller(&mut callers, caller));
    }
    callers.sort_by_key(|caller| core::cmp::Reverse(caller.last_at));
    callers.truncate(LOCKED_OUT_MAX);
    Ok(callers)
}

/// Removes expired usage, one bounded batch at a time.
pub fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<TaskStep, SqlError> {
    let old = "SELECT old.key, old.day FROM usage AS old WHERE old.day <= ? AND (
            old.last_used_at_ms IS NULL
            OR EXISTS (SELECT 1 FROM usage AS new WHERE new.key = old.key AND new.day > old.day
                AND new.last_used_at_ms IS NOT NULL)
            OR NOT EXISTS (SELECT 1 FROM key WHERE id = old.key UNION ALL
                SELECT 1 FROM api_user WHERE id = old.key))
        LIMIT ?";
    let oldest = day(now).saturating_sub(DAYS);
    let count =
        Statement::new(format!("SELECT count(*) FROM ({old})")).bind(oldest).bind(SWEEP_ROWS_MAX);
    let found = sql.integer(&count)?;
    let remove = format!("DELETE FROM usage WHERE (key, day) IN ({old})");
    let forget = "DELETE FROM usage_isolate WHERE at_ms <= ?";
    let make_room = "DELETE FROM usage_isolate WHERE isolate IN (
        SELECT isolate FROM usage_isolate ORDER BY at_ms DESC LIMIT -1 OFFSET ?)";
    // The console never asks for addresses or hours beyond these days.
    let fade =
        "UPDATE usage SET callers = '[]', hours = '[]', refusals = '{}' WHERE (key, day) IN (
        SELECT key, day FROM usage WHERE day < ? AND (callers <> '[]' OR refusals <> '{}') LIMIT ?)";
    let fading = day(now.saturating_sub(CALLERS_KEPT));
    let faded = "SELECT count(*) FROM (SELECT 1 FROM usage
        WHERE day < ? AND (callers <> '[]' OR refusals <> '{}') LIMIT ?)";
    let found = found.max(sql.integer(&Statement::new(faded).bind(fading).bind(SWEEP_ROWS_MAX))?);
    let writes = vec![
        Statement::new(fade).bind(fading).bind(SWEEP_ROWS_MAX),
        Statement::new(remove).bind(oldest).bind(SWEEP_ROWS_MAX),
        Statement::new(forget).bind(now.saturating_sub(ISOLATE_LIFE)),
        Statement::new(make_room).bind(ISOLATES_MAX),
    ];
    let again = if found < SWEEP_ROWS_MAX.into() {
        // Writing usage schedules the sweep again.
        grows_old(sql, oldest, now)?.then(|| now.saturating_add(ISOLATE_LIFE))
    } else {
        Some(now)
    };
    Ok(TaskStep::Chore { writes, again })
}

/// Returns `true` if data is left that a later sweep may remove.
fn grows_old(sql: &dyn Sql, oldest: i64, now: UnixMs) -> Result<bool, SqlError> {
    let text = "SELECT EXISTS (SELECT 1 FROM usage WHERE day > ?) OR EXISTS (SELECT 1 FROM usage_isolate WHERE at_ms > ?)";
    let left = Statement::new(text).bind(oldest).bind(now.saturating_sub(ISOLATE_LIFE));
    Ok(sql.integer(&left)? != 0)
}
