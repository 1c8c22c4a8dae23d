//! Mail that is on its way: what the ledger has to say to people, beside the change that it says it
//! about.
//!
//! ```text
//!   queued ──taken──▶ sent
//!     │ not taken         ▲
//!     ▼                   │ taken, at a later try
//!   failing ──────────────┘
//!     │ of no more use, or refused for good   (queued or failing, when another took its place: superseded)
//!     ▼
//!   over
//! ```
//!
//! One duty `send_mail` per message, retried with growing pauses until the message is of no more
//! use, or until whoever delivers says that it never will be taken. Nothing waits for it, and
//! nothing is undone when it fails. A message may go out twice, when nobody heard that it was
//! taken: it has an ID by which services know it.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::{DurationMs, UnixMs};

use super::account::{Account, Member};
use crate::objects::object::Step;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Duty, Kind};
use crate::protocol::account::Email;
use crate::protocol::deletion::MailState;
use crate::protocol::effect::Effect;
use crate::protocol::encryption::Sealed;
use crate::protocol::envelope::{Envelope, Letter};
use crate::protocol::ledger::Language;

/// How long a message is kept: past the day in which codes are counted.
pub const KEPT: DurationMs = DurationMs::from_days(2);

/// Kind of a letter, as it is stored.
fn kind(letter: &Letter) -> &'static str {
    match letter {
        Letter::DeletionCode { .. } => CODE,
        Letter::DeletionNotice { .. } => "deletion_notice",
    }
}

/// The kind that counts for the budget of codes.
const CODE: &str = "deletion_code";

/// Writes a message to `member` down, and owes it until it is of no more use.
pub fn post(
    envelope: &Envelope,
    member: MemberId,
    useful_until: UnixMs,
    now: UnixMs,
) -> Result<[Statement; 3], SqlError> {
    let letter = serde_json::to_string(&envelope.letter)
        .map_err(|_| SqlError::Column { column: 0, expected: "a letter" })?;
    let text = "INSERT INTO mail (id, kind, member, recipient, language, letter, sealed, created_at_ms, useful_until_ms, state)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued')";
    let row = Statement::new(text)
        .bind(envelope.id.as_str())
        .bind(kind(&envelope.letter))
        .bind(member.as_str())
        .bind(envelope.to.as_str())
        .bind(envelope.language.as_str())
        .bind(letter)
        .bind(envelope.sealed.as_ref().map(Sealed::as_str))
        .bind(now)
        .bind(useful_until);
    let sweep = Duty::own(Kind::SweepMail).owe(now.saturating_add(KEPT));
    Ok([row, duty(&envelope.id).owe(now), sweep])
}

/// A message that a new one takes the place of, or whose purpose is fulfilled: it is sent no more.
pub fn supersede(id: &str) -> [Statement; 2] {
    let text = "UPDATE mail SET state = 'superseded', sealed = NULL WHERE id = ? AND state IN ('queued', 'failing')";
    [Statement::new(text).bind(id), duty(id).done()]
}

fn duty(id: &str) -> Duty {
    Duty::new(Kind::SendMail, id)
}

/// The sending of a message.
pub fn step(sql: &dyn Sql, account: &Account, id: &str, now: UnixMs) -> Result<Step, SqlError> {
    let text = "SELECT useful_until_ms, attempted_at_ms, recipient, language, created_at_ms, letter, ifnull(sealed, '')
        FROM mail WHERE id = ? AND state IN ('queued', 'failing')";
    let Some(mut row) = sql.first(&Statement::new(text).bind(id))? else { return Ok(Step::moot()) };
    let (useful_until, attempted_at) = (row.time()?, row.optional_time()?);
    if now >= useful_until {
        let over =
            Statement::new("UPDATE mail SET state = 'over', sealed = NULL WHERE id = ?").bind(id);
        return Ok(Step::Chore { writes: vec![over], again: None });
    }
    let envelope = Box::new(read(row, account, id)?);
    // Of an attempt before, nobody has heard: that is a failure, too.
    let state = if attempted_at.is_some() { "failing" } else { "queued" };
    let note = Statement::new("UPDATE mail SET state = ?, attempted_at_ms = ? WHERE id = ?");
    Ok(Step::Tracked {
        effect: Effect::SendMail { envelope },
        writes: vec![note.bind(state).bind(now).bind(id)],
    })
}

