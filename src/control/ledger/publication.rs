//! What KV has of each key, and what it may still have wrong: *settlement*.
//!
//! ```text
//!   changed ──put is sent──▶ under way ──KV acknowledges──▶ acknowledged ──read back, and right──▶ settled
//!      ▲                         │ failed, or nobody knows       │ read back, and not right
//!      └─────────────────────────┴──────────────────────────────┘
//! ```
//!
//! **When a change has settled.** From a moment on, every place that KV is read at must serve this
//! revision. KV may serve what it held up to [`SETTLE_MS`] ago, and a put of unknown fate may land
//! up to [`PUT_LATE_MS`] after it was sent. So the read-back comes no sooner than
//! `max(acknowledged, unsure + PUT_LATE_MS) + SETTLE_MS`: whatever it is served is what KV held
//! after the last put that could land, and so is whatever anyone else is served from then on.
//!
//! **What need not be named.** KV cannot hold, of this history, anything older than `base`: the
//! change that made the key, or the first of this history. A key whose last change is its base is
//! in KV as it is or not at all (or with a record of another history, which is a miss), and for a
//! miss the edge asks the ledger.
//!
//! **Histories.** A row counts in the history of its `generation`. When a new history begins no row
//! is touched: whatever a row says of an older generation counts for nothing, since KV holds
//! nothing of the new one until a put of it is sent.
//!
//! The transitions are pure: a row in, a row out. Invariant: `base ≤ revision`, `acknowledged ≤
//! revision`, `settled ≤ acknowledged` or the key is on its way to be put again.

use claviger_core::base::id::KeyId;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::record::{Record, Revision, Standing};
use claviger_core::replication::refresh::{MARKS_MAX, Mark, SETTLE_MS, Unsettled};

use super::account::{Account, revision};
use super::key::Key;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};

/// How long after it was sent a put of unknown fate may still land, in milliseconds. Nothing is
/// known to be later than seconds; it is given as long as reading is.
pub const PUT_LATE_MS: u64 = SETTLE_MS;

/// Age of the oldest change that KV has not acknowledged from which on it is worth an alert, in
/// milliseconds: puts take a second, so that this is seven failures in a row, or a queue of some
/// thousands.
pub const LAG_ALERT_MS: u64 = 2 * 60 * 1_000;

const _: () = assert!(
    crate::objects::tasks::EFFECT_TIMEOUT_MS < PUT_LATE_MS
        && LAG_ALERT_MS < crate::objects::tasks::PAUSE_MAX_MS
);

/// How a key stands with KV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The key, or an orphan's ID.
    pub id: KeyId,
    /// Its last change.
    pub revision: Revision,
    /// The history that the rest counts in.
    pub generation: u32,
    /// The oldest change that KV may hold of that history.
    pub base: Revision,
    /// The last change that KV took of it; 0: none.
    pub acknowledged: Revision,
    /// When it took it.
    pub acknowledged_at: Option<UnixMs>,
    /// The last change that settled; 0: none.
    pub settled: Revision,
    /// Since when KV lacks the last change.
    pub owed_at: Option<UnixMs>,
    /// When the put that is under way was sent.
    pub sent_at: Option<UnixMs>,
    /// When the last put was sent of which nobody knows whether it landed.
    pub unsure_at: Option<UnixMs>,
}

const COLUMNS: &str = "key, revision, generation, base, acknowledged, acknowledged_at_ms, settled,
    owed_at_ms, sent_at_ms, unsure_at_ms";

impl Publication {
    /// A key that KV has never heard of.
    pub fn new(id: KeyId, revision: Revision, generation: u32, now: UnixMs) -> Self {
        Self {
            id,
            revision,
            generation,
            base: revision,
            acknowledged: Revision::default(),
            acknowledged_at: None,
            settled: Revision::default(),
            owed_at: Some(now),
            sent_at: None,
            unsure_at: None,
        }
    }

    /// A name that was found in KV without a key. KV may hold anything of it.
    pub fn orphan(id: KeyId, revision: Revision, generation: u32, now: UnixMs) -> Self {
        Self { base: Revision::default(), ..Self::new(id, revision, generation, now) }
    }

    /// The row of this ID.
    pub fn load(sql: &dyn Sql, id: KeyId) -> Result<Option<Self>, SqlError> {
        let text = format!("SELECT {COLUMNS} FROM publication WHERE key = ?");
        sql.first(&Statement::new(text).bind(id.as_str()))?.map(Self::read).transpose()
    }

