//! The state of KV for each key, and the keys that KV may serve wrongly: *settlement*.
//!
//! ```text
//!   changed ──put is sent──▶ under way ──KV acknowledges──▶ acknowledged ──read back, and right──▶ settled
//!      ▲                         │ failed or outcome unknown     │ read back, and not right
//!      └─────────────────────────┴──────────────────────────────┘
//! ```
//!
//! **When a change has settled.** From some moment on, every read of KV anywhere must return this
//! revision or a newer one. KV may serve what it held up to [`SETTLE_MS`] ago, and a put of unknown
//! outcome may land up to [`PUT_LATE_MS`] after it was sent. So the read-back comes no sooner than
//! `max(acknowledged, unsure + PUT_LATE_MS) + SETTLE_MS`. It then reads a value that KV held after
//! the last put that could land, and so does every later read.
//!
//! **Keys that need no mark.** KV cannot hold a record of the present history that is older than
//! `base`. The base is the change that made the key, or the first change in this history. If a
//! key's last change is its base, KV holds the right record or none. A record of another history
//! counts as none. On a miss the edge asks the ledger.
//!
//! **Histories.** A row is valid in the history of its `generation`. A new history changes no row:
//! a row of an older generation says nothing about the new one. KV holds nothing of the new history
//! until a put of it is sent.
//!
//! The transitions are pure functions from row to row. Invariant: `base ≤ revision`, `acknowledged
//! ≤ revision`, and `settled ≤ acknowledged` unless a new put of the key is pending.

use claviger_core::base::id::KeyId;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::record::{Record, Revision, Standing};
use claviger_core::replication::refresh::{MARKS_MAX, Mark, SETTLE_MS, Unsettled};
use claviger_core::replication::superseded::SupersededFilter;

use super::account::Account;
use super::api_user_row::StoredApiUser;
use super::key::Key;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};

/// Time for which a put of unknown outcome may still land after it was sent, in milliseconds. No
/// put is known to land later than seconds; the value allows as much as reads get.
pub const PUT_LATE_MS: u64 = SETTLE_MS;

/// Age of the oldest unacknowledged change from which on the ledger raises an alert, in
/// milliseconds. A put takes a second, so this is seven failures in a row or a queue of some
/// thousands.
pub const LAG_ALERT_MS: u64 = 2 * 60 * 1_000;

/// Most superseded keys that a filter names. Beyond it, half of all other keys would match by
/// chance, so isolates ask the ledger about every key.
pub const SUPERSEDED_MAX: usize = 50_000;

const _: () = assert!(
    crate::objects::tasks::EFFECT_TIMEOUT_MS < PUT_LATE_MS
        && LAG_ALERT_MS < crate::objects::tasks::PAUSE_MAX_MS
);

/// The state of KV for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// ID of the key or orphan.
    pub id: KeyId,
    /// Revision of the key's last change.
    pub revision: Revision,
    /// History in which the fields below are valid.
    pub generation: u32,
    /// Oldest revision of that history that KV may hold.
    pub base: Revision,
    /// Last revision that KV acknowledged; 0: none.
    pub acknowledged: Revision,
    /// Time of that acknowledgement, Unix ms.
    pub acknowledged_at: Option<UnixMs>,
    /// Last revision that settled; 0: none.
    pub settled: Revision,
    /// Time since which KV lacks the last change, Unix ms; `None` if KV acknowledged it.
    pub pending_since: Option<UnixMs>,
    /// Time at which the put in flight was sent, Unix ms.
    pub sent_at: Option<UnixMs>,
    /// Time at which the last put of unknown outcome was sent, Unix ms.
    pub unsure_at: Option<UnixMs>,
}

const COLUMNS: &str = "key, revision, generation, base, acknowledged, acknowledged_at_ms, settled,
    owed_at_ms, sent_at_ms, unsure_at_ms";

