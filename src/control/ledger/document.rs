//! The lease document in KV ([`claviger_core::replication::document`]): when it is put, and whether
//! KV has taken it.
//!
//! Triggers note in the table `lease_document` that something of it has changed (`version`),
//! whoever changed it: a key, what is unsettled, the account's state, the history. Where the
//! deployment wants documents, or ever had one of this account, that owes the duty `put_lease`.
//!
//! A put carries the document as it is when the put starts, at most once in [`PAUSE_MIN_MS`]: what
//! changes meanwhile goes into the next. One is under way at a time. One that fails, or of which
//! nobody tells, is put again. It may land late all the same, over a newer one: therefore the last
//! is read back when nothing can land any more, and put again under a higher number where KV holds
//! another; so it is at the end of each round of the [repair](super::repair), too.

use claviger_core::base::id::AccountId;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::document::{CHANGES_MAX, Document, kv_key};
use claviger_core::replication::record::{Epoch, Revision};
use claviger_core::replication::refresh::{Delta, Mark, Refresh, SETTLE_MS, Unsettled};

use super::account::Account;
use super::publication::PUT_LATE_MS;
use super::state;
use crate::ledger::publication;
use crate::objects::object::Step;
use crate::objects::sql::{INTEGER_MAX, Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Duty, Kind, PAUSE_MIN_MS};
use crate::protocol::effect::Effect;

/// How the document stands with KV.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    /// Rises whenever something of it changes.
    version: i64,
    /// The version that KV took last; 0: none.
    acknowledged: i64,
    /// Number of the last document that was sent; 0: none was.
    number: u64,
    /// The history that it told of.
    epoch: Option<Epoch>,
    /// When it was sent.
    sent_at: Option<UnixMs>,
    /// Whether that is still under way.
    is_under_way: bool,
    /// When KV took it.
    acknowledged_at: Option<UnixMs>,
    /// When the last one was sent of which nobody knows whether it landed.
    unsure_at: Option<UnixMs>,
}

impl Standing {
    fn load(sql: &dyn Sql) -> Result<Self, SqlError> {
        let text =
            "SELECT version, acknowledged, number, ifnull(epoch, ''), sent_at_ms, is_under_way,
            acknowledged_at_ms, unsure_at_ms FROM lease_document";
        let row = sql.first(&Statement::new(text))?;
        row.map_or_else(|| Err(SqlError::Column { column: 0, expected: "a row" }), Self::read)
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            version: row.integer()?,
            acknowledged: row.integer()?,
            number: u64::try_from(row.integer()?).unwrap_or_default(),
            epoch: Some(row.text()?).filter(|text| !text.is_empty()).map(Epoch::from_stored),
            sent_at: row.optional_time()?,
            is_under_way: row.integer()? != 0,
            acknowledged_at: row.optional_time()?,
            unsure_at: row.optional_time()?,
        })
    }

    /// Writes the row as it is now, but for the version, which only rises.
    fn store(&self) -> Statement {
        let text =
            "UPDATE lease_document SET acknowledged = ?, number = ?, epoch = ?, sent_at_ms = ?,
            is_under_way = ?, acknowledged_at_ms = ?, unsure_at_ms = ?";
        Statement::new(text)
            .bind(self.acknowledged)
            .bind(i64::try_from(self.number).unwrap_or(INTEGER_MAX))
            .bind(self.epoch.as_ref().map(Epoch::as_str))
            .bind(self.sent_at)
            .bind(self.is_under_way)
            .bind(self.acknowledged_at)
            .bind(self.unsure_at)
    }

    fn is_owed(&self) -> bool {
        self.version > self.acknowledged
    }

    /// A put that nobody has told the fate of counts as one that may still land.
    fn concluded(self) -> Self {
        let unsure_at =
            if self.is_under_way { self.sent_at.max(self.unsure_at) } else { self.unsure_at };
        Self { is_under_way: false, unsure_at, ..self }
    }

    /// When the last document may be read back; `None` while KV lacks it.
    fn read_back_at(&self) -> Option<UnixMs> {
        let acknowledged_at =
            self.acknowledged_at.filter(|_| !self.is_owed() && !self.is_under_way)?;
        let landed_at =
            self.unsure_at.map(|sent| sent.saturating_add(DurationMs::from_ms(PUT_LATE_MS)));
        let last = landed_at.map_or(acknowledged_at, |landed_at| acknowledged_at.max(landed_at));
        Some(last.saturating_add(DurationMs::from_ms(SETTLE_MS)))
    }
}

