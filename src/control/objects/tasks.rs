//! Duties: what an object has yet to do, each with the time at which it is due. The object's one
//! alarm is set to the earliest of them.
//!
//! A duty is written in the same `apply` as the change that causes it, so that none is forgotten.
//! While an effect is under way its duty is *taken*: its time lies [`IN_FLIGHT_MS`] ahead, so that
//! nobody starts it a second time, and whoever crashed in the middle leaves a duty that comes due
//! by itself.

use claviger_core::base::time::{DurationMs, UnixMs};

use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::effect::Effect;

/// The table, for the first migration of every object.
pub const TABLE: &str = "CREATE TABLE due (
    kind     TEXT    NOT NULL,                        -- which duty, one of `Kind`; immutable
    subject  TEXT    NOT NULL,                        -- what it is about, such as a key ID; '' for the object; immutable
    at_ms    INTEGER NOT NULL,                        -- when it is due, Unix milliseconds; moves while it is taken
    attempts INTEGER NOT NULL CHECK (attempts >= 0),  -- times it was taken without success
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID";

/// The index by which the earliest duty is found.
pub const INDEX: &str = "CREATE INDEX due_at ON due (at_ms)";

/// How long the adapter waits for an effect, in milliseconds, before it reports that nobody knows
/// how it went. KV and objects answer within a second or two; ten are an outage.
pub const EFFECT_TIMEOUT_MS: u64 = 10_000;

/// How long a taken duty is left alone, in milliseconds: past [`EFFECT_TIMEOUT_MS`] nothing of it
/// can be under way, as far as this side can tell.
pub const IN_FLIGHT_MS: u64 = 3 * EFFECT_TIMEOUT_MS;

/// First pause after a failure, in milliseconds, and least pause between two puts of one KV key: KV
/// takes one write per second of each.
pub const PAUSE_MIN_MS: u64 = 1_000;

/// Longest pause after failures, in milliseconds. An outage that lasts hours costs an alarm per
/// duty every five minutes, and is made up for within five minutes of its end.
pub const PAUSE_MAX_MS: u64 = 300_000;

const _: () = assert!(EFFECT_TIMEOUT_MS < IN_FLIGHT_MS && PAUSE_MIN_MS < PAUSE_MAX_MS);

/// Which duty. The names are stored: they must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A ledger: put a key's record into KV. Subject: the key.
    PutRecord,
    /// A ledger: confirm a name. Subject: the member.
    ConfirmName,
    /// A ledger: confirm the account to the directory.
    ConfirmAccount,
    /// A ledger: see whether a put has settled. Subject: the key.
    ReadBack,
    /// A ledger: put the lease document into KV.
    PutLease,
    /// A ledger: see whether KV holds the last lease document.
    ReadLease,
    /// A ledger: compare KV with itself, a little at a time.
    Repair,
    /// A ledger: put every record again, a little at a time.
    Rebuild,
    /// A ledger: remove usage that is too old.
    SweepUsage,
    /// A ledger: remove sessions that are over.
    SweepSessions,
    /// A ledger: remove idempotency keys that are over.
    SweepIdempotency,
    /// A ledger: mail something. Subject: the message.
    SendMail,
    /// A ledger: remove mail that is over.
    SweepMail,
    /// A ledger: remove deletions that are over.
    SweepDeletions,
    /// A ledger: remove deleted keys whose time to be restored is over.
    ScrubKeys,
    /// A ledger: remove issued keys that ended long ago.
    SweepIssued,
    /// A ledger: forget revoked sealed keys that have ended.
    SweepRevoked,
    /// A name: ask whether the ledger holds the claim.
    AskHolds,
    /// A name or an address: remove counters that are over.
    SweepTries,
    /// The directory: ask whether an account was opened. Subject: the account.
    AskExists,
    /// The directory: tell a restored ledger its fresh history. Subject: the account.
    TellEpoch,
}

