//! Usage: how often a key was let through or refused, when last, and from where.
//!
//! A row per key and day, written once per batch and key. What bounds the writes is the edge: an isolate sends a batch at
//! most once per T/2, and one row per key that it saw is all a batch costs, with one for the isolate. There is no folding in
//! memory: the objects' adapters hold no state, and a row costs a millionth of a dollar.
//!
//! A batch of a sequence that is known, or older, is ignored. An isolate that is silent for [`ISOLATE_LIFE`] is forgotten; a
//! repeat that comes still later would count again.

use std::collections::BTreeMap;

use crate::due::{Duty, Kind};
use crate::id::KeyId;
use crate::network::ClientAddress;
use crate::object::Step;
use crate::refresh::{ADDRESSES_MAX, USES_MAX, UsageBatch};
use crate::sql::{INTEGER_MAX, Row, Sql, SqlError, SqlExt, Statement};
use crate::time::{DurationMs, UnixMs};

/// How many days are kept, of a key that was used later; its last one is kept for good. The days of any month, with those
/// of 20,000 keys in 640,000 rows of some 200 bytes: 128 MB of an object's 10 GB.
pub const DAYS: i64 = 32;

/// How long an isolate's last sequence is remembered: it repeats a batch within seconds or not at all.
pub const ISOLATE_LIFE: DurationMs = DurationMs::from_days(1);

/// Most isolates that are remembered; those that were silent longest give way. More than one account meets in a day.
pub const ISOLATES_MAX: u32 = 10_000;

/// Most rows that one sweep removes.
const SWEEP_ROWS_MAX: u32 = 1_000;

/// How late a use may be reported; what is said to be older counts as so old.
const REPORT_LATE_MAX: DurationMs = DurationMs::from_days(1);

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What is counted of one key on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    uses: u64,
    denials: u64,
    last_used_at: Option<UnixMs>,
    /// The latest first.
    addresses: Vec<ClientAddress>,
}

impl Tally {
    fn add(&mut self, later: Self) {
        self.uses = self.uses.saturating_add(later.uses);
        self.denials = self.denials.saturating_add(later.denials);
        self.last_used_at = self.last_used_at.max(later.last_used_at);
        let earlier = core::mem::replace(&mut self.addresses, later.addresses);
        for address in earlier {
            if !self.addresses.contains(&address) {
                self.addresses.push(address);
            }
        }
        self.addresses.truncate(ADDRESSES_MAX);
    }

    fn store(&self, key: KeyId, day: i64) -> Statement {
        let text = "INSERT INTO usage (key, day, uses, denials, last_used_at_ms, addresses) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (key, day) DO UPDATE SET uses = excluded.uses, denials = excluded.denials,
                last_used_at_ms = excluded.last_used_at_ms, addresses = excluded.addresses";
        Statement::new(text)
            .bind(key.as_str())
            .bind(day)
            .bind(stored(self.uses))
            .bind(stored(self.denials))
            .bind(self.last_used_at)
            .bind(serde_json::json!(self.addresses).to_string())
    }

    fn read(row: &mut Row) -> Result<Self, SqlError> {
        Ok(Self {
            uses: row.integer()?.try_into().unwrap_or_default(),
            denials: row.integer()?.try_into().unwrap_or_default(),
            last_used_at: row.optional_time()?,
            addresses: row.parsed("addresses", |json| serde_json::from_str(json).ok())?,
        })
    }
}

/// A count as SQLite keeps it.
fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(INTEGER_MAX).min(INTEGER_MAX)
}

type Tallies = BTreeMap<(KeyId, i64), Tally>;

/// What a batch writes, and the uses that this very refresh is: of the keys in `used`. Keys that are not there, or not any
/// more, are left out.
pub fn fold(
    sql: &dyn Sql,
    batch: Option<&UsageBatch>,
    used: &[KeyId],
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let mut writes = Vec::new();
    if let Some(batch) = batch {
        let Some(noted) = note(sql, batch, now)? else { return Ok(writes) };
        writes.extend(noted);
    }
    let tallies = tally(batch, used, now);
    if tallies.is_empty() {
        return Ok(writes);
    }
    let since = day(now.saturating_sub(REPORT_LATE_MAX));
    let known = known(sql, tallies.keys().map(|(key, _)| *key), since)?;
    for ((key, day), tally) in tallies {
        let Some(days) = known.get(&key) else { continue };
        let mut sum = days.get(&day).cloned().unwrap_or_default();
        sum.add(tally);
        writes.push(sum.store(key, day));
    }
    if !writes.is_empty() {
        writes.push(duty().owe(now.saturating_add(ISOLATE_LIFE)));
    }
    Ok(writes)
}

fn duty() -> Duty {
    Duty::own(Kind::SweepUsage)
}

