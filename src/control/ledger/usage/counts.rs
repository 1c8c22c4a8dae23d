//! The counts of a key on a day, and their addition.

use std::collections::BTreeMap;

use claviger_core::base::id::KeyId;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::refresh::{ADDRESSES_MAX, Caller};
use claviger_core::verify::verdict::Denial;

use crate::objects::sql::{Row, SqlError, Statement};
use crate::protocol::integer::INTEGER_MAX;

/// A day, in milliseconds.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// An hour, in milliseconds.
pub const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Returns the day of a time, counted from the Unix epoch in UTC.
pub fn day(at: UnixMs) -> i64 {
    at.as_ms().div_euclid(DAY_MS)
}

/// Most recent callers kept per key and day: 60 bytes each, 95 with a long address, so 1.5 KB. With
/// those of 120,000 keys on eight days that is at most 1.5 GB of an object's 10. The keys' own rows
/// are at most 1.9 GB, so half of the object is left for the audit trail.
pub const CALLERS_MAX: usize = 16;

/// Longest delay of a report; an older time is raised to this bound.
pub const REPORT_LATE_MAX: DurationMs = DurationMs::from_days(1);

/// Time for which the addresses of a key's requests are kept.
pub const CALLERS_KEPT: DurationMs = DurationMs::from_days(7);

/// The counts of one key on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayCounts {
    pub uses: u64,
    pub denials: u64,
    pub last_used_at: Option<UnixMs>,
    /// Addresses of requests, latest first.
    pub addresses: Vec<ClientAddress>,
    /// Accepted requests by hour of the day.
    pub hours: Hours,
    /// Callers of accepted requests, latest first.
    pub callers: Vec<Caller>,
    /// Part of `denials` whose reason is known or [`OTHER_REASON`].
    pub refusals: Refusals,
    /// Time of the last refused request, Unix ms.
    pub last_refused_at: Option<UnixMs>,
}

/// Refused requests by reason, and by hour of the day in UTC. A reason takes up to 240 bytes, if it
/// refuses requests in every hour; usually one reason refuses a key.
pub type Refusals = BTreeMap<String, BTreeMap<i64, u64>>;

/// Reason of refusals for which the edge gives none, or one that this release does not know.
pub const OTHER_REASON: &str = "other";

/// Returns `true` if `code` is a reason for which requests with a right secret are refused.
pub fn is_refusal_reason(code: &str) -> bool {
    let is_verdict = |denial: &Denial| denial.is_of_a_known_key() && denial.code() == code;
    // The edge refuses an issue by a key that may not issue.
    code == "not_issuable" || code == "issued_key" || Denial::ALL.iter().any(is_verdict)
}

/// Returns the refusal of `count` requests at `at` for one reason.
pub fn refused(reason: &str, at: UnixMs, count: u64) -> DayCounts {
    let hour = at.as_ms().rem_euclid(DAY_MS).div_euclid(HOUR_MS);
    DayCounts {
        denials: count,
        refusals: [(reason.to_owned(), [(hour, count)].into())].into(),
        last_refused_at: Some(at),
        ..DayCounts::default()
    }
}

/// Counts for each hour of a day in UTC; empty for a day without any.
pub type Hours = Vec<u64>;

/// Returns 24 hourly counts: `count` for the hour of `at` in UTC, and 0 for all others.
pub fn in_hour(at: UnixMs, count: u64) -> Hours {
    let hour =
        usize::try_from(at.as_ms().rem_euclid(DAY_MS).div_euclid(HOUR_MS)).unwrap_or_default();
    (0..24).map(|place| if place == hour { count } else { 0 }).collect()
}

impl DayCounts {
    pub fn add(&mut self, later: Self) {
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
        for (reason, hours) in later.refusals {
            let known = self.refusals.entry(reason).or_default();
            for (hour, count) in hours {
                let sum = known.entry(hour).or_default();
                *sum = count_of(stored(sum.saturating_add(count)));
            }
        }
        self.last_refused_at = self.last_refused_at.max(later.last_refused_at);
        // Of two callers with the same time, the later report comes first.
        for caller in core::mem::replace(&mut self.callers, later.callers) {
            add_caller(&mut self.callers, caller);
        }
        self.callers.sort_by_key(|caller| core::cmp::Reverse(caller.last_at));
        self.callers.truncate(CALLERS_MAX);
    }

    pub fn store(&self, key: KeyId, day: i64) -> Statement {
        let text = "INSERT INTO usage (key, day, uses, denials, last_used_at_ms, addresses, hours, callers,
                refusals, last_refused_at_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (key, day) DO UPDATE SET uses = excluded.uses, denials = excluded.denials,
                last_used_at_ms = excluded.last_used_at_ms, addresses = excluded.addresses,
                hours = excluded.hours, callers = excluded.callers, refusals = excluded.refusals,
                last_refused_at_ms = excluded.last_refused_at_ms";
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
            .bind(serde_json::json!(self.refusals).to_string())
            .bind(self.last_refused_at)
    }

    pub fn read(row: &mut Row) -> Result<Self, SqlError> {
        Ok(Self {
            uses: row.integer()?.try_into().unwrap_or_default(),
            denials: row.integer()?.try_into().unwrap_or_default(),
            last_used_at: row.optional_time()?,
            addresses: row.parsed("addresses", |json| serde_json::from_str(json).ok())?,
            hours: row.parsed("hours", |json| serde_json::from_str(json).ok())?,
            callers: row.parsed("callers", |json| serde_json::from_str(json).ok())?,
            refusals: row.parsed("refusals", |json| serde_json::from_str(json).ok())?,
            last_refused_at: row.optional_time()?,
        })
    }
}

/// Adds a caller's uses of another hour or day to the known ones.
pub fn add_caller(callers: &mut Vec<Caller>, later: Caller) {
    match callers.iter_mut().find(|known| known.address == later.address) {
        Some(known) => {
            known.count = known.count.saturating_add(later.count);
            known.last_at = known.last_at.max(later.last_at);
        }
        None => callers.push(later),
    }
}

/// Clamps a caller's time to the range that a report can have, and its count to SQLite's range.
pub fn drawn_in(caller: &Caller, now: UnixMs) -> Caller {
    let last_at = caller.last_at.clamp(now.saturating_sub(REPORT_LATE_MAX), now);
    Caller { last_at, count: stored(caller.count).unsigned_abs(), ..caller.clone() }
}

/// Converts a count to SQLite's integer range.
pub fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(INTEGER_MAX).min(INTEGER_MAX)
}

/// Converts a stored count back; a negative one counts as 0.
pub fn count_of(stored: i64) -> u64 {
    stored.try_into().unwrap_or_default()
}

/// Counts by key and day.
pub type CountsByDay = BTreeMap<(KeyId, i64), DayCounts>;
