//! Mailbox codes: they prove that who types one reads the mailbox of this address.
//!
//! Anyone with a set-up link, and any member, can have one mailed to any address. So:
//! - A code claims nothing, and its row is no claim: it keeps no other person from the address.
//! - The number of codes is limited for each subject ([`HOUR_CODES`], [`DAY_CODES`]), and for the
//!   address as a whole ([`ADDRESS_HOUR_CODES`], [`ADDRESS_DAY_CODES`]).
//! - A code has [`TRIES_MAX`] wrong tries. A try counts in the run that compares it, so that
//!   parallel tries cannot share one count.
//! - A right code can be checked again while it is valid. The step that it proves may be repeated,
//!   for example after an outage. It ends with that step.
//! - Each row is removed a day after its last code, and the object with the last row.

use claviger_core::base::id::TokenId;
use claviger_core::base::secret::{Digest, SecretText};
use claviger_core::base::time::{DurationMs, UnixMs};

use super::mail;
use super::person::Person;
use super::schema::MIGRATIONS;
use crate::objects::object::TaskStep;
use crate::objects::rate_limit::{FixedWindow, Window};
use crate::objects::sql::migrate::{is_initialised, migrate};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::code::Code;
use crate::protocol::deletion::MailState;
use crate::protocol::envelope::{Envelope, Letter};
use crate::protocol::mailbox::{MailboxCodeState, MailboxSubject, NewMailboxCode};
use crate::protocol::master::MasterSecrets;
use crate::protocol::objects::NameReply;

/// Validity of a code: mail arrives within a minute or two, while the person waits on the page.
pub const CODE_LIFE: DurationMs = DurationMs::from_s(10 * 60);

/// Most wrong tries at one code.
pub const TRIES_MAX: u32 = 5;

/// Most codes of one subject in an hour.
pub const HOUR_CODES: FixedWindow =
    FixedWindow { tries_max: 3, window: DurationMs::from_s(60 * 60) };

/// Most codes of one subject in a day. With [`TRIES_MAX`] they give 50 tries at codes of eight
/// digits.
pub const DAY_CODES: FixedWindow = FixedWindow { tries_max: 10, window: DurationMs::from_days(1) };

/// Most codes to the address in an hour, over all subjects: three each of four. One link or member
/// cannot keep others from getting a code.
pub const ADDRESS_HOUR_CODES: FixedWindow =
    FixedWindow { tries_max: 12, window: DurationMs::from_s(60 * 60) };

/// Most codes to the address in a day.
pub const ADDRESS_DAY_CODES: FixedWindow =
    FixedWindow { tries_max: 30, window: DurationMs::from_days(1) };

/// The row of a subject.
struct StoredMailboxCode {
    id: TokenId,
    mac: Digest,
    expires: UnixMs,
    tries: u32,
    windows: CodeWindows,
}

/// The windows in which codes are counted.
#[derive(Clone, Copy)]
struct CodeWindows {
    hour: Window,
    day: Window,
}

impl CodeWindows {
    /// Counts one more code; the time of the next one if a limit is reached.
    fn count(
        before: Option<Self>,
        (hour, day): (&FixedWindow, &FixedWindow),
        now: UnixMs,
    ) -> Result<Self, UnixMs> {
        let hour = hour.count(before.map(|before| before.hour), now);
        let day = day.count(before.map(|before| before.day), now);
        match (hour, day) {
            (Ok(hour), Ok(day)) => Ok(Self { hour, day }),
            (hour, day) => Err(hour.err().max(day.err()).unwrap_or(now)),
        }
    }

    fn read(row: &mut Row) -> Result<Self, SqlError> {
        Ok(Self {
            hour: Window { since: row.time()?, tries: row.count()? },
            day: Window { since: row.time()?, tries: row.count()? },
        })
    }

    fn bind(self, statement: Statement) -> Statement {
        statement
            .bind(self.hour.since)
            .bind(self.hour.tries)
            .bind(self.day.since)
            .bind(self.day.tries)
    }
}

impl StoredMailboxCode {
    fn load(sql: &dyn Sql, subject: MailboxSubject) -> Result<Option<Self>, SqlError> {
        let text =
            "SELECT id, mac, expires_ms, tries, hour_since_ms, hour_codes, day_since_ms, day_codes
            FROM mailbox_code WHERE purpose = ? AND account = ? AND member = ?";
        let read = |mut row: Row| {
            Ok(Self {
                id: row.parsed("a token ID", TokenId::parse)?,
                mac: Digest::from_bytes(row.bytes()?),
                expires: row.time()?,
                tries: row.count()?,
                windows: CodeWindows::read(&mut row)?,
            })
        };
        sql.first(&bound(text, subject))?.map(read).transpose()
    }