impl Publication {
    /// Returns the row of a new key, of which KV holds nothing.
    pub fn new(id: KeyId, revision: Revision, generation: u32, now: UnixMs) -> Self {
        Self {
            id,
            revision,
            generation,
            base: revision,
            acknowledged: Revision::default(),
            acknowledged_at: None,
            settled: Revision::default(),
            pending_since: Some(now),
            sent_at: None,
            unsure_at: None,
        }
    }

    /// Returns the row of an orphan: a name in KV without a key. KV may hold any record of it.
    pub fn orphan(id: KeyId, revision: Revision, generation: u32, now: UnixMs) -> Self {
        Self { base: Revision::default(), ..Self::new(id, revision, generation, now) }
    }

    /// Loads the row of this ID.
    pub fn load(sql: &dyn Sql, id: KeyId) -> Result<Option<Self>, SqlError> {
        let text = format!("SELECT {COLUMNS} FROM publication WHERE key = ?");
        sql.first(&Statement::new(text).bind(id.as_str()))?.map(Self::read).transpose()
    }

    /// Loads up to `limit` rows with IDs after `cursor`, in the order of IDs.
    pub fn load_after(sql: &dyn Sql, cursor: &str, limit: u32) -> Result<Vec<Self>, SqlError> {
        let text = format!("SELECT {COLUMNS} FROM publication WHERE key > ? ORDER BY key LIMIT ?");
        sql.read_all(&Statement::new(text).bind(cursor).bind(limit), Self::read)
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.parsed("a key ID", KeyId::parse)?,
            revision: row.revision()?,
            generation: row.count()?,
            base: row.revision()?,
            acknowledged: row.revision()?,
            acknowledged_at: row.optional_time()?,
            settled: row.revision()?,
            pending_since: row.optional_time()?,
            sent_at: row.optional_time()?,
            unsure_at: row.optional_time()?,
        })
    }

    /// Inserts or updates the row.
    pub fn store(&self) -> Statement {
        let text = "INSERT INTO publication (key, revision, generation, base, acknowledged, acknowledged_at_ms, settled,
                owed_at_ms, sent_at_ms, unsure_at_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, generation = excluded.generation,
                base = excluded.base, acknowledged = excluded.acknowledged,
                acknowledged_at_ms = excluded.acknowledged_at_ms, settled = excluded.settled,
                owed_at_ms = excluded.owed_at_ms, sent_at_ms = excluded.sent_at_ms,
                unsure_at_ms = excluded.unsure_at_ms";
        Statement::new(text)
            .bind(self.id.as_str())
            .bind(self.revision)
            .bind(self.generation)
            .bind(self.base)
            .bind(self.acknowledged)
            .bind(self.acknowledged_at)
            .bind(self.settled)
            .bind(self.pending_since)
            .bind(self.sent_at)
            .bind(self.unsure_at)
    }

    /// Returns the row after a change of the key. In a new history, this change is the row's base.
    #[must_use]
    pub fn changed(self, revision: Revision, generation: u32, now: UnixMs) -> Self {
        let row =
            if self.generation == generation { self } else { self.begun(revision, generation) };
        Self { revision, pending_since: row.pending_since.or(Some(now)), ..row }
    }

    /// Returns the row after a put of the present record was sent. An earlier put without a
    /// reported outcome becomes one of unknown outcome.
    #[must_use]
    pub fn sent(self, generation: u32, now: UnixMs) -> Self {
        let revision = self.revision;
        let row =
            if self.generation == generation { self } else { self.begun(revision, generation) };
        Self { unsure_at: row.sent_at.max(row.unsure_at), sent_at: Some(now), ..row }
    }

    /// Returns the row after KV acknowledged the put of `revision` sent at `sent_at`; `None` if
    /// another put, or none, is in flight.
    pub fn acknowledged(
        self,
        revision: Revision,
        sent_at: UnixMs,
        generation: u32,
        now: UnixMs,
    ) -> Option<Self> {
        if self.sent_at != Some(sent_at) {
            return None;
        }
        let concluded = Self { sent_at: None, ..self };
        let is_newest = concluded.generation == generation && concluded.revision == revision;
        Some(if is_newest {
            Self {
                acknowledged: revision,
                acknowledged_at: Some(now),
                pending_since: None,
                ..concluded
            }
        } else {
            concluded
        })
    }

    /// Returns the row after the put sent at `sent_at` failed or timed out; `None` if another put,
    /// or none, is in flight.
    pub fn failed(self, sent_at: UnixMs) -> Option<Self> {
        let is_under_way = self.sent_at == Some(sent_at);
        is_under_way.then_some(Self { sent_at: None, unsure_at: Some(sent_at), ..self })
    }

    /// Returns `true` if KV has acknowledged the last change in the history of `generation`.
    pub fn is_acknowledged(&self, generation: u32) -> bool {
        self.generation == generation && self.acknowledged == self.revision
    }

    /// Returns `true` if the last change has settled in the history of `generation`.
    pub fn is_settled(&self, generation: u32) -> bool {
        self.generation == generation && self.settled == self.revision
    }

    /// Returns the earliest time for the read-back, Unix ms; `None` if KV has not acknowledged the
    /// last change.
    pub fn read_back_at(&self, generation: u32) -> Option<UnixMs> {
        let acknowledged_at = self.acknowledged_at.filter(|_| self.is_acknowledged(generation))?;
        let landed_at =
            self.unsure_at.map(|sent_at| sent_at.saturating_add(DurationMs::from_ms(PUT_LATE_MS)));
        let last = landed_at.map_or(acknowledged_at, |landed_at| acknowledged_at.max(landed_at));
        Some(last.saturating_add(DurationMs::from_ms(SETTLE_MS)))
    }

    /// Returns the row after the read-back found the right record. `unsure_at` stays: an earlier
    /// put may still land, so the next change must wait for it, too.
    #[must_use]
    pub fn settled(self) -> Self {
        Self { settled: self.revision, ..self }
    }

    /// Returns the row after KV was found without the last change. `may_mislead` is `true` if KV
    /// holds another record of this history.
    #[must_use]
    pub fn drifted(self, may_mislead: bool, now: UnixMs) -> Self {
        let base = if may_mislead { Revision::default() } else { self.base };
        Self {
            base,
            settled: Revision::default(),
            pending_since: self.pending_since.or(Some(now)),
            ..self
        }
    }

    /// Returns the row at the start of a history, of which KV holds nothing yet.
    fn begun(self, base: Revision, generation: u32) -> Self {
        let none = Revision::default();
        Self { generation, base, acknowledged: none, acknowledged_at: None, settled: none, ..self }
    }
}

