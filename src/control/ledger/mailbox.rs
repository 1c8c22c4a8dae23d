//! Queued mail: messages to people, stored with the changes that they report.
//!
//! ```text
//!   queued ──taken──▶ sent
//!     │ not taken         ▲
//!     ▼                   │ taken, at a later try
//!   failing ──────────────┘
//!     │ useless, or refused permanently   (queued or failing, when a newer message replaces it:
//! superseded)
//!     ▼
//!   over
//! ```
//!
//! There is one task `send_mail` per message. The ledger retries it with backoff until the message
//! is useless, or until the mail service refuses it permanently. No other operation waits for it,
//! and its failure undoes nothing. A message may go out twice if the outcome of a delivery is
//! unknown. Its ID serves services as idempotency key.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::{DurationMs, UnixMs};

use super::account::Account;
use super::member::Member;
use super::notice_list;
use crate::objects::mail_row::{ENVELOPE_COLUMNS, read_envelope};
use crate::objects::object::TaskStep;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::account::Email;
use crate::protocol::deletion::MailState;
use crate::protocol::effect::Effect;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::envelope::{Envelope, Letter};
use crate::protocol::view::MemberView;

/// Retention of a message: longer than the day over which codes are counted.
pub const KEPT: DurationMs = DurationMs::from_days(2);

/// Returns the stored kind of a letter.
fn kind(letter: &Letter) -> &'static str {
    match letter {
        Letter::DeletionCode { .. } => CODE,
        Letter::ProofCode { .. } => PROOF_CODE,
        Letter::DeletionNotice { .. } => "deletion_notice",
        Letter::ResetCode { .. } => "reset_code",
        Letter::PasswordChanged { .. } => "password_changed",
        // The name object mails these two itself.
        Letter::MailboxCode { .. } => "mailbox_code",
        Letter::AddressChanged { .. } => "address_changed",
        Letter::Invitation { .. } => INVITATION,
        Letter::MemberJoined { .. } => "member_joined",
        Letter::RoleChanged { .. } => "role_changed",
        Letter::MemberRemoved { .. } => "member_removed",
        Letter::KeyGenerated { .. } => "key_generated",
        Letter::FactorsChanged { .. } => "factors_changed",
        Letter::NewNetwork { .. } => "new_network",
        Letter::Notices { .. } => "notices",
    }
}

/// The kinds that count for the rate limit of codes.
const CODE: &str = "deletion_code";
const PROOF_CODE: &str = "proof_code";

/// The kind that counts for the rate limits of invitations.
const INVITATION: &str = "invitation";

/// Time during which delivery of a notice is retried: after a day it is useless as a warning.
pub const NOTICE_USEFUL: DurationMs = DurationMs::from_days(1);

/// Queues a message to `member`, with a task that delivers it until it is useless. An invitation
/// goes to an address without a member: `member` is then the owner who invites.
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
        .bind(envelope.sealed.as_ref().map(Ciphertext::as_str))
        .bind(now)
        .bind(useful_until);
    let sweep = Task::own(TaskKind::SweepMail).schedule(now.saturating_add(KEPT));
    Ok([row, task(&envelope.id).schedule(now), sweep])
}

/// Queues a notice to a member of the account, and lists it.
pub fn notice(
    account: &Account,
    to: &MemberView,
    id: String,
    letter: Letter,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let is_listed = match letter {
        // Its lists are notices of their own.
        Letter::Notices { .. }
        // A former member has no list.
        | Letter::MemberRemoved { .. } => false,
        _ => true,
    };
    let mut writes = Vec::new();
    if is_listed {
        writes.extend(notice_list::add(to.id, &letter, now)?);
    }
    let envelope = Envelope {
        id,
        account: account.id,
        to: to.email.clone(),
        language: to.language,
        written_at: now,
        letter,
        sealed: None,
    };
    writes.extend(post(&envelope, to.id, now.saturating_add(NOTICE_USEFUL), now)?);
    Ok(writes)
}

/// Returns the ID of a notice about a member: the number of the audit row that reports the change
/// makes it unique.
pub fn notice_id(
    sql: &dyn Sql,
    account: &Account,
    kind: &str,
    member: MemberId,
    now: UnixMs,
) -> Result<String, SqlError> {
    let last = sql.integer(&Statement::new("SELECT ifnull(max(number), 0) FROM audit"))?;
    Ok(format!("{kind}/{}/{member}/{}-{}", account.id, last.saturating_add(1), now.as_ms()))
}

/// Stops a message that a newer one replaces, or whose purpose is fulfilled.
pub fn supersede(id: &str) -> [Statement; 2] {
    let text = "UPDATE mail SET state = 'superseded', sealed = NULL WHERE id = ? AND state IN ('queued', 'failing')";
    [Statement::new(text).bind(id), task(id).done()]
}

fn task(id: &str) -> Task {
    Task::new(TaskKind::SendMail, id)
}

/// Starts the delivery of a message.
pub fn step(sql: &dyn Sql, account: &Account, id: &str, now: UnixMs) -> Result<TaskStep, SqlError> {
    let text = format!(
        "SELECT useful_until_ms, attempted_at_ms, {ENVELOPE_COLUMNS} FROM mail
        WHERE id = ? AND state IN ('queued', 'failing')"
    );
    let Some(mut row) = sql.first(&Statement::new(text).bind(id))? else {
        return Ok(TaskStep::moot());
    };
    let (useful_until, attempted_at) = (row.time()?, row.optional_time()?);
    if now >= useful_until {
        let over =
            Statement::new("UPDATE mail SET state = 'over', sealed = NULL WHERE id = ?").bind(id);
        return Ok(TaskStep::Chore { writes: vec![over], again: None });
    }
    let envelope = Box::new(read_envelope(row, account.id, id)?);
    // An earlier attempt has no known outcome, which counts as a failure.
    let state = if attempted_at.is_some() { "failing" } else { "queued" };
    let note = Statement::new("UPDATE mail SET state = ?, attempted_at_ms = ? WHERE id = ?");
    Ok(TaskStep::Tracked {
        effect: Effect::SendMail { envelope },
        writes: vec![note.bind(state).bind(now).bind(id)],
    })
}

