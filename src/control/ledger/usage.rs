//! Usage: how often a key was let through or refused, when last, and from where.
//!
//! A row per key and day. Reports are folded in memory ([`pending`]) and written in one `apply`: a
//! minute after the first of them, when none came for some seconds, or before somebody reads. That
//! is a row for each key and isolate of that minute, however many reports there were. Whoever loses
//! the memory loses the counts of a minute at most. Nothing counts twice: a fold is taken out of
//! memory before it is written, with the sequences of its batches.
//!
//! A batch of a sequence that is known, or older, is ignored. An isolate that is silent for
//! [`ISOLATE_LIFE`] is forgotten; a repeat that comes still later would count again. The sweep
//! comes once a day while anything grows old, and not where nothing is used.

mod counts;
pub mod pending;

use std::collections::BTreeMap;

use claviger_core::base::id::KeyId;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::limits::network::{ClientAddress, Networks};
use claviger_core::replication::refresh::{ADDRESSES_MAX, Caller, USES_MAX, UsageBatch};

use crate::ledger::ledger::Ledger;
use crate::ledger::usage::counts::{Tallies, Tally, add_caller, in_hour, stored};
use crate::ledger::usage::pending::{Fold, News};
use crate::objects::object::Step;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Duty, Kind};
use crate::protocol::keys::KeyView;

/// How many days are kept, of a key that was used later; its last one is kept for good. The days of
/// any month: those of 120,000 keys ([`KEYS_MAX`](super::decide::KEYS_MAX) and
/// [`ISSUED_KEYS_MAX`](super::issuing::ISSUED_KEYS_MAX)) are 3.84 million rows of some 200 bytes,
/// 450 at most: 0.8 GB of an object's 10, 1.7 at most.
pub const DAYS: i64 = 32;

/// How long an isolate's last sequence is remembered: it repeats a batch within seconds or not at
/// all.
pub const ISOLATE_LIFE: DurationMs = DurationMs::from_days(1);

/// Most isolates that are remembered from one sweep to the next; those that were silent longest
/// give way. More than one account meets in a day.
pub const ISOLATES_MAX: u32 = 10_000;

/// Most rows that one sweep removes.
const SWEEP_ROWS_MAX: u32 = 1_000;

/// How late a use may be reported; what is said to be older counts as so old.
const REPORT_LATE_MAX: DurationMs = DurationMs::from_days(1);

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Over how long it is told from where a key was used.
pub const CALLERS_KEPT: DurationMs = DurationMs::from_days(7);

/// Most callers of one key and day that are kept, the latest: 60 bytes each, 95 with a long
/// address, so 1.5 KB. With those of 120,000 keys on eight days that is 1.5 GB at most of an
/// object's 10. The keys' own rows are 1.9 GB at most, so that half of the object is left for what
/// was done.
pub const CALLERS_MAX: usize = 16;

/// Most callers that are told of as locked out: a list that a person reads before saving.
pub const LOCKED_OUT_MAX: usize = 50;

/// A key that a refresh was a use of, and from where, if that is known to have been let through.
pub type Used = (KeyId, Option<ClientAddress>);

/// What a refresh tells of uses: its batch, and the uses of the keys in `used` that this very
/// refresh is. Nothing where `fold` or the database knows the batch.
pub fn news(
    sql: &dyn Sql,
    fold: &Fold,
    batch: Option<&UsageBatch>,
    used: &[Used],
    now: UnixMs,
) -> Result<News, SqlError> {
    if let Some(batch) = batch
        && known_sequence(sql, fold, batch.isolate)?
            .is_some_and(|known| stored(batch.sequence) <= known)
    {
        return Ok(News::default());
    }
    let told = batch.map(|batch| (batch.isolate, batch.sequence));
    Ok(News { told, tallies: tally(batch, used, now) })
}

/// The last sequence of an isolate that counts.
fn known_sequence(sql: &dyn Sql, fold: &Fold, isolate: u64) -> Result<Option<i64>, SqlError> {
    if let Some(sequence) = fold.sequence(isolate) {
        return Ok(Some(stored(sequence)));
    }
    let text = "SELECT sequence FROM usage_isolate WHERE isolate = ?";
    sql.first(&Statement::new(text).bind(name(isolate)))?.map(|mut row| row.integer()).transpose()
}

/// How an isolate is stored.
fn name(isolate: u64) -> String {
    format!("{isolate:016x}")
}