fn put_duty() -> Duty {
    Duty::own(Kind::PutLease)
}

fn read_duty() -> Duty {
    Duty::own(Kind::ReadLease)
}

/// Owes the put, after the writes that this follows in one run, if anything of the document has
/// changed. A document that was ever put is kept right, whatever the deployment wants by now: it
/// may want documents again.
pub fn owe(is_wanted: bool, now: UnixMs) -> Statement {
    // The duty's name is that of `Kind::PutLease`.
    let text = "INSERT INTO due (kind, subject, at_ms, attempts)
        SELECT 'put_lease', '', ?, 0 FROM lease_document WHERE version > acknowledged AND (? OR number > 0)
        ON CONFLICT DO NOTHING";
    Statement::new(text).bind(now).bind(is_wanted)
}

/// Counts whatever KV holds for nothing.
pub fn spoil() -> Statement {
    Statement::new("UPDATE lease_document SET version = version + 1")
}

/// Whether a document is owed that no duty stands for.
pub fn is_forgotten(sql: &dyn Sql) -> Result<bool, SqlError> {
    let text = "SELECT count(*) FROM lease_document WHERE version > acknowledged
        AND NOT EXISTS (SELECT 1 FROM due WHERE kind = 'put_lease')";
    Ok(sql.integer(&Statement::new(text))? > 0)
}

/// Owes a look at what KV holds, if there ever was a document.
pub fn owe_look(now: UnixMs) -> Statement {
    // The duty's name is that of `Kind::ReadLease`.
    let text = "INSERT INTO due (kind, subject, at_ms, attempts)
        SELECT 'read_lease', '', ?, 0 FROM lease_document WHERE number > 0 ON CONFLICT DO NOTHING";
    Statement::new(text).bind(now)
}

/// The least number that a document has which may be as new as what the ledger says now; 0: there
/// was none.
pub fn number(sql: &dyn Sql, account: &Account) -> Result<u64, SqlError> {
    let Standing { number, epoch, .. } = Standing::load(sql)?;
    let is_of_history = number == 0 || epoch.as_ref() == Some(&account.epoch);
    Ok(if is_of_history { number } else { number.saturating_add(1) })
}

/// The put of the document as it is.
pub fn put(sql: &dyn Sql, account: &Account, now: UnixMs) -> Result<Step, SqlError> {
    let standing = Standing::load(sql)?.concluded();
    if !standing.is_owed() {
        return Ok(Step::moot());
    }
    let since = standing.sent_at.and_then(|sent| now.since(sent));
    if let Some(left) =
        since.and_then(|since| PAUSE_MIN_MS.checked_sub(since.as_ms())).filter(|left| *left > 0)
    {
        let again = now.saturating_add(DurationMs::from_ms(left));
        return Ok(Step::Chore { writes: Vec::new(), again: Some(again) });
    }
    let time = u64::try_from(now.as_ms()).unwrap_or_default();
    let number = time.max(standing.number.saturating_add(1));
    let (version, key) = (standing.version, kv_key(account.id));
    let value = text(&document(sql, account, number)?)?;
    let sent = Standing {
        number,
        epoch: Some(account.epoch.clone()),
        sent_at: Some(now),
        is_under_way: true,
        ..standing
    };
    Ok(Step::Tracked {
        effect: Effect::PutLease { key, value, number, version },
        writes: vec![sent.store()],
    })
}