    fn store(&self, subject: MailboxSubject) -> Statement {
        let text =
            "INSERT OR REPLACE INTO mailbox_code (purpose, account, member, id, mac, expires_ms,
                tries, hour_since_ms, hour_codes, day_since_ms, day_codes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let row = bound(text, subject)
            .bind(self.id.as_str())
            .bind(self.mac.as_bytes().as_slice())
            .bind(self.expires)
            .bind(self.tries);
        self.windows.bind(row)
    }

    fn is_open(&self, now: UnixMs) -> bool {
        now < self.expires && self.tries < TRIES_MAX
    }

    fn mail_id(&self, subject: MailboxSubject) -> String {
        format!("mailbox-code/{}/{}", subject.account, self.id)
    }
}

/// Returns the statement with the subject as its first three values.
fn bound(text: &'static str, subject: MailboxSubject) -> Statement {
    Statement::new(text)
        .bind(subject.purpose.as_str())
        .bind(subject.account.as_str())
        .bind(subject.member.as_str())
}

/// The outcome of a request for a code.
pub enum Mailed {
    /// The code is queued, now or before.
    Queued {
        /// Writes of a new code.
        writes: Vec<Statement>,
        /// Expiry of the code, Unix ms.
        until: UnixMs,
    },
    /// A limit is reached.
    TooMany {
        /// Time at which the next one is allowed, Unix ms.
        until: UnixMs,
    },
}

/// Queues the mail with a code, which replaces the one before.
pub fn mail_code(sql: &dyn Sql, new: NewMailboxCode, now: UnixMs) -> Result<Mailed, SqlError> {
    let NewMailboxCode { email, subject, id, mac, sealed, language, zone, address } = new;
    let before = StoredMailboxCode::load(sql, subject)?;
    // A repeated request has the same effect as one.
    if let Some(same) = before.as_ref().filter(|before| before.id == id) {
        return Ok(Mailed::Queued { writes: Vec::new(), until: same.expires });
    }
    let all = "SELECT hour_since_ms, hour_codes, day_since_ms, day_codes FROM mailbox_codes";
    let all = sql.first(&Statement::new(all))?;
    let all = all.map(|mut row| CodeWindows::read(&mut row)).transpose()?;
    let all = CodeWindows::count(all, (&ADDRESS_HOUR_CODES, &ADDRESS_DAY_CODES), now);
    let own = before.as_ref().map(|before| before.windows);
    let own = CodeWindows::count(own, (&HOUR_CODES, &DAY_CODES), now);
    let (all, windows) = match (all, own) {
        (Ok(all), Ok(own)) => (all, own),
        (all, own) => {
            return Ok(Mailed::TooMany { until: all.err().max(own.err()).unwrap_or(now) });
        }
    };
    let until = now.saturating_add(CODE_LIFE);
    let code = StoredMailboxCode { id, mac, expires: until, tries: 0, windows };
    let envelope = Envelope {
        id: code.mail_id(subject),
        account: subject.account,
        to: email,
        language,
        written_at: now,
        letter: Letter::MailboxCode { code: id, purpose: subject.purpose, until, address, zone },
        sealed: Some(sealed),
    };
    let sum = "INSERT OR REPLACE INTO mailbox_codes (one, hour_since_ms, hour_codes, day_since_ms, day_codes)
        VALUES (1, ?, ?, ?, ?)";
    let mut writes = vec![code.store(subject), all.bind(Statement::new(sum))];
    if let Some(before) = before {
        writes.extend(mail::supersede(&before.mail_id(subject)));
    }
    writes.extend(mail::post(&envelope, until, now)?);
    Ok(Mailed::Queued { writes, until })
}

/// Returns the state of a subject's code; `None` if there is none that can be tried.
pub fn show(
    sql: &dyn Sql,
    subject: MailboxSubject,
    now: UnixMs,
) -> Result<Option<MailboxCodeState>, SqlError> {
    let code = StoredMailboxCode::load(sql, subject)?.filter(|code| code.is_open(now));
    let Some(code) = code else { return Ok(None) };
    let mail = mail::state(sql, &code.mail_id(subject))?;
    Ok(Some(MailboxCodeState { until: code.expires, mail }))
}

/// The outcome of a try at a code.
pub enum MailboxTry {
    /// The code is right.
    Right,
    /// The code is wrong. The write counts the try.
    Wrong {
        /// Write that counts it.
        counted: Statement,
        /// Tries that are left.
        tries_left: u32,
    },
    /// There is no code to try.
    Over,
}