fn read(mut row: Row, account: &Account, id: &str) -> Result<Envelope, SqlError> {
    Ok(Envelope {
        id: id.to_owned(),
        account: account.id,
        to: row.parsed("an address", |text| Email::parse(text).ok())?,
        language: row.parsed("a language", Language::parse)?,
        written_at: row.time()?,
        letter: row.parsed("a letter", |json| serde_json::from_str(json).ok())?,
        sealed: Some(row.text()?).filter(|text| !text.is_empty()).map(Sealed::from_stored),
    })
}

/// What follows when a message was taken. Told late, of one that was superseded meanwhile, it
/// changes nothing.
pub fn sent(id: &str) -> Vec<Statement> {
    let text = "UPDATE mail SET state = 'sent', sealed = NULL WHERE id = ? AND state IN ('queued', 'failing')";
    vec![Statement::new(text).bind(id), duty(id).done()]
}

/// What follows when a message was not taken.
pub fn failed(sql: &dyn Sql, id: &str, now: UnixMs) -> Result<Vec<Statement>, SqlError> {
    let text = "UPDATE mail SET state = 'failing' WHERE id = ? AND state = 'queued'";
    Ok(vec![Statement::new(text).bind(id), duty(id).failed(sql, now)?])
}

/// What follows when a message was refused for good: it is given up. Whoever asked for it is told,
/// and may ask for another.
pub fn refused(id: &str) -> Vec<Statement> {
    let text = "UPDATE mail SET state = 'over', refused = 1, sealed = NULL
        WHERE id = ? AND state IN ('queued', 'failing')";
    vec![Statement::new(text).bind(id), duty(id).done()]
}

/// How a message fares; `None` when there is none.
pub fn state(sql: &dyn Sql, id: &str) -> Result<Option<MailState>, SqlError> {
    let text = "SELECT iif(refused, 'refused', state) FROM mail WHERE id = ?";
    let row = sql.first(&Statement::new(text).bind(id))?;
    row.map(|mut row| row.parsed("a state of mail", state_of)).transpose()
}

fn state_of(text: &str) -> Option<MailState> {
    match text {
        "queued" => Some(MailState::Queued),
        // One that was superseded is of no interest any more, whether it went out or not.
        "sent" | "superseded" => Some(MailState::Sent),
        "failing" | "over" => Some(MailState::Failing),
        "refused" => Some(MailState::Refused),
        _ => None,
    }
}

/// Whether the message that was tried last was not taken, as a column of a statement.
pub const IS_FAILING: &str = "ifnull((SELECT state IN ('failing', 'over') FROM mail
    WHERE attempted_at_ms IS NOT NULL AND state <> 'superseded' ORDER BY attempted_at_ms DESC LIMIT 1), 0)";

/// The codes that were mailed to `member` after `since`: how many, and when the first of them was.
pub fn codes_since(
    sql: &dyn Sql,
    member: MemberId,
    since: UnixMs,
) -> Result<(u32, Option<UnixMs>), SqlError> {
    let text = "SELECT count(*), min(created_at_ms) FROM mail WHERE member = ? AND kind = ? AND created_at_ms > ?";
    let codes = Statement::new(text).bind(member.as_str()).bind(CODE).bind(since);
    let Some(mut row) = sql.first(&codes)? else { return Ok((0, None)) };
    Ok((row.count()?, row.optional_time()?))
}

/// Who is told of what happened to keys: `member`, who did it, and the owners.
pub fn concerned(sql: &dyn Sql, member: MemberId) -> Result<Vec<Member>, SqlError> {
    let text = format!(
        "SELECT {} FROM member WHERE id = ? OR role = 'owner' ORDER BY id",
        Member::COLUMNS
    );
    sql.read_all(&Statement::new(text).bind(member.as_str()), |mut row| Member::read(&mut row))
}

/// Forgets what is over.
pub fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<Step, SqlError> {
    let since = now.saturating_sub(KEPT);
    let oldest =
        Statement::new("SELECT min(created_at_ms) FROM mail WHERE created_at_ms > ?").bind(since);
    let oldest = sql.first(&oldest)?.map_or(Ok(None), |mut row| row.optional_time())?;
    let writes = vec![Statement::new("DELETE FROM mail WHERE created_at_ms <= ?").bind(since)];
    Ok(Step::Chore { writes, again: oldest.map(|at| at.saturating_add(KEPT)) })
}
