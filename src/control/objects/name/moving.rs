//! The move of a person to another address.
//!
//! ```text
//! old address:  settled ──BeginMove──▶ leaving ──the new one has the person──▶ (gone), reports it
//!                                         └──the new address is taken──▶ settled
//! new address:  (unclaimed) ──ReceivePerson──▶ arriving ──SettleMove──▶ settled, tells the ledgers
//! ```
//!
//! Each arrow is one transaction, and a task repeats its message until it is answered. So:
//! - At every moment one of the two addresses signs the person in. While the new one is arriving,
//!   both do.
//! - While a person is leaving or arriving, their password does not change, so that no address
//!   accepts one of before.
//! - The person arrives with a higher version of the password: each ledger ends the sessions of
//!   before. The version of the address rises, too, and each ledger follows to the higher one. A
//!   ledger without the news follows when the person signs in.
//! - Codes of a reset and marks of browsers end with the old address.

use claviger_core::base::id::TokenId;
use claviger_core::base::time::{DurationMs, UnixMs};

use super::mail;
use super::mailbox;
use super::person::{PENDING_MS, Person, StoredMembership, address_task, bound, tell_task};
use super::schema::MIGRATIONS;
use crate::objects::object::{ObjectError, TaskStep};
use crate::objects::sql::migrate::migrate;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::account::Email;
use crate::protocol::effect::Effect;
use crate::protocol::envelope::{Envelope, Letter};
use crate::protocol::identity::Membership;
use crate::protocol::mailbox::{
    AddressChange, AddressNews, MailboxPurpose, MailboxSubject, MoveState, MovedHash,
    MovedMembership, PersonMove,
};
use crate::protocol::member::{AddressVersion, SecretVersion};
use crate::protocol::objects::NameReply;

fn json(change: &AddressChange) -> Result<String, SqlError> {
    serde_json::to_string(change)
        .map_err(|_| SqlError::Column { column: 0, expected: "a change of address" })
}

/// Loads a departure; `None` if there is none in this state.
fn departure(
    sql: &dyn Sql,
    id: Option<&str>,
    has_left: bool,
) -> Result<Option<AddressChange>, SqlError> {
    let text = "SELECT change FROM departure WHERE has_left = ? AND ifnull(? = id, 1)";
    let row = sql.first(&Statement::new(text).bind(has_left).bind(id))?;
    row.map(|mut row| row.parsed("a change of address", |json| serde_json::from_str(json).ok()))
        .transpose()
}

/// Begins the move at the old address.
pub fn begin(
    sql: &dyn Sql,
    person: Option<Person>,
    change: &AddressChange,
    now: UnixMs,
) -> Result<NameReply, SqlError> {
    let Some(person) = person.filter(|person| person.find(change.by).is_some()) else {
        return Ok(NameReply::NotHeld);
    };
    if departure(sql, Some(change.id.as_str()), false)?.is_some() {
        return Ok(NameReply::Move(MoveState::UnderWay));
    }
    let Some(present) = person.confirmed() else { return Ok(NameReply::Moving) };
    // What a ledger is about to confirm or to learn would be lost on the way.
    let is_quiet = |own: &StoredMembership| {
        own.confirmed && own.told >= present.version && own.address_told >= person.address_version
    };
    if person.is_moving() || !person.memberships.iter().all(is_quiet) {
        return Ok(NameReply::Moving);
    }
    let row = Statement::new("INSERT INTO departure (id, change, has_left) VALUES (?, ?, 0)");
    let row = row.bind(change.id.as_str()).bind(json(change)?);
    sql.apply(&[row, Task::own(TaskKind::MovePerson).schedule(now)])?;
    Ok(NameReply::Move(MoveState::UnderWay))
}

/// Sends the person to the new address.
pub fn send(sql: &dyn Sql, person: Option<Person>) -> Result<TaskStep, SqlError> {
    let (Some(change), Some(person)) = (departure(sql, None, false)?, person) else {
        return Ok(TaskStep::moot());
    };
    let Some(present) = person.confirmed() else { return Ok(TaskStep::moot()) };
    let moved =
        |own: &StoredMembership| MovedMembership { membership: own.id, used_at: own.used_at };
    let moved = PersonMove {
        change,
        address_version: AddressVersion(person.address_version.0.saturating_add(1)),
        secret_version: SecretVersion(present.version.0.saturating_add(1)),
        hash: MovedHash::new(present.stored.as_str().to_owned()),
        memberships: person.memberships.iter().map(moved).collect(),
    };
    Ok(TaskStep::Effect(Effect::MovePerson { moved: Box::new(moved) }))
}

