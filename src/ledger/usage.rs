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
use crate::keys::KeyView;
use crate::network::{ClientAddress, Networks};
use crate::object::Step;
use crate::refresh::{ADDRESSES_MAX, Caller, USES_MAX, UsageBatch};
use crate::sql::{INTEGER_MAX, Row, Sql, SqlError, SqlExt, Statement};
use crate::time::{DurationMs, UnixMs};

/// How many days are kept, of a key that was used later; its last one is kept for good. The days of any month: those
/// of 120,000 keys ([`KEYS_MAX`](super::decide::KEYS_MAX) and [`ISSUED_KEYS_MAX`](super::issuing::ISSUED_KEYS_MAX)) are 3.84 million rows of some 200 bytes, 450 at most: 0.8 GB of an object's 10, 1.7 at most.
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

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Over how long it is told from where a key was used.
pub const CALLERS_KEPT: DurationMs = DurationMs::from_days(7);

/// Most callers of one key and day that are kept, the latest: 60 bytes each, 95 with a long address, so 1.5 KB. With those of 120,000 keys on eight days
/// that is 1.5 GB at most of an object's 10. The keys' own rows are 1.9 GB at most, so that half of the object is left for what was done.
pub const CALLERS_MAX: usize = 16;

/// Most callers that are told of as locked out: a list that a person reads before saving.
pub const LOCKED_OUT_MAX: usize = 50;

/// What is counted of one key on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    uses: u64,
    denials: u64,
    last_used_at: Option<UnixMs>,
    /// The latest first.
    addresses: Vec<ClientAddress>,
    /// Uses by the hour of the day.
    hours: Hours,
    /// From where it was let through, the latest first.
    callers: Vec<Caller>,
}

/// A count for each hour of a day in UTC; none at all for a day without.
type Hours = Vec<u64>;

/// The hours of a day with `count` uses in that of `at`.
fn in_hour(at: UnixMs, count: u64) -> Hours {
    let hour = usize::try_from(at.as_ms().rem_euclid(DAY_MS).div_euclid(HOUR_MS)).unwrap_or_default();
    (0..24).map(|place| if place == hour { count } else { 0 }).collect()
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
        self.hours.resize(self.hours.len().max(later.hours.len()), 0);
        for (hour, count) in self.hours.iter_mut().zip(later.hours) {
            *hour = hour.saturating_add(count);
        }
        // Of two that came at the same time the one that was told later stands first.
        for caller in core::mem::replace(&mut self.callers, later.callers) {
            add_caller(&mut self.callers, caller);
        }
        self.callers.sort_by_key(|caller| core::cmp::Reverse(caller.last_at));
        self.callers.truncate(CALLERS_MAX);
    }

    fn store(&self, key: KeyId, day: i64) -> Statement {
        let text = "INSERT INTO usage (key, day, uses, denials, last_used_at_ms, addresses, hours, callers)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (key, day) DO UPDATE SET uses = excluded.uses, denials = excluded.denials,
                last_used_at_ms = excluded.last_used_at_ms, addresses = excluded.addresses,
                hours = excluded.hours, callers = excluded.callers";
        let hours: Vec<i64> = self.hours.iter().map(|count| stored(*count)).collect();
        Statement::new(text)
            .bind(key.as_str())
            .bind(day)
            .bind(stored(self.uses))
            .bind(stored(self.denials))
            .bind(self.last_used_at)
            .bind(serde_json::json!(self.addresses).to_string())
            .bind(serde_json::json!(hours).to_string())
            .bind(serde_json::json!(self.callers).to_string())
    }

    fn read(row: &mut Row) -> Result<Self, SqlError> {
        Ok(Self {
            uses: row.integer()?.try_into().unwrap_or_default(),
            denials: row.integer()?.try_into().unwrap_or_default(),
            last_used_at: row.optional_time()?,
            addresses: row.parsed("addresses", |json| serde_json::from_str(json).ok())?,
            hours: row.parsed("hours", |json| serde_json::from_str(json).ok())?,
            callers: row.parsed("callers", |json| serde_json::from_str(json).ok())?,
        })
    }
}

/// Counts a caller's uses, of another hour or day, with those that are known.
fn add_caller(callers: &mut Vec<Caller>, later: Caller) {
    match callers.iter_mut().find(|known| known.address == later.address) {
        Some(known) => {
            known.count = known.count.saturating_add(later.count);
            known.last_at = known.last_at.max(later.last_at);
        }
        None => callers.push(later),
    }
}

/// A count as SQLite keeps it.
fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(INTEGER_MAX).min(INTEGER_MAX)
}

type Tallies = BTreeMap<(KeyId, i64), Tally>;

/// A key that a refresh was a use of, and from where, if that is known to have been let through.
pub type Used = (KeyId, Option<ClientAddress>);