impl Ledger<'_> {
    /// Writes the uses that wait in memory, if there are any. They leave memory first: a write that
    /// fails may have landed, and counts are rather lost than told twice.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn write_uses(&self, now: UnixMs) -> Result<(), SqlError> {
        let waiting = self.uses.take();
        if waiting.due().is_none() {
            return Ok(());
        }
        let writes = write(self.sql, waiting, now)?;
        if writes.is_empty() { Ok(()) } else { self.sql.apply(&writes) }
    }
}

/// The writes of a fold, which all go into one `apply`. Keys that are not there, or not any more,
/// are left out.
fn write(sql: &dyn Sql, fold: Fold, now: UnixMs) -> Result<Vec<Statement>, SqlError> {
    let (tallies, isolates) = fold.into_parts();
    let mut writes: Vec<Statement> = isolates
        .into_iter()
        .map(|(isolate, told)| {
            let text =
                "INSERT OR REPLACE INTO usage_isolate (isolate, sequence, at_ms) VALUES (?, ?, ?)";
            Statement::new(text).bind(name(isolate)).bind(stored(told.sequence)).bind(told.at)
        })
        .collect();
    // What waited long may be of an earlier day than any report that comes now.
    let since = tallies.keys().map(|(_, day)| *day).min().unwrap_or_default();
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
            callers: one
                .callers
                .iter()
                .take(ADDRESSES_MAX)
                .map(|caller| drawn_in(caller, now))
                .collect(),
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
    let text =
        "SELECT key.id, ifnull(day, 0), ifnull(uses, 0), ifnull(denials, 0), last_used_at_ms,
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

/// Tells of each key how often it was let through in the last 24 hours, the present one and the 23
/// before it. One statement for all of them, and none for no key.
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

/// From where a key was let through within [`CALLERS_KEPT`] that `networks` do not allow, the
/// latest first, at most [`LOCKED_OUT_MAX`]. Counts are by whole days.
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

/// Removes what is too old, a bounded part of it at a time.
pub fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<Step, SqlError> {
    let old = "SELECT old.key, old.day FROM usage AS old WHERE old.day <= ? AND (
            old.last_used_at_ms IS NULL
            OR EXISTS (SELECT 1 FROM usage AS new WHERE new.key = old.key AND new.day > old.day
                AND new.last_used_at_ms IS NOT NULL)
            OR NOT EXISTS (SELECT 1 FROM key WHERE id = old.key))
        LIMIT ?";
    let oldest = day(now).saturating_sub(DAYS);
    let count =
        Statement::new(format!("SELECT count(*) FROM ({old})")).bind(oldest).bind(SWEEP_ROWS_MAX);
    let found = sql.integer(&count)?;
    let remove = format!("DELETE FROM usage WHERE (key, day) IN ({old})");
    let forget = "DELETE FROM usage_isolate WHERE at_ms <= ?";
    let make_room = "DELETE FROM usage_isolate WHERE isolate IN (
        SELECT isolate FROM usage_isolate ORDER BY at_ms DESC LIMIT -1 OFFSET ?)";
    // Whoever asks for the last days asks for no more than these.
    let fade = "UPDATE usage SET callers = '[]', hours = '[]' WHERE (key, day) IN (
        SELECT key, day FROM usage WHERE day < ? AND callers <> '[]' LIMIT ?)";
    let fading = day(now.saturating_sub(CALLERS_KEPT));
    let faded =
        "SELECT count(*) FROM (SELECT 1 FROM usage WHERE day < ? AND callers <> '[]' LIMIT ?)";
    let found = found.max(sql.integer(&Statement::new(faded).bind(fading).bind(SWEEP_ROWS_MAX))?);
    let writes = vec![
        Statement::new(fade).bind(fading).bind(SWEEP_ROWS_MAX),
        Statement::new(remove).bind(oldest).bind(SWEEP_ROWS_MAX),
        Statement::new(forget).bind(now.saturating_sub(ISOLATE_LIFE)),
        Statement::new(make_room).bind(ISOLATES_MAX),
    ];
    let again = if found < SWEEP_ROWS_MAX.into() {
        // Whoever writes uses owes the sweep again.
        grows_old(sql, oldest, now)?.then(|| now.saturating_add(ISOLATE_LIFE))
    } else {
        Some(now)
    };
    Ok(Step::Chore { writes, again })
}

/// Whether anything is left that a later sweep would remove or let fade.
fn grows_old(sql: &dyn Sql, oldest: i64, now: UnixMs) -> Result<bool, SqlError> {
    let text = "SELECT EXISTS (SELECT 1 FROM usage WHERE day > ?) OR EXISTS (SELECT 1 FROM usage_isolate WHERE at_ms > ?)";
    let left = Statement::new(text).bind(oldest).bind(now.saturating_sub(ISOLATE_LIFE));
    Ok(sql.integer(&left)? != 0)
}