/// Returns the writes after the new address has the person, or `is_taken` by another.
pub fn sent(
    sql: &dyn Sql,
    person: Option<Person>,
    change: &AddressChange,
    is_taken: bool,
    now: UnixMs,
) -> Result<Vec<Statement>, ObjectError> {
    let done = Task::own(TaskKind::MovePerson).done();
    // A late report of a change that is over changes nothing.
    if departure(sql, Some(change.id.as_str()), false)?.is_none() {
        return Ok(Vec::new());
    }
    if is_taken {
        let row = Statement::new("DELETE FROM departure WHERE id = ?").bind(change.id.as_str());
        return Ok(vec![row, done]);
    }
    // Before the person ends, which schedules the same task for later.
    let mut writes = vec![Task::new(TaskKind::SettleMove, change.id).schedule(now)];
    if let Some(person) = person {
        if let Ok(old) = Email::parse(&person.name) {
            writes.extend(news(change, &old, true, now)?);
        }
        writes.extend(person.end(now));
    }
    Ok(writes)
}

/// Reports to the new address that this one has let the person go.
pub fn settle(sql: &dyn Sql, task: &Task) -> Result<TaskStep, SqlError> {
    let change = departure(sql, Some(&task.subject), true)?;
    Ok(change.map_or(TaskStep::moot(), |change| {
        TaskStep::Effect(Effect::SettleMove { change: Box::new(change) })
    }))
}

/// Returns the writes after the new address has that report.
pub fn has_settled(id: TokenId) -> Vec<Statement> {
    let row = Statement::new("DELETE FROM departure WHERE id = ? AND has_left = 1");
    vec![row.bind(id.as_str()), Task::new(TaskKind::SettleMove, id).done()]
}

/// Loads the ID of the last arrival, and `true` if it is settled.
fn arrival(sql: &dyn Sql) -> Result<Option<(TokenId, bool)>, SqlError> {
    let row = sql.first(&Statement::new("SELECT id, is_settled FROM arrival"))?;
    row.map(|mut row| Ok((row.parsed("a token ID", TokenId::parse)?, row.integer()? == 1)))
        .transpose()
}

/// Receives a person at the new address.
pub fn receive(
    sql: &dyn Sql,
    person: Option<&Person>,
    moved: &PersonMove,
    now: UnixMs,
) -> Result<NameReply, SqlError> {
    let PersonMove { change, address_version, secret_version, hash, memberships } = moved;
    if person.is_some() {
        let is_same = arrival(sql)?.is_some_and(|(id, _)| id == change.id);
        return Ok(if is_same { NameReply::Received } else { NameReply::Taken });
    }
    migrate(sql, MIGRATIONS, now)?;
    let claim = "INSERT INTO claim (one, account, member, name, claimed_at_ms, address_version)
        VALUES (1, ?, ?, ?, ?, ?)";
    let password = "INSERT INTO password (version, hash, confirmed) VALUES (?, ?, 1)";
    let arrived =
        "INSERT OR REPLACE INTO arrival (one, id, address, is_settled) VALUES (1, ?, ?, 0)";
    let mut writes = vec![
        bound(claim, change.by).bind(change.to.as_str()).bind(now).bind(address_version.0),
        Statement::new(password).bind(secret_version.0).bind(hash.as_str()),
        Statement::new(arrived).bind(change.id.as_str()).bind(change.address.as_deref()),
        mailbox::end(subject(change.by)),
    ];
    writes.extend(memberships.iter().map(|MovedMembership { membership, used_at }| {
        let text = "INSERT INTO membership (account, member, confirmed, version, told, used_at_ms)
            VALUES (?, ?, 1, ?, 0, ?)";
        bound(text, *membership).bind(secret_version.0).bind(*used_at)
    }));
    // The news goes out even if the old address never reports. That is so if the last membership
    // ended there: the ledgers then hold none of them, and the person ends here, too.
    let later = now.saturating_add(DurationMs::from_ms(PENDING_MS));
    writes.extend(memberships.iter().map(|own| address_task(own.membership).schedule(later)));
    sql.apply(&writes)?;
    Ok(NameReply::Received)
}

