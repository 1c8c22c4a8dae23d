//! Mail that a name object sends itself: mailbox codes, and the news of a change of address. At
//! these times no ledger holds the recipient.
//!
//! A message is a row, written with the change that causes it. Its task is retried with backoff
//! until the message is useless, or until the mail service refuses it permanently.

use claviger_core::base::id::AccountId;
use claviger_core::base::time::{DurationMs, UnixMs};

use crate::objects::mail_row::{ENVELOPE_COLUMNS, read_envelope};
use crate::objects::object::TaskStep;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::deletion::MailState;
use crate::protocol::effect::Effect;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::envelope::Envelope;

/// Time during which delivery of news is retried: after a day it is useless as a warning.
pub const NEWS_USEFUL: DurationMs = DurationMs::from_days(1);

/// Retention of a message.
pub const KEPT: DurationMs = DurationMs::from_days(2);

/// Returns the writes that queue a message, with the task that delivers it.
pub fn post(
    envelope: &Envelope,
    useful_until: UnixMs,
    now: UnixMs,
) -> Result<[Statement; 3], SqlError> {
    let letter = serde_json::to_string(&envelope.letter)
        .map_err(|_| SqlError::Column { column: 0, expected: "a letter" })?;
    let text = "INSERT OR IGNORE INTO mail (id, account, recipient, language, letter, sealed,
            created_at_ms, useful_until_ms, state)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued')";
    let row = Statement::new(text)
        .bind(envelope.id.as_str())
        .bind(envelope.account.as_str())
        .bind(envelope.to.as_str())
        .bind(envelope.language.as_str())
        .bind(letter)
        .bind(envelope.sealed.as_ref().map(Ciphertext::as_str))
        .bind(now)
        .bind(useful_until);
    let sweep = Task::own(TaskKind::SweepMailbox).schedule(now.saturating_add(KEPT));
    Ok([row, task(&envelope.id).schedule(now), sweep])
}

/// Returns the writes that stop a message which a newer one replaces.
pub fn supersede(id: &str) -> [Statement; 2] {
    [end(id, "over"), task(id).done()]
}

fn task(id: &str) -> Task {
    Task::new(TaskKind::SendMail, id)
}

fn end(id: &str, state: &'static str) -> Statement {
    let text = "UPDATE mail SET state = ?, sealed = NULL
        WHERE id = ? AND state IN ('queued', 'failing')";
    Statement::new(text).bind(state).bind(id)
}

/// Starts the delivery of a message.
pub fn step(sql: &dyn Sql, id: &str, now: UnixMs) -> Result<TaskStep, SqlError> {
    let text = format!(
        "SELECT useful_until_ms, account, {ENVELOPE_COLUMNS} FROM mail
        WHERE id = ? AND state IN ('queued', 'failing')"
    );
    let Some(mut row) = sql.first(&Statement::new(text).bind(id))? else {
        return Ok(TaskStep::moot());
    };
    if now >= row.time()? {
        return Ok(TaskStep::Chore { writes: vec![end(id, "over")], again: None });
    }
    let account = row.parsed("an account's ID", AccountId::parse)?;
    let envelope = Box::new(read_envelope(row, account, id)?);
    Ok(TaskStep::Effect(Effect::SendMail { envelope }))
}

/// Returns the writes after a message was accepted.
pub fn sent(id: &str) -> Vec<Statement> {
    vec![end(id, "sent"), task(id).done()]
}

/// Returns the writes after a delivery failed.
pub fn failed(sql: &dyn Sql, id: &str, now: UnixMs) -> Result<Vec<Statement>, SqlError> {
    let text = "UPDATE mail SET state = 'failing' WHERE id = ? AND state = 'queued'";
    Ok(vec![Statement::new(text).bind(id), task(id).failed(sql, now)?])
}

/// Returns the writes after a message was refused permanently.
pub fn refused(id: &str) -> Vec<Statement> {
    vec![end(id, "refused"), task(id).done()]
}

/// Returns the delivery state of a message. One that is gone is of no use any more.
pub fn state(sql: &dyn Sql, id: &str) -> Result<MailState, SqlError> {
    let row = sql.first(&Statement::new("SELECT state FROM mail WHERE id = ?").bind(id))?;
    let Some(mut row) = row else { return Ok(MailState::Failing) };
    row.parsed("a state of mail", |text| match text {
        "queued" => Some(MailState::Queued),
        "failing" | "over" => Some(MailState::Failing),
        "sent" => Some(MailState::Sent),
        "refused" => Some(MailState::Refused),
        _ => None,
    })
}