/// What follows from KV's acknowledgement of the document `number` with what had changed up to
/// `version`.
pub fn acknowledged(
    sql: &dyn Sql,
    number: u64,
    version: i64,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let standing = Standing::load(sql)?;
    if !standing.is_under_way || standing.number != number {
        return Ok(Vec::new());
    }
    let standing = Standing {
        is_under_way: false,
        acknowledged: version,
        acknowledged_at: Some(now),
        ..standing
    };
    Ok(match standing.read_back_at() {
        Some(at) => vec![standing.store(), put_duty().done(), read_duty().owe_at(at)],
        None => {
            let next = now.saturating_add(DurationMs::from_ms(PAUSE_MIN_MS));
            vec![standing.store(), put_duty().postpone(next)]
        }
    })
}

/// What follows when the put of `number` failed, or nobody knows how it went.
pub fn failed(sql: &dyn Sql, number: u64, now: UnixMs) -> Result<Vec<Statement>, SqlError> {
    let standing = Standing::load(sql)?;
    if !standing.is_under_way || standing.number != number {
        return Ok(Vec::new());
    }
    Ok(vec![standing.concluded().store(), put_duty().failed(sql, now)?])
}

/// The look at what KV holds, once that must be the last document. While another is owed, its
/// acknowledgement owes the look.
pub fn look(sql: &dyn Sql, account: AccountId, now: UnixMs) -> Result<Step, SqlError> {
    let standing = Standing::load(sql)?;
    let Some(at) = standing.read_back_at() else { return Ok(Step::moot()) };
    if now < at {
        return Ok(Step::Chore { writes: Vec::new(), again: Some(at) });
    }
    Ok(Step::Effect(Effect::ReadLease { key: kv_key(account), number: standing.number }))
}

/// What follows from what KV holds, which ought to be the document `number`.
pub fn looked(
    sql: &dyn Sql,
    account: &Account,
    number: u64,
    value: Option<&str>,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let standing = Standing::load(sql)?;
    if standing.number != number || standing.read_back_at().is_none() {
        return Ok(vec![read_duty().done()]);
    }
    if value == Some(text(&document(sql, account, number)?)?.as_str()) {
        return Ok(vec![read_duty().done()]);
    }
    // Whoever has seen a higher number takes none below it.
    let held =
        value.and_then(|text| Document::from_kv(text, account.id)).map_or(0, |held| held.number);
    let ceiling = u64::try_from(INTEGER_MAX).unwrap_or_default();
    let number = if held < ceiling { held.max(standing.number) } else { standing.number };
    Ok(vec![
        Standing { number, ..standing }.store(),
        spoil(),
        read_duty().done(),
        put_duty().owe(now),
    ])
}

/// The document as it is now.
fn document(sql: &dyn Sql, account: &Account, number: u64) -> Result<Document, SqlError> {
    let (base, changes) = changes(sql)?;
    // Only a request can begin another history: whoever reads this is to make one.
    let unsettled = match account.epoch_is_over {
        true => Unsettled::Overflow,
        false => publication::unsettled(sql, account.generation)?,
    };
    let refresh = Refresh {
        epoch: account.epoch.clone(),
        revision: account.revision,
        delta: Delta::Changes(changes),
        unsettled,
        state: Some(state::load(sql, account)?),
        answers: Vec::new(),
        document: number,
    };
    Document::new(account.id, number, refresh, base).ok_or_else(unwritten)
}

/// The last changes, and after which of them all are named.
fn changes(sql: &dyn Sql) -> Result<(Revision, Vec<Mark>), SqlError> {
    let limit = u32::try_from(CHANGES_MAX).map_or(u32::MAX, |max| max.saturating_add(1));
    let text = "SELECT key, revision FROM publication ORDER BY revision DESC LIMIT ?";
    let mut marks = sql.read_all(&Statement::new(text).bind(limit), publication::mark)?;
    let beyond = marks.get(CHANGES_MAX).map(|mark| mark.revision);
    marks.truncate(CHANGES_MAX);
    Ok((beyond.unwrap_or_default(), marks))
}

fn text(document: &Document) -> Result<String, SqlError> {
    document.text().map_err(|_| unwritten())
}

/// JSON of text and numbers cannot fail to be written; a moot step would lose the document, so it
/// is loud.
fn unwritten() -> SqlError {
    SqlError::Column { column: 0, expected: "a lease document" }
}