/// Settles a person who has arrived, and schedules the news to every ledger.
pub fn settled(
    sql: &dyn Sql,
    person: Option<&Person>,
    change: &AddressChange,
    now: UnixMs,
) -> Result<NameReply, SqlError> {
    let is_open = arrival(sql)?.is_some_and(|(id, is_settled)| id == change.id && !is_settled);
    if let Some(person) = person.filter(|_| is_open) {
        let mut writes = vec![Statement::new("UPDATE arrival SET is_settled = 1")];
        writes.extend(news(change, &change.to, false, now)?);
        writes.extend(person.memberships.iter().map(|own| address_task(own.id).reschedule(now)));
        sql.apply(&writes)?;
    }
    Ok(NameReply::Received)
}

/// Returns the state of a move, as this object knows it.
pub fn show(person: Option<&Person>, by: Membership) -> MoveState {
    let Some(person) = person.filter(|person| person.find(by).is_some()) else {
        return MoveState::Nothing;
    };
    match person.confirmed() {
        Some(present) if !person.is_moving() => MoveState::Arrived {
            secret_version: present.version,
            address_version: person.address_version,
            accounts: person.accounts(),
        },
        _ => MoveState::UnderWay,
    }
}

/// Tells a ledger the person's new address.
pub fn tell(sql: &dyn Sql, person: &Person, own: &StoredMembership) -> Result<TaskStep, SqlError> {
    let (Some(present), Ok(email)) = (person.confirmed(), Email::parse(&person.name)) else {
        return Ok(TaskStep::moot());
    };
    if own.address_told >= person.address_version {
        return Ok(TaskStep::moot());
    }
    let from = sql.first(&Statement::new("SELECT address FROM arrival"))?;
    let address = from.map_or(Ok(None), |mut row| row.optional_text())?;
    let news = AddressNews {
        member: own.id.member,
        email,
        address_version: person.address_version,
        secret_version: present.version,
        address,
    };
    Ok(TaskStep::Effect(Effect::TellAddress { account: own.id.account, news }))
}

/// Returns the writes after a ledger knows the new address, or does not hold the member.
pub fn told(
    person: &Person,
    own: &StoredMembership,
    news: &AddressNews,
    holds: bool,
    now: UnixMs,
) -> Vec<Statement> {
    if !holds {
        return person.without(own.id, now);
    }
    let present = person.confirmed();
    // A password that was changed since the person arrived is other news, with a mail.
    let is_changed = present.is_some_and(|present| present.change.is_some());
    let told = if is_changed { SecretVersion::default() } else { news.secret_version };
    let text = "UPDATE membership SET address_told = max(address_told, ?), told = max(told, ?)
        WHERE account = ? AND member = ?";
    let row = Statement::new(text).bind(news.address_version.0).bind(told.0);
    let row = row.bind(own.id.account.as_str()).bind(own.id.member.as_str());
    let mut writes = vec![row, address_task(own.id).done()];
    if is_changed {
        writes.push(tell_task(own.id).reschedule(now));
    }
    writes
}

/// Returns the subject of the mailbox code that proves a new address.
pub fn subject(by: Membership) -> MailboxSubject {
    let Membership { account, member } = by;
    MailboxSubject { purpose: MailboxPurpose::Change, account, member }
}

/// Returns the writes that mail the news of a change to one of the two addresses.
fn news(
    change: &AddressChange,
    to: &Email,
    is_old: bool,
    now: UnixMs,
) -> Result<[Statement; 3], SqlError> {
    let kind = if is_old { "address-left" } else { "address-taken" };
    let envelope = Envelope {
        id: format!("{kind}/{}/{}", change.by.account, change.id),
        account: change.by.account,
        to: to.clone(),
        language: change.language,
        written_at: change.at,
        letter: Letter::AddressChanged {
            is_old,
            address: change.address.clone(),
            at: change.at,
            zone: change.zone.clone(),
        },
        sealed: None,
    };
    mail::post(&envelope, now.saturating_add(mail::NEWS_USEFUL), now)
}
