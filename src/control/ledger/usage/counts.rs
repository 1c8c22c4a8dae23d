//! What is counted of a key on a day, and how counts add up.

use std::collections::BTreeMap;

use claviger_core::base::id::KeyId;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::refresh::{ADDRESSES_MAX, Caller};

use super::{CALLERS_MAX, DAY_MS, HOUR_MS};
use crate::objects::sql::{INTEGER_MAX, Row, SqlError, Statement};

/// What is counted of one key on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub uses: u64,
    pub denials: u64,
    pub last_used_at: Option<UnixMs>,
    /// The latest first.
    pub addresses: Vec<ClientAddress>,
    /// Uses by the hour of the day.
    pub hours: Hours,
    /// From where it was let through, the latest first.
    pub callers: Vec<Caller>,
}

/// A count for each hour of a day in UTC; none at all for a day without.
pub type Hours = Vec<u64>;

/// The hours of a day with `count` uses in that of `at`.
pub fn in_hour(at: UnixMs, count: u64) -> Hours {
    let hour =
        usize::try_from(at.as_ms().rem_euclid(DAY_MS).div_euclid(HOUR_MS)).unwrap_or_default();
    (0..24).map(|place| if place == hour { count } else { 0 }).collect()
}

impl Tally {
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
        // Of two that came at the same time the one that was told later stands first.
        for caller in core::mem::replace(&mut self.callers, later.callers) {
            add_caller(&mut self.callers, caller);
        }
        self.callers.sort_by_key(|caller| core::cmp::Reverse(caller.last_at));
        self.callers.truncate(CALLERS_MAX);
    }

    pub fn store(&self, key: KeyId, day: i64) -> Statement {
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

    pub fn read(row: &mut Row) -> Result<Self, SqlError> {
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
pub fn add_caller(callers: &mut Vec<Caller>, later: Caller) {
    match callers.iter_mut().find(|known| known.address == later.address) {
        Some(known) => {
            known.count = known.count.saturating_add(later.count);
            known.last_at = known.last_at.max(later.last_at);
        }
        None => callers.push(later),
    }
}

/// A count as SQLite keeps it.
pub fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(INTEGER_MAX).min(INTEGER_MAX)
}

/// By key and day.
pub type Tallies = BTreeMap<(KeyId, i64), Tally>;