/// Returns the record that the edge gets for an ID: that of the key or API user, or a tombstone, for
/// an orphan and for what was removed; `None` if the ID was never used.
pub fn record(sql: &dyn Sql, account: &Account, id: KeyId) -> Result<Option<Record>, SqlError> {
    if let Some(key) = Key::load(sql, id)? {
        return Ok(Some(key.record(account)));
    }
    if let Some(user) = StoredApiUser::load(sql, id)? {
        return Ok(Some(user.record(account)));
    }
    Ok(Publication::load(sql, id)?.map(|row| tombstone(account, &row)))
}

/// Returns the `deleted` record of an orphan.
pub fn tombstone(account: &Account, row: &Publication) -> Record {
    Record::new(account.epoch.clone(), row.revision, row.id, Standing::Deleted)
}

/// Loads all keys that KV may serve wrongly.
pub fn unsettled(sql: &dyn Sql, generation: u32) -> Result<Unsettled, SqlError> {
    // These conditions must match those of the partial index exactly, and `settled < revision` its
    // column; otherwise SQLite does not use it.
    let text = "SELECT key, revision FROM publication
        WHERE generation = ? AND base < revision AND (settled < revision) = 1 LIMIT ?";
    let marks = sql.read_all(&Statement::new(text).bind(generation).bind(limit()), mark)?;
    Ok(if marks.len() > MARKS_MAX { Unsettled::Overflow } else { Unsettled::Set(marks) })
}