/// Tries a code.
pub fn attempt(
    sql: &dyn Sql,
    subject: MailboxSubject,
    typed: &SecretText,
    master: &MasterSecrets,
    now: UnixMs,
) -> Result<MailboxTry, SqlError> {
    let code = StoredMailboxCode::load(sql, subject)?.filter(|code| code.is_open(now));
    let Some(code) = code else { return Ok(MailboxTry::Over) };
    let purpose = subject.purpose.code();
    let mac = Code::parse(purpose, typed)
        .map(|typed| typed.mac(purpose, subject.account, code.id, master));
    // `Digest` compares in constant time.
    if mac.is_some_and(|mac| mac == code.mac) {
        return Ok(MailboxTry::Right);
    }
    let tried = StoredMailboxCode { tries: code.tries.saturating_add(1), ..code };
    let tries_left = TRIES_MAX.saturating_sub(tried.tries);
    Ok(MailboxTry::Wrong { counted: tried.store(subject), tries_left })
}

/// Returns the write that ends a subject's code. Its limits stay.
pub fn end(subject: MailboxSubject) -> Statement {
    let text = "UPDATE mailbox_code SET expires_ms = 0
        WHERE purpose = ? AND account = ? AND member = ?";
    bound(text, subject)
}

/// Removes rows that have no effect any more.
pub fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<TaskStep, SqlError> {
    let (day, kept) = (now.saturating_sub(DAY_CODES.window), now.saturating_sub(mail::KEPT));
    let writes = vec![
        Statement::new("DELETE FROM mailbox_code WHERE day_since_ms <= ? AND expires_ms <= ?")
            .bind(day)
            .bind(now),
        Statement::new("DELETE FROM mailbox_codes WHERE day_since_ms <= ?").bind(day),
        Statement::new("DELETE FROM mail WHERE created_at_ms <= ?").bind(kept),
    ];
    let oldest = "SELECT min(at) FROM (
        SELECT max(day_since_ms + ?, expires_ms) AS at FROM mailbox_code
        UNION ALL SELECT day_since_ms + ? FROM mailbox_codes
        UNION ALL SELECT created_at_ms + ? FROM mail) WHERE at > ?";
    let (day_ms, kept_ms) = (DAY_CODES.window.as_ms(), mail::KEPT.as_ms());
    let integer = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    let oldest = Statement::new(oldest)
        .bind(integer(day_ms))
        .bind(integer(day_ms))
        .bind(integer(kept_ms))
        .bind(now);
    let again = sql.first(&oldest)?.map_or(Ok(None), |mut row| row.optional_time())?;
    Ok(TaskStep::Chore { writes, again })
}

/// Returns `true` if the object has tables, and brings them up to date. An address that has neither
/// person nor code has none.
pub fn has_tables(sql: &dyn Sql, now: UnixMs) -> Result<bool, SqlError> {
    if !is_initialised(sql)? {
        return Ok(false);
    }
    migrate(sql, MIGRATIONS, now)?;
    Ok(true)
}

/// Answers a request to mail a code.
pub fn answer_mail(sql: &dyn Sql, new: NewMailboxCode, now: UnixMs) -> Result<NameReply, SqlError> {
    migrate(sql, MIGRATIONS, now)?;
    let (writes, until) = match mail_code(sql, new, now)? {
        Mailed::Queued { writes, until } => (writes, until),
        Mailed::TooMany { until } => return Ok(NameReply::TooManyCodes { until }),
    };
    if !writes.is_empty() {
        sql.apply(&writes)?;
    }
    Ok(NameReply::MailboxCode(MailboxCodeState { until, mail: MailState::Queued }))
}

/// Answers a request for the state of a code.
pub fn answer_show(
    sql: &dyn Sql,
    subject: MailboxSubject,
    now: UnixMs,
) -> Result<NameReply, SqlError> {
    let code = if has_tables(sql, now)? { show(sql, subject, now)? } else { None };
    Ok(code.map_or(NameReply::CodeOver, NameReply::MailboxCode))
}

/// Answers a try at a code.
pub fn answer_try(
    sql: &dyn Sql,
    subject: MailboxSubject,
    code: &SecretText,
    master: &MasterSecrets,
    now: UnixMs,
) -> Result<NameReply, SqlError> {
    if !has_tables(sql, now)? {
        return Ok(NameReply::CodeOver);
    }
    Ok(match attempt(sql, subject, code, master, now)? {
        MailboxTry::Right => NameReply::MailboxProven { claimed: Person::load(sql)?.is_some() },
        MailboxTry::Wrong { counted, tries_left } => {
            sql.apply(&[counted])?;
            NameReply::CodeWrong { tries_left }
        }
        MailboxTry::Over => NameReply::CodeOver,
    })
}