/// Notes the batch; `None`: it was noted before.
fn note(sql: &dyn Sql, batch: &UsageBatch, now: UnixMs) -> Result<Option<Vec<Statement>>, SqlError> {
    let isolate = format!("{:016x}", batch.isolate);
    let text = "SELECT sequence FROM usage_isolate WHERE isolate = ?";
    let known = sql.first(&Statement::new(text).bind(isolate.as_str()))?;
    let known = known.map(|mut row| row.integer()).transpose()?;
    let sequence = stored(batch.sequence);
    if known.is_some_and(|known| sequence <= known) {
        return Ok(None);
    }
    let mut writes = Vec::new();
    if known.is_none() {
        let make_room = "DELETE FROM usage_isolate WHERE isolate IN (
            SELECT isolate FROM usage_isolate ORDER BY at_ms DESC LIMIT -1 OFFSET ?)";
        writes.push(Statement::new(make_room).bind(ISOLATES_MAX.saturating_sub(1)));
    }
    let text = "INSERT OR REPLACE INTO usage_isolate (isolate, sequence, at_ms) VALUES (?, ?, ?)";
    writes.push(Statement::new(text).bind(isolate).bind(sequence).bind(now));
    Ok(Some(writes))
}

/// The sums of a batch, of at most [`USES_MAX`] uses, and of this refresh.
fn tally(batch: Option<&UsageBatch>, used: &[KeyId], now: UnixMs) -> Tallies {
    let mut tallies = Tallies::new();
    for one in batch.iter().flat_map(|batch| &batch.uses).take(USES_MAX) {
        let at = one.last_at.clamp(now.saturating_sub(REPORT_LATE_MAX), now);
        tallies.entry((one.id, day(at))).or_default().add(Tally {
            uses: one.count,
            denials: one.denials,
            last_used_at: (one.count > 0).then_some(at),
            addresses: one.addresses.iter().take(ADDRESSES_MAX).copied().collect(),
        });
    }
    for id in used {
        let once = Tally { uses: 1, last_used_at: Some(now), ..Tally::default() };
        tallies.entry((*id, day(now))).or_default().add(once);
    }
    tallies
}

fn day(at: UnixMs) -> i64 {
    at.as_ms().div_euclid(DAY_MS)
}

/// The tallies since `since` of those keys that are there.
fn known(
    sql: &dyn Sql,
    keys: impl Iterator<Item = KeyId>,
    since: i64,
) -> Result<BTreeMap<KeyId, BTreeMap<i64, Tally>>, SqlError> {
    let keys: Vec<KeyId> = keys.collect();
    // Without a row of usage there is still the key.
    let text = "SELECT key.id, ifnull(day, 0), ifnull(uses, 0), ifnull(denials, 0), last_used_at_ms,
            ifnull(addresses, '[]')
        FROM key LEFT JOIN usage ON usage.key = key.id AND usage.day >= ?
        WHERE key.id IN (SELECT value FROM json_each(?)) AND key.state <> 'deleted'";
    let rows = Statement::new(text).bind(since).bind(serde_json::json!(keys).to_string());
    let mut known: BTreeMap<KeyId, BTreeMap<i64, Tally>> = BTreeMap::new();
    for mut row in sql.rows(&rows)? {
        let (key, day) = (row.parsed("a key ID", KeyId::parse)?, row.integer()?);
        known.entry(key).or_default().insert(day, Tally::read(&mut row)?);
    }
    Ok(known)
}

/// Removes what is too old, a bounded part of it at a time.
pub fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<Step, SqlError> {
    let old = "SELECT old.key, old.day FROM usage AS old WHERE old.day <= ? AND (
            old.last_used_at_ms IS NULL
            OR EXISTS (SELECT 1 FROM usage AS new WHERE new.key = old.key AND new.day > old.day
                AND new.last_used_at_ms IS NOT NULL)
            OR NOT EXISTS (SELECT 1 FROM key WHERE id = old.key))
        LIMIT ?";
    let oldest = day(now).saturating_sub(DAYS);
    let count = Statement::new(format!("SELECT count(*) FROM ({old})")).bind(oldest).bind(SWEEP_ROWS_MAX);
    let found = sql.integer(&count)?;
    let remove = format!("DELETE FROM usage WHERE (key, day) IN ({old})");
    let forget = "DELETE FROM usage_isolate WHERE at_ms <= ?";
    let writes = vec![
        Statement::new(remove).bind(oldest).bind(SWEEP_ROWS_MAX),
        Statement::new(forget).bind(now.saturating_sub(ISOLATE_LIFE)),
    ];
    let is_all = found < SWEEP_ROWS_MAX.into();
    Ok(Step::Chore { writes, again: Some(if is_all { now.saturating_add(ISOLATE_LIFE) } else { now }) })
}