/// Loads all keys of which KV may hold an earlier record of the history `generation`, settled or
/// not; `None` if there are more than [`SUPERSEDED_MAX`].
pub fn superseded(sql: &dyn Sql, generation: u32) -> Result<Option<SupersededFilter>, SqlError> {
    // As for `unsettled`, these conditions must match those of the partial index.
    let text = "SELECT key FROM publication WHERE generation = ? AND base < revision LIMIT ?";
    let limit = u32::try_from(SUPERSEDED_MAX).map_or(u32::MAX, |max| max.saturating_add(1));
    let ids = sql.read_all(&Statement::new(text).bind(generation).bind(limit), key_id)?;
    Ok((ids.len() <= SUPERSEDED_MAX).then(|| SupersededFilter::of(&ids)))
}

/// Loads the keys that changed after `known` and of which KV may hold an earlier record; `None` if
/// there are more than [`MARKS_MAX`].
pub fn superseded_since(
    sql: &dyn Sql,
    generation: u32,
    known: Revision,
) -> Result<Option<Vec<KeyId>>, SqlError> {
    let text = "SELECT key FROM publication WHERE revision > ? AND +generation = ?
        AND base < revision ORDER BY revision LIMIT ?";
    let statement = Statement::new(text).bind(known).bind(generation).bind(limit());
    let ids = sql.read_all(&statement, key_id)?;
    Ok(Some(ids).filter(|ids| ids.len() <= MARKS_MAX))
}

/// Loads the keys changed after `known`, each with its last change; `None` if there are more than
/// [`MARKS_MAX`].
pub fn changes(sql: &dyn Sql, known: Revision) -> Result<Option<Vec<Mark>>, SqlError> {
    let text = "SELECT key, revision FROM publication WHERE revision > ? ORDER BY revision LIMIT ?";
    let marks = sql.read_all(&Statement::new(text).bind(known).bind(limit()), mark)?;
    Ok(Some(marks).filter(|marks| marks.len() <= MARKS_MAX))
}

/// Returns [`MARKS_MAX`] + 1: one row more than allowed reveals an overflow.
fn limit() -> u32 {
    u32::try_from(MARKS_MAX).map_or(u32::MAX, |max| max.saturating_add(1))
}

fn key_id(mut row: Row) -> Result<KeyId, SqlError> {
    row.parsed("a key ID", KeyId::parse)
}

/// Reads a key ID and a revision from a row.
pub fn mark(mut row: Row) -> Result<Mark, SqlError> {
    Ok(Mark { id: row.parsed("a key ID", KeyId::parse)?, revision: row.revision()? })
}

/// Schedules a put of a key's present record.
pub fn schedule(id: KeyId, now: UnixMs) -> Statement {
    Task::new(TaskKind::PutRecord, id).schedule(now)
}

/// Returns the age of the oldest change that KV lacks, if it is at least [`LAG_ALERT_MS`].
pub fn alarming_lag(account: &Account, now: UnixMs) -> Option<DurationMs> {
    account.lag(now).filter(|lag| lag.as_ms() >= LAG_ALERT_MS)
}

#[cfg(test)]
mod tests {
    use claviger_core::testing::{at, key_id};

    use super::*;

    const HISTORY: u32 = 1;

    /// A changed key whose put is in flight since 20, and whose change waits since 10.
    fn sent() -> Publication {
        let row = Publication::new(key_id(), Revision(1), HISTORY, at(10));
        row.changed(Revision(2), HISTORY, at(15)).sent(HISTORY, at(20))
    }

    #[test]
    fn a_change_waits_since_the_first_that_kv_lacks() {
        let rows = [
            sent(),
            sent().changed(Revision(3), HISTORY, at(30)),
            sent().changed(Revision(3), HISTORY + 1, at(30)),
            sent().drifted(true, at(30)),
            sent().failed(at(20)).unwrap(),
            // The put brought an earlier change, or into an earlier history.
            sent().acknowledged(Revision(1), at(20), HISTORY, at(30)).unwrap(),
            sent().acknowledged(Revision(2), at(20), HISTORY + 1, at(30)).unwrap(),
        ];
        for row in rows {
            assert_eq!(row.pending_since, Some(at(10)), "{row:?}");
        }
        let acknowledged = sent().acknowledged(Revision(2), at(20), HISTORY, at(30)).unwrap();
        assert_eq!(acknowledged.pending_since, None);
        assert_eq!(acknowledged.drifted(true, at(40)).pending_since, Some(at(40)));
    }