/// What a batch writes, and the uses that this very refresh is: of the keys in `used`. Keys that are not there, or not any
/// more, are left out.
pub fn fold(
    sql: &dyn Sql,
    batch: Option<&UsageBatch>,
    used: &[Used],
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
fn tally(batch: Option<&UsageBatch>, used: &[Used], now: UnixMs) -> Tallies {
    let mut tallies = Tallies::new();
    for one in batch.iter().flat_map(|batch| &batch.uses).take(USES_MAX) {
        let at = one.last_at.clamp(now.saturating_sub(REPORT_LATE_MAX), now);
        tallies.entry((one.id, day(at))).or_default().add(Tally {
            uses: one.count,
            denials: one.denials,
            last_used_at: (one.count > 0).then_some(at),
            addresses: one.addresses.iter().take(ADDRESSES_MAX).copied().collect(),
            hours: in_hour(at, one.count),
            callers: one.callers.iter().take(ADDRESSES_MAX).map(|caller| drawn_in(caller, now)).collect(),
        });
    }
    for (id, from) in used {
        let caller = from.map(|address| Caller { address, count: 1, last_at: now });
        let once = Tally {
            uses: 1,
            last_used_at: Some(now),
            hours: in_hour(now, 1),
            callers: caller.into_iter().collect(),
            ..Tally::default()
        };
        tallies.entry((*id, day(now))).or_default().add(once);
    }
    tallies
}

/// A caller as it can be: neither later than now nor reported later than anything is.
fn drawn_in(caller: &Caller, now: UnixMs) -> Caller {
    let last_at = caller.last_at.clamp(now.saturating_sub(REPORT_LATE_MAX), now);
    Caller { last_at, count: stored(caller.count).unsigned_abs(), ..caller.clone() }
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
            ifnull(addresses, '[]'), ifnull(hours, '[]'), ifnull(callers, '[]')
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

/// Tells of each key how often it was let through in the last 24 hours, the present one and the 23 before it. One statement for all of
/// them, and none for no key.
pub fn tell(sql: &dyn Sql, keys: Vec<&mut KeyView>, now: UnixMs) -> Result<(), SqlError> {
    if keys.is_empty() {
        return Ok(());
    }
    let ids: Vec<KeyId> = keys.iter().map(|key| key.id).collect();
    let text = "SELECT usage.key, sum(hour.value) FROM usage, json_each(usage.hours) AS hour
        WHERE usage.key IN (SELECT value FROM json_each(?)) AND usage.day >= ? AND 24 * usage.day + hour.key > ?
        GROUP BY usage.key";
    let sums = Statement::new(text)
        .bind(serde_json::json!(ids).to_string())
        .bind(day(now).saturating_sub(1))
        .bind(now.as_ms().div_euclid(HOUR_MS).saturating_sub(24));
    let mut uses: BTreeMap<KeyId, u64> = BTreeMap::new();
    for mut row in sql.rows(&sums)? {
        let id = row.parsed("a key ID", KeyId::parse)?;
        uses.insert(id, row.integer()?.try_into().unwrap_or_default());
    }
    for key in keys {
        key.uses_24h = uses.get(&key.id).copied().unwrap_or_default();
    }
    Ok(())
}

/// From where a key was let through within [`CALLERS_KEPT`] that `networks` do not allow, the latest first, at most
/// [`LOCKED_OUT_MAX`]. Counts are by whole days.
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
        let out = known.into_iter().filter(|one| one.last_at > since && !networks.allows(Some(one.address)));
        out.for_each(|caller| add_caller(&mut callers, caller));
    }
    callers.sort_by_key(|caller| core::cmp::Reverse(caller.last_at));
    callers.truncate(LOCKED_OUT_MAX);
    Ok(callers)
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
    // Whoever asks for the last days asks for no more than these.
    let fade = "UPDATE usage SET callers = '[]', hours = '[]' WHERE (key, day) IN (
        SELECT key, day FROM usage WHERE day < ? AND callers <> '[]' LIMIT ?)";
    let fading = day(now.saturating_sub(CALLERS_KEPT));
    let faded = "SELECT count(*) FROM (SELECT 1 FROM usage WHERE day < ? AND callers <> '[]' LIMIT ?)";
    let found = found.max(sql.integer(&Statement::new(faded).bind(fading).bind(SWEEP_ROWS_MAX))?);
    let writes = vec![
        Statement::new(fade).bind(fading).bind(SWEEP_ROWS_MAX),
        Statement::new(remove).bind(oldest).bind(SWEEP_ROWS_MAX),
        Statement::new(forget).bind(now.saturating_sub(ISOLATE_LIFE)),
    ];
    let is_all = found < SWEEP_ROWS_MAX.into();
    Ok(Step::Chore { writes, again: Some(if is_all { now.saturating_add(ISOLATE_LIFE) } else { now }) })
}
