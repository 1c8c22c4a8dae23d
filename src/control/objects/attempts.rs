//! Counts refused attempts in an object's database, so that a flood of them writes few reports.
//!
//! There is one row per kind and network. Its hour begins with the first attempt. At most
//! [`NETWORKS_MAX`] networks of a kind have rows of their own; attempts from any other network
//! share one row. So an hour has at most `(NETWORKS_MAX + 1)` rows of a kind, and each of them
//! reports once per power of ten.

use claviger_core::base::time::{DurationMs, UnixMs};

use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::attempts::{AttemptKind, RefusedAttempts, reaches_power_of_ten};
use crate::protocol::integer::INTEGER_MAX;

/// Most networks whose attempts are counted one by one: more than a person uses in an hour.
pub const NETWORKS_MAX: usize = 4;

/// Length of a window.
const WINDOW: DurationMs = DurationMs::from_s(60 * 60);

/// Stored name of the networks beyond [`NETWORKS_MAX`], and of callers without an address.
const OTHERS: &str = "";

/// The table, for a migration of the object.
pub const TABLE: &str = "CREATE TABLE attempt (
    kind     TEXT    NOT NULL,                    -- one of `AttemptKind`; immutable
    network  TEXT    NOT NULL,                    -- a /24 or /64; '' for all others; immutable
    since_ms INTEGER NOT NULL,                    -- first attempt of the hour, Unix milliseconds; mutable
    count    INTEGER NOT NULL CHECK (count > 0),  -- attempts in it; mutable
    PRIMARY KEY (kind, network)
) STRICT, WITHOUT ROWID";

/// The row of one network.
struct Hour {
    network: String,
    since: UnixMs,
    count: u64,
}

/// Counts attempts of one kind by network, the last of them at `now`. `None` is an unknown network.
/// Returns the writes, and a report for each count that reaches a power of ten.
///
/// # Errors
/// [`SqlError`] if the database fails.
pub fn count(
    sql: &dyn Sql,
    kind: AttemptKind,
    attempts: &[(Option<&str>, u64)],
    now: UnixMs,
) -> Result<(Vec<Statement>, Vec<RefusedAttempts>), SqlError> {
    // A window that seems to begin in the future goes on: a clock that steps back reports less.
    let over = now.saturating_sub(WINDOW);
    let text = "SELECT network, since_ms, count FROM attempt WHERE kind = ? AND since_ms > ?";
    let open = Statement::new(text).bind(kind.as_str()).bind(over);
    let mut hours = sql.read_all(&open, |mut row| {
        let (network, since) = (row.text()?, row.time()?);
        Ok(Hour { network, since, count: u64::try_from(row.integer()?).unwrap_or_default() })
    })?;
    let mut writes = vec![Statement::new("DELETE FROM attempt WHERE since_ms <= ?").bind(over)];
    let mut reports = Vec::new();
    for (network, more) in attempts {
        let wanted = network.unwrap_or(OTHERS);
        let is_known = hours.iter().any(|hour| hour.network == wanted);
        let named = hours.iter().filter(|hour| hour.network != OTHERS).count();
        let own = if is_known || named < NETWORKS_MAX { wanted } else { OTHERS };
        if !hours.iter().any(|hour| hour.network == own) {
            hours.push(Hour { network: own.to_owned(), since: now, count: 0 });
        }
        let Some(hour) = hours.iter_mut().find(|hour| hour.network == own) else { continue };
        let before = hour.count;
        hour.count = before.saturating_add(*more);
        writes.push(store(kind, hour));
        if reaches_power_of_ten(before, hour.count) {
            let network = Some(hour.network.clone()).filter(|network| network != OTHERS);
            reports.push(RefusedAttempts { kind, network, count: hour.count, at: now });
        }
    }
    Ok((writes, reports))
}

fn store(kind: AttemptKind, hour: &Hour) -> Statement {
    let text =
        "INSERT OR REPLACE INTO attempt (kind, network, since_ms, count) VALUES (?, ?, ?, ?)";
    Statement::new(text)
        .bind(kind.as_str())
        .bind(hour.network.as_str())
        .bind(hour.since)
        .bind(i64::try_from(hour.count).unwrap_or(INTEGER_MAX).clamp(1, INTEGER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::sql::sqlite::Sqlite;
    use claviger_core::testing::at;

    struct World {
        sql: Sqlite,
        now: i64,
    }

    impl World {
        fn new() -> Self {
            let sql = Sqlite::new();
            sql.apply(&[Statement::new(TABLE)]).unwrap();
            Self { sql, now: 1_800_000_000_000 }
        }

        fn attempt(&self, network: Option<&str>, more: u64) -> Option<RefusedAttempts> {
            let attempts = [(network, more)];
            let (writes, mut reports) =
                count(&self.sql, AttemptKind::SignIn, &attempts, at(self.now)).unwrap();
            self.sql.apply(&writes).unwrap();
            reports.pop()
        }

        fn rows(&self) -> i64 {
            self.sql.integer(&Statement::new("SELECT count(*) FROM attempt")).unwrap()
        }
    }

    #[test]
    fn an_hour_is_reported_by_powers_of_ten_and_the_next_one_anew() {
        let mut world = World::new();
        let counts = |world: &World, tries: u32| -> Vec<u64> {
            (0..tries)
                .filter_map(|_| world.attempt(Some("203.0.113.0/24"), 1))
                .map(|report| report.count)
                .collect()
        };
        assert_eq!(counts(&world, 150), [1, 10, 100]);
        world.now += 60 * 60 * 1_000 - 1;
        assert!(counts(&world, 1).is_empty(), "the hour has not ended");
        world.now += 1;
        assert_eq!(counts(&world, 3), [1]);
        assert_eq!(world.rows(), 1);
    }

    #[test]
    fn networks_beyond_the_first_ones_share_a_row() {
        let world = World::new();
        let reports: Vec<_> = (0..=255)
            .filter_map(|n| world.attempt(Some(&format!("198.51.{n}.0/24")), 1))
            .map(|report| (report.network, report.count))
            .collect();
        let own = (0..4).map(|n| (Some(format!("198.51.{n}.0/24")), 1));
        let others = [1, 10, 100].map(|count| (None, count));
        assert_eq!(reports, own.chain(others).collect::<Vec<_>>());
        assert_eq!(world.rows(), 5);
        assert_eq!(world.attempt(None, 1), None, "a caller without an address is among them");
    }

    #[test]
    fn many_networks_at_once_are_bounded_as_one_after_the_other() {
        let world = World::new();
        let names: Vec<String> = (0..50).map(|n| format!("198.51.{n}.0/24")).collect();
        let attempts: Vec<_> = names.iter().map(|name| (Some(name.as_str()), 2)).collect();
        let (writes, reports) =
            count(&world.sql, AttemptKind::Service, &attempts, at(world.now)).unwrap();
        world.sql.apply(&writes).unwrap();
        let others: Vec<_> =
            reports.iter().filter(|one| one.network.is_none()).map(|one| one.count).collect();
        assert_eq!((world.rows(), reports.len(), others), (5, 6, vec![2, 10]));
    }

    #[test]
    fn a_batch_counts_as_its_attempts() {
        let world = World::new();
        assert_eq!(world.attempt(None, 7).map(|report| report.count), Some(7));
        assert_eq!(world.attempt(None, 2), None);
        assert_eq!(world.attempt(None, 5_000).map(|report| report.count), Some(5_009));
        assert!(world.attempt(None, u64::MAX).is_some());
    }
}