/// Returns the writes after a message was accepted. A late report about a superseded message
/// changes nothing.
pub fn sent(id: &str) -> Vec<Statement> {
    let text = "UPDATE mail SET state = 'sent', sealed = NULL WHERE id = ? AND state IN ('queued', 'failing')";
    vec![Statement::new(text).bind(id), task(id).done()]
}

/// Returns the writes after a delivery failed.
pub fn failed(sql: &dyn Sql, id: &str, now: UnixMs) -> Result<Vec<Statement>, SqlError> {
    let text = "UPDATE mail SET state = 'failing' WHERE id = ? AND state = 'queued'";
    Ok(vec![Statement::new(text).bind(id), task(id).failed(sql, now)?])
}

/// Returns the writes after a message was refused permanently. The console shows the refusal, and
/// the member may request another message.
pub fn refused(id: &str) -> Vec<Statement> {
    let text = "UPDATE mail SET state = 'over', refused = 1, sealed = NULL
        WHERE id = ? AND state IN ('queued', 'failing')";
    vec![Statement::new(text).bind(id), task(id).done()]
}

/// Returns the delivery state of a message; `None` if there is no such message.
pub fn state(sql: &dyn Sql, id: &str) -> Result<Option<MailState>, SqlError> {
    let text = "SELECT iif(refused, 'refused', state) FROM mail WHERE id = ?";
    let row = sql.first(&Statement::new(text).bind(id))?;
    row.map(|mut row| row.parsed("a state of mail", state_of)).transpose()
}

fn state_of(text: &str) -> Option<MailState> {
    match text {
        "queued" => Some(MailState::Queued),
        // A superseded message needs no attention, whether it was delivered or not.
        "sent" | "superseded" => Some(MailState::Sent),
        "failing" | "over" => Some(MailState::Failing),
        "refused" => Some(MailState::Refused),
        _ => None,
    }
}

/// Returns the delivery state of an invitation's message; `None` if there is no such message.
/// Unlike a code, it is of use after it was given up: its link still works.
pub fn state_of_invitation(sql: &dyn Sql, id: &str) -> Result<Option<MailState>, SqlError> {
    let text = "SELECT count(*) FROM mail WHERE id = ? AND state = 'over' AND refused = 0";
    match sql.integer(&Statement::new(text).bind(id))? {
        0 => state(sql, id),
        _ => Ok(Some(MailState::GivenUp)),
    }
}

/// Returns the number of codes mailed to `member` after `since`, and the time of the first.
pub fn codes_since(
    sql: &dyn Sql,
    member: MemberId,
    since: UnixMs,
) -> Result<(u32, Option<UnixMs>), SqlError> {
    let text = "SELECT count(*), min(created_at_ms) FROM mail WHERE member = ? AND kind IN (?, ?) AND created_at_ms > ?";
    let codes = Statement::new(text).bind(member.as_str()).bind(CODE).bind(PROOF_CODE).bind(since);
    let Some(mut row) = sql.first(&codes)? else { return Ok((0, None)) };
    Ok((row.count()?, row.optional_time()?))
}

/// Returns the number of invitations mailed after `since`, and the time of the first: those to
/// `recipient`, or all of them.
pub fn invitations_since(
    sql: &dyn Sql,
    recipient: Option<&Email>,
    since: UnixMs,
) -> Result<(u32, Option<UnixMs>), SqlError> {
    let text = "SELECT count(*), min(created_at_ms) FROM mail INDEXED BY mail_created
        WHERE kind = ? AND created_at_ms > ? AND ifnull(? = recipient, 1)";
    let mails =
        Statement::new(text).bind(INVITATION).bind(since).bind(recipient.map(Email::as_str));
    let Some(mut row) = sql.first(&mails)? else { return Ok((0, None)) };
    Ok((row.count()?, row.optional_time()?))
}

/// Returns the recipients of a notice about keys: `member`, who changed them, and the owners.
pub fn concerned(sql: &dyn Sql, member: MemberId) -> Result<Vec<Member>, SqlError> {
    let text = format!(
        "SELECT {} FROM member WHERE (id = ? OR role = 'owner') AND removed_at_ms IS NULL ORDER BY id",
        Member::COLUMNS
    );
    sql.read_all(&Statement::new(text).bind(member.as_str()), |mut row| Member::read(&mut row))
}

/// Removes mail past its retention.
pub fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<TaskStep, SqlError> {
    let since = now.saturating_sub(KEPT);
    let oldest =
        Statement::new("SELECT min(created_at_ms) FROM mail WHERE created_at_ms > ?").bind(since);
    let oldest = sql.first(&oldest)?.map_or(Ok(None), |mut row| row.optional_time())?;
    // An invitation that was not delivered says so until it leaves the list.
    let text = "DELETE FROM mail WHERE created_at_ms <= ? AND NOT (
        kind = ? AND state = 'over' AND EXISTS (SELECT 1 FROM member_invitation AS open
            WHERE mail.id LIKE 'invitation/%/' || open.id || '/' || open.mails))";
    let writes = vec![Statement::new(text).bind(since).bind(INVITATION)];
    Ok(TaskStep::Chore { writes, again: oldest.map(|at| at.saturating_add(KEPT)) })
}