impl Kind {
    const ALL: [Self; 21] = [
        Self::PutRecord,
        Self::ConfirmName,
        Self::ConfirmAccount,
        Self::ReadBack,
        Self::PutLease,
        Self::ReadLease,
        Self::Repair,
        Self::Rebuild,
        Self::SweepUsage,
        Self::SweepSessions,
        Self::SweepIdempotency,
        Self::SendMail,
        Self::SweepMail,
        Self::SweepDeletions,
        Self::ScrubKeys,
        Self::SweepIssued,
        Self::SweepRevoked,
        Self::AskHolds,
        Self::SweepTries,
        Self::AskExists,
        Self::TellEpoch,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::PutRecord => "put_record",
            Self::ConfirmName => "confirm_name",
            Self::ConfirmAccount => "confirm_account",
            Self::ReadBack => "read_back",
            Self::PutLease => "put_lease",
            Self::ReadLease => "read_lease",
            Self::Repair => "repair",
            Self::Rebuild => "rebuild",
            Self::SweepUsage => "sweep_usage",
            Self::SweepSessions => "sweep_sessions",
            Self::SweepIdempotency => "sweep_idempotency",
            Self::SendMail => "send_mail",
            Self::SweepMail => "sweep_mail",
            Self::SweepDeletions => "sweep_deletions",
            Self::ScrubKeys => "scrub_keys",
            Self::SweepIssued => "sweep_issued",
            Self::SweepRevoked => "sweep_revoked",
            Self::AskHolds => "ask_holds",
            Self::SweepTries => "sweep_tries",
            Self::AskExists => "ask_exists",
            Self::TellEpoch => "tell_epoch",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What names a duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// Which.
    pub kind: Kind,
    /// About what.
    pub subject: String,
}

impl Duty {
    /// A duty about `subject`.
    pub fn new(kind: Kind, subject: impl ToString) -> Self {
        Self { kind, subject: subject.to_string() }
    }

    /// A duty about the object as a whole.
    pub fn own(kind: Kind) -> Self {
        Self::new(kind, "")
    }

    /// The duty that `effect` came from.
    pub fn of(effect: &Effect) -> Self {
        match effect {
            Effect::PutRecord { id, .. } => Self::new(Kind::PutRecord, id),
            Effect::ReadBack { id, .. } => Self::new(Kind::ReadBack, id),
            Effect::ReadMany { .. } | Effect::ListKv { .. } => Self::own(Kind::Repair),
            Effect::PutLease { .. } => Self::own(Kind::PutLease),
            Effect::ReadLease { .. } => Self::own(Kind::ReadLease),
            Effect::TellEpoch { account, .. } => Self::new(Kind::TellEpoch, account),
            Effect::ConfirmName { request, .. } => Self::new(Kind::ConfirmName, request.member),
            Effect::ConfirmAccount { .. } => Self::own(Kind::ConfirmAccount),
            Effect::SendMail { envelope } => Self::new(Kind::SendMail, &envelope.id),
            Effect::AskHolds { .. } => Self::own(Kind::AskHolds),
            Effect::AskExists { account } => Self::new(Kind::AskExists, account),
        }
    }

    /// Writes the duty down, due at `at`. One that stands already keeps its time: it may be taken,
    /// or pausing.
    pub fn owe(&self, at: UnixMs) -> Statement {
        self.bound(
            "INSERT INTO due (at_ms, attempts, kind, subject) VALUES (?, 0, ?, ?) ON CONFLICT DO NOTHING",
            [at],
        )
    }

    /// Writes the duty down, due at `at` at the latest: one that stands already comes no later for
    /// it. For what one duty is owed for many things, each with its own time.
    pub fn owe_by(&self, at: UnixMs) -> Statement {
        self.bound(
            "INSERT INTO due (at_ms, attempts, kind, subject) VALUES (?, 0, ?, ?)
            ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms WHERE excluded.at_ms < at_ms",
            [at],
        )
    }

    /// Writes the duty down, due at `at`, also where it stands already.
    pub fn owe_at(&self, at: UnixMs) -> Statement {
        self.bound(
            "INSERT INTO due (at_ms, attempts, kind, subject) VALUES (?, 0, ?, ?)
            ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, attempts = 0",
            [at],
        )
    }

    /// Moves the duty to `at`, as one that was never tried.
    pub fn postpone(&self, at: UnixMs) -> Statement {
        self.bound("UPDATE due SET at_ms = ?, attempts = 0 WHERE kind = ? AND subject = ?", [at])
    }

    /// Crosses the duty out.
    pub fn done(&self) -> Statement {
        self.bound("DELETE FROM due WHERE kind = ? AND subject = ?", [])
    }

    /// Takes the duty: until it is settled nobody else gets it.
    pub fn taken(&self, now: UnixMs) -> Statement {
        let until = now.saturating_add(DurationMs::from_ms(IN_FLIGHT_MS));
        self.bound(
            "UPDATE due SET at_ms = ?, attempts = attempts + 1 WHERE kind = ? AND subject = ?",
            [until],
        )
    }

    /// Puts the duty, which was taken, off after a failure, longer each time.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn failed(&self, sql: &dyn Sql, now: UnixMs) -> Result<Statement, SqlError> {
        let at = now.saturating_add(pause(self.attempts(sql)?));
        Ok(self.bound("UPDATE due SET at_ms = ? WHERE kind = ? AND subject = ?", [at]))
    }