    /// The rows after `cursor` in the order of IDs, at most `limit`.
    pub fn load_after(sql: &dyn Sql, cursor: &str, limit: u32) -> Result<Vec<Self>, SqlError> {
        let text = format!("SELECT {COLUMNS} FROM publication WHERE key > ? ORDER BY key LIMIT ?");
        sql.read_all(&Statement::new(text).bind(cursor).bind(limit), Self::read)
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.parsed("a key ID", KeyId::parse)?,
            revision: revision(&mut row)?,
            generation: row.count()?,
            base: revision(&mut row)?,
            acknowledged: revision(&mut row)?,
            acknowledged_at: row.optional_time()?,
            settled: revision(&mut row)?,
            owed_at: row.optional_time()?,
            sent_at: row.optional_time()?,
            unsure_at: row.optional_time()?,
        })
    }

    /// Writes the row as it is now.
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
            .bind(self.owed_at)
            .bind(self.sent_at)
            .bind(self.unsure_at)
    }

    /// After a change of the key. In a new history this is the first of it.
    #[must_use]
    pub fn changed(self, revision: Revision, generation: u32, now: UnixMs) -> Self {
        let row =
            if self.generation == generation { self } else { self.begun(revision, generation) };
        Self { revision, owed_at: row.owed_at.or(Some(now)), ..row }
    }

    /// After a put of the present record was sent. One whose fate nobody has told is of unknown
    /// fate.
    #[must_use]
    pub fn sent(self, generation: u32, now: UnixMs) -> Self {
        let revision = self.revision;
        let row =
            if self.generation == generation { self } else { self.begun(revision, generation) };
        Self { unsure_at: row.sent_at.max(row.unsure_at), sent_at: Some(now), ..row }
    }

    /// After KV took the put of `revision` that was sent at `sent_at`; `None`: that is not the put
    /// under way.
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
            Self { acknowledged: revision, acknowledged_at: Some(now), owed_at: None, ..concluded }
        } else {
            concluded
        })
    }

    /// After the put that was sent at `sent_at` failed, or nobody knows; `None`: that is not the
    /// put under way.
    pub fn failed(self, sent_at: UnixMs) -> Option<Self> {
        let is_under_way = self.sent_at == Some(sent_at);
        is_under_way.then_some(Self { sent_at: None, unsure_at: Some(sent_at), ..self })
    }

    /// Whether KV has acknowledged the last change, in the history of `generation`.
    pub fn is_acknowledged(&self, generation: u32) -> bool {
        self.generation == generation && self.acknowledged == self.revision
    }

    /// Whether the last change has settled, in the history of `generation`.
    pub fn is_settled(&self, generation: u32) -> bool {
        self.generation == generation && self.settled == self.revision
    }

    /// When the acknowledged put may be read back; `None` while there is none of the last change.
    pub fn read_back_at(&self, generation: u32) -> Option<UnixMs> {
        let acknowledged_at = self.acknowledged_at.filter(|_| self.is_acknowledged(generation))?;
        let landed_at =
            self.unsure_at.map(|sent_at| sent_at.saturating_add(DurationMs::from_ms(PUT_LATE_MS)));
        let last = landed_at.map_or(acknowledged_at, |landed_at| acknowledged_at.max(landed_at));
        Some(last.saturating_add(DurationMs::from_ms(SETTLE_MS)))
    }

    /// After the read-back found it right. That a put of the same change may still land is not
    /// forgotten: the next change has to outlast it.
    #[must_use]
    pub fn settled(self) -> Self {
        Self { settled: self.revision, ..self }
    }

    /// After KV was found not to hold the last change. `may_mislead` when what it holds is of this
    /// history.
    #[must_use]
    pub fn drifted(self, may_mislead: bool, now: UnixMs) -> Self {
        let base = if may_mislead { Revision::default() } else { self.base };
        Self { base, settled: Revision::default(), owed_at: self.owed_at.or(Some(now)), ..self }
    }

    /// The row at the begin of a history, of which KV holds nothing yet.
    fn begun(self, base: Revision, generation: u32) -> Self {
        let none = Revision::default();
        Self { generation, base, acknowledged: none, acknowledged_at: None, settled: none, ..self }
    }
}

/// What the edge is told of a key: its record, or an orphan's tombstone; `None` when there never
/// was such a key.
pub fn record(sql: &dyn Sql, account: &Account, id: KeyId) -> Result<Option<Record>, SqlError> {
    if let Some(key) = Key::load(sql, id)? {
        return Ok(Some(key.record(&account.epoch)));
    }
    Ok(Publication::load(sql, id)?.map(|row| tombstone(account, &row)))
}

/// The record of an orphan.
pub fn tombstone(account: &Account, row: &Publication) -> Record {
    Record::new(account.epoch.clone(), row.revision, row.id, Standing::Deleted)
}

/// All keys that KV may have wrong.
pub fn unsettled(sql: &dyn Sql, generation: u32) -> Result<Unsettled, SqlError> {
    // The conditions are those of the index, word for word.
    let text = "SELECT key, revision FROM publication
        WHERE generation = ? AND base < revision AND settled < revision LIMIT ?";
    let marks = sql.read_all(&Statement::new(text).bind(generation).bind(limit()), mark)?;
    Ok(if marks.len() > MARKS_MAX { Unsettled::Overflow } else { Unsettled::Set(marks) })
}

/// The keys that have changed after `known`, each with its last change; `None`: more than
/// [`MARKS_MAX`].
pub fn changes(sql: &dyn Sql, known: Revision) -> Result<Option<Vec<Mark>>, SqlError> {
    let text = "SELECT key, revision FROM publication WHERE revision > ? ORDER BY revision LIMIT ?";
    let marks = sql.read_all(&Statement::new(text).bind(known).bind(limit()), mark)?;
    Ok(Some(marks).filter(|marks| marks.len() <= MARKS_MAX))
}

/// One more than [`MARKS_MAX`]: enough to know that there are too many.
fn limit() -> u32 {
    u32::try_from(MARKS_MAX).map_or(u32::MAX, |max| max.saturating_add(1))
}

/// Reads a key and a revision.
pub fn mark(mut row: Row) -> Result<Mark, SqlError> {
    Ok(Mark { id: row.parsed("a key ID", KeyId::parse)?, revision: revision(&mut row)? })
}