    #[test]
    fn the_read_back_waits_for_the_acknowledgement_and_for_every_put_that_may_land() {
        let acknowledged = |row: Publication, sent_at: i64, now: i64| {
            row.sent(HISTORY, at(sent_at))
                .acknowledged(Revision(2), at(sent_at), HISTORY, at(now))
                .unwrap()
                .read_back_at(HISTORY)
                .unwrap()
                .as_ms()
        };
        let (late, settle) = (PUT_LATE_MS as i64, SETTLE_MS as i64);
        let none_sent = || Publication { sent_at: None, ..sent() };
        let lost = |row: Publication, sent_at: i64| {
            row.sent(HISTORY, at(sent_at)).failed(at(sent_at)).unwrap()
        };
        let twice = || lost(lost(none_sent(), 100), 200);
        // The last of two was never reported on.
        let unheard = || lost(none_sent(), 100).sent(HISTORY, at(200));
        assert_eq!(acknowledged(none_sent(), 300, 350), 350 + settle);
        for row in [twice(), unheard()] {
            assert_eq!(acknowledged(row.clone(), 300, 350), 200 + late + settle);
            assert_eq!(acknowledged(row.clone(), 300, 200 + late), 200 + late + settle);
            assert_eq!(acknowledged(row, 300, 201 + late), 201 + late + settle);
        }
    }

    #[test]
    fn what_is_acknowledged_or_settled_is_the_last_change_in_this_history() {
        let row = sent().acknowledged(Revision(2), at(20), HISTORY, at(30)).unwrap();
        let changed = row.clone().changed(Revision(3), HISTORY, at(40));
        let cases = [
            (sent(), HISTORY, false, false),
            (row.clone(), HISTORY, true, false),
            (row.clone(), HISTORY + 1, false, false),
            (row.clone().settled(), HISTORY, true, true),
            (row.clone().settled(), HISTORY + 1, false, false),
            (row.settled().changed(Revision(3), HISTORY, at(40)), HISTORY, false, false),
            (changed, HISTORY, false, false),
        ];
        for (row, generation, is_acknowledged, is_settled) in cases {
            assert_eq!(row.is_acknowledged(generation), is_acknowledged, "{row:?}");
            assert_eq!(row.read_back_at(generation).is_some(), is_acknowledged, "{row:?}");
            assert_eq!(row.is_settled(generation), is_settled, "{row:?}");
        }
    }

    #[test]
    fn of_a_new_history_kv_holds_nothing_and_nothing_has_settled() {
        let row = sent().acknowledged(Revision(2), at(20), HISTORY, at(30)).unwrap().settled();
        let (next, new) = (HISTORY + 1, Publication::new);
        let changed = row.clone().changed(Revision(3), next, at(40));
        assert_eq!(changed, new(key_id(), Revision(3), next, at(40)));
        let unchanged = new(key_id(), Revision(2), next, at(40));
        let is_sent = Publication { sent_at: Some(at(40)), pending_since: None, ..unchanged };
        assert_eq!(row.sent(next, at(40)), is_sent);
    }

    #[test]
    fn a_report_ends_its_put_alone_and_once() {
        let failed = sent().failed(at(20)).unwrap();
        assert_eq!((failed.sent_at, failed.unsure_at), (None, Some(at(20))));
        assert_eq!(failed.failed(at(20)), None);
        assert_eq!(sent().failed(at(21)), None);
        let acknowledged = sent().acknowledged(Revision(2), at(20), HISTORY, at(30)).unwrap();
        assert_eq!(acknowledged.acknowledged_at, Some(at(30)));
        assert_eq!(acknowledged.acknowledged(Revision(2), at(20), HISTORY, at(40)), None);
        assert_eq!(sent().acknowledged(Revision(2), at(21), HISTORY, at(30)), None);
    }
}