    /// Puts the duty off that nobody could even begin, longer each time.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn stuck(&self, sql: &dyn Sql, now: UnixMs) -> Result<Statement, SqlError> {
        let at = now.saturating_add(pause(self.attempts(sql)?.saturating_add(1)));
        let text =
            "UPDATE due SET at_ms = ?, attempts = attempts + 1 WHERE kind = ? AND subject = ?";
        Ok(self.bound(text, [at]))
    }

    fn attempts(&self, sql: &dyn Sql) -> Result<i64, SqlError> {
        sql.integer(&self.bound("SELECT attempts FROM due WHERE kind = ? AND subject = ?", []))
    }

    fn bound<const N: usize>(&self, text: &'static str, times: [UnixMs; N]) -> Statement {
        Statement::new(text)
            .bind_all(times.map(Into::into))
            .bind(self.kind.as_str())
            .bind(self.subject.as_str())
    }
}

/// Whether this stands, due or not.
///
/// # Errors
/// [`SqlError`].
pub fn stands(sql: &dyn Sql, duty: &Duty) -> Result<bool, SqlError> {
    Ok(sql.integer(&duty.bound("SELECT count(*) FROM due WHERE kind = ? AND subject = ?", []))? > 0)
}

/// When the first of the duties of a kind is due, where at least `many` stand, due or pausing;
/// `None`: there are fewer.
///
/// # Errors
/// [`SqlError`].
pub fn queue(sql: &dyn Sql, kind: Kind, many: u32) -> Result<Option<UnixMs>, SqlError> {
    let standing =
        Statement::new("SELECT count(*) FROM (SELECT 1 FROM due WHERE kind = ? LIMIT ?)");
    if sql.integer(&standing.bind(kind.as_str()).bind(many))? < many.into() {
        return Ok(None);
    }
    let first = Statement::new("SELECT min(at_ms) FROM due WHERE kind = ?").bind(kind.as_str());
    sql.first(&first)?.map_or(Ok(None), |mut row| row.optional_time())
}

/// The duty that is due at `now` and comes first: mail, for which somebody waits at the page, with
/// a code that ends in minutes; then the earliest. Where KV hangs, each put before it would cost
/// [`EFFECT_TIMEOUT_MS`]. There is little mail, so that it holds up nothing.
///
/// A duty of a kind that this code does not know is a later release's, which was taken back: it
/// waits for that one, and holds up nothing.
///
/// # Errors
/// [`SqlError`].
pub fn first(sql: &dyn Sql, now: UnixMs) -> Result<Option<Duty>, SqlError> {
    let mail = "SELECT kind, subject FROM due WHERE kind = ? AND at_ms <= ? ORDER BY at_ms, subject LIMIT 1";
    if let Some(row) = sql.first(&Statement::new(mail).bind(Kind::SendMail.as_str()).bind(now))? {
        return read(row).map(Some);
    }
    let text = format!(
        "SELECT kind, subject FROM due INDEXED BY due_at WHERE at_ms <= ? AND kind IN ({})
        ORDER BY at_ms, kind, subject LIMIT 1",
        known()
    );
    sql.first(&Statement::new(text).bind(now))?.map(read).transpose()
}

/// When the earliest duty is due, of a kind that this code knows.
///
/// # Errors
/// [`SqlError`].
pub fn earliest(sql: &dyn Sql) -> Result<Option<UnixMs>, SqlError> {
    let text = format!(
        "SELECT at_ms FROM due INDEXED BY due_at WHERE kind IN ({}) ORDER BY at_ms LIMIT 1",
        known()
    );
    sql.first(&Statement::new(text))?.map_or(Ok(None), |mut row| row.optional_time())
}

/// The names of all kinds, as SQL has them in a list.
fn known() -> String {
    Kind::ALL.map(|kind| format!("'{}'", kind.as_str())).join(", ")
}

fn read(mut row: Row) -> Result<Duty, SqlError> {
    Ok(Duty { kind: row.parsed("a kind of duty", Kind::parse)?, subject: row.text()? })
}

/// The pause after the `attempts`-th failure: doubles from [`PAUSE_MIN_MS`] to [`PAUSE_MAX_MS`].
fn pause(attempts: i64) -> DurationMs {
    let doublings = u32::try_from(attempts.saturating_sub(1).max(0)).unwrap_or(u32::MAX);
    let factor = 2_u64.checked_pow(doublings).unwrap_or(u64::MAX);
    DurationMs::from_ms(PAUSE_MIN_MS.saturating_mul(factor).min(PAUSE_MAX_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::sql::sqlite::Sqlite;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_ms(ms)
    }

    fn table() -> Sqlite {
        let sql = Sqlite::new();
        sql.apply(&[Statement::new(TABLE), Statement::new(INDEX)]).unwrap();
        sql
    }

    #[test]
    fn a_duty_stands_until_it_is_done() {
        let sql = table();
        let duty = Duty::new(Kind::PutRecord, "k");
        assert_eq!(earliest(&sql), Ok(None));
        sql.apply(&[
            duty.owe(at(100)),
            duty.owe(at(50)),
            Duty::own(Kind::SweepSessions).owe(at(200)),
        ])
        .unwrap();
        assert_eq!(earliest(&sql), Ok(Some(at(100))), "owed twice is owed once");
        assert_eq!(first(&sql, at(99)), Ok(None));
        assert_eq!(first(&sql, at(100)), Ok(Some(duty.clone())));

        sql.apply(&[duty.taken(at(100))]).unwrap();
        assert_eq!(first(&sql, at(150)), Ok(None), "one that is taken is given to nobody else");
        assert_eq!(first(&sql, at(30_100)).unwrap(), Some(Duty::own(Kind::SweepSessions)));

        sql.apply(&[duty.failed(&sql, at(150)).unwrap()]).unwrap();
        sql.apply(&[Duty::own(Kind::SweepSessions).done()]).unwrap();
        assert_eq!(earliest(&sql), Ok(Some(at(1_150))));
        sql.apply(&[duty.done()]).unwrap();
        assert_eq!(earliest(&sql), Ok(None));
    }

    #[test]
    fn a_duty_that_is_owed_for_several_things_is_due_at_the_first_of_them() {
        let sql = table();
        let duty = Duty::own(Kind::SweepIssued);
        for (owed, due) in [(300, 300), (100, 100), (200, 100)] {
            sql.apply(&[duty.owe_by(at(owed))]).unwrap();
            assert_eq!(earliest(&sql), Ok(Some(at(due))));
        }
    }

    #[test]
    fn mail_comes_before_whatever_was_due_earlier() {
        let sql = table();
        let put = |key: &str| Duty::new(Kind::PutRecord, key);
        let mail = |id: &str| Duty::new(Kind::SendMail, id);
        let owed = [
            put("a").owe(at(10)),
            put("b").owe(at(20)),
            mail("d").owe(at(40)),
            mail("c").owe(at(50)),
        ];
        sql.apply(&owed).unwrap();
        assert_eq!(first(&sql, at(39)), Ok(Some(put("a"))), "not before it is due");
        for expected in [mail("d"), mail("c"), put("a"), put("b")] {
            assert_eq!(first(&sql, at(100)), Ok(Some(expected.clone())));
            sql.apply(&[expected.taken(at(100))]).unwrap();
        }
        assert_eq!(first(&sql, at(100)), Ok(None));
    }

    #[test]
    fn a_duty_of_a_later_release_waits_for_it_and_holds_up_nothing() {
        let sql = table();
        let later =
            "INSERT INTO due (at_ms, attempts, kind, subject) VALUES (5, 0, 'brew_tea', '')";
        let put = Duty::new(Kind::PutRecord, "a");
        sql.apply(&[Statement::new(later)]).unwrap();
        assert_eq!(
            (earliest(&sql), first(&sql, at(100))),
            (Ok(None), Ok(None)),
            "it would ring for ever"
        );
        sql.apply(&[put.owe(at(10))]).unwrap();
        assert_eq!(
            (earliest(&sql), first(&sql, at(100))),
            (Ok(Some(at(10))), Ok(Some(put.clone())))
        );
        sql.apply(&[put.done()]).unwrap();
        assert_eq!(sql.integer(&Statement::new("SELECT count(*) FROM due")), Ok(1));
    }

    #[test]
    fn a_duty_that_cannot_begin_is_put_off_longer_each_time() {
        let sql = table();
        let duty = Duty::own(Kind::Repair);
        sql.apply(&[duty.owe(at(0))]).unwrap();
        let (mut now, mut pauses) = (at(0), Vec::new());
        for _ in 0..10 {
            sql.apply(&[duty.stuck(&sql, now).unwrap()]).unwrap();
            let due = earliest(&sql).unwrap().unwrap();
            pauses.push(due.since(now).unwrap().as_ms() / 1_000);
            now = due;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    }

    #[test]
    fn pauses_double_up_to_a_cap() {
        let expected = [
            (0, 1),
            (1, 1),
            (2, 2),
            (3, 4),
            (8, 128),
            (9, 256),
            (10, 300),
            (40, 300),
            (100, 300),
            (i64::MAX, 300),
        ];
        for (attempts, seconds) in expected {
            assert_eq!(pause(attempts), DurationMs::from_s(seconds), "{attempts}");
        }
    }

    #[test]
    fn every_kind_reads_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
    }
}
