//! The address of a member. The name object is the authority on it, and the member's row follows to
//! a higher version: when the person signs in, or when the name object reports a change. Following
//! ends the member's sessions and challenges.

use serde_json::json;

use claviger_core::base::time::UnixMs;

use super::account::Account;
use super::audit::{Action, Author};
use super::member::Member;
use super::password::VerifiedPassword;
use super::{challenge, invitations, notice_list, password, sessions};
use crate::ledger::plan::Plan;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::account::Email;
use crate::protocol::activity::Actor;
use crate::protocol::envelope::Letter;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::mailbox::AddressNews;
use crate::protocol::member::{AddressVersion, SecretVersion};
use crate::protocol::refusal::Refusal;

/// Returns the member after their name object has named this address, and the writes by which the
/// row follows it. `None` if the member has another address of this or a later version, or if
/// another row has the address.
pub(super) fn follow(
    sql: &dyn Sql,
    account: &Account,
    mut member: Member,
    (email, version): (&Email, AddressVersion),
    author: Author<'_>,
) -> Result<Option<(Member, Vec<Statement>)>, SqlError> {
    if member.view.email == *email {
        return Ok(Some((member, Vec::new())));
    }
    if version <= version_of(sql, &member)? {
        return Ok(None);
    }
    // Only a restored ledger has one: its name object does not know that member.
    let other = Statement::new("SELECT count(*) FROM member WHERE email = ?").bind(email.as_str());
    if sql.integer(&other)? > 0 {
        return Ok(None);
    }
    let was = json!({ "email": member.view.email }).to_string();
    let is = json!({ "email": email }).to_string();
    let text = "UPDATE member SET email = ?, address_version = ? WHERE id = ?";
    let row = Statement::new(text).bind(email.as_str()).bind(version.0);
    let mut writes = vec![
        row.bind(member.view.id.as_str()),
        sessions::end_all(member.view.id, None),
        challenge::end_all(member.view.id),
        author.changed_to(Action::ChangeAddress, was, is),
    ];
    // The name object mails it, to both addresses.
    let letter = Letter::AddressChanged {
        is_old: false,
        address: author.address.map(str::to_owned),
        at: author.now,
        zone: account.zone.clone(),
    };
    writes.extend(notice_list::add(member.view.id, &letter, author.now)?);
    writes.extend(invitations::end_to(sql, account, email)?);
    member.view.email = email.clone();
    Ok(Some((member, writes)))
}

/// Returns the member whose person has signed in with this address and password, and the writes by
/// which the row follows both. `None` if one of them is not the member's.
pub(super) fn sign_in(
    sql: &dyn Sql,
    account: &Account,
    member: Member,
    (named, password): ((&Email, AddressVersion), VerifiedPassword),
    author: Author<'_>,
) -> Result<Option<(Member, Vec<Statement>)>, SqlError> {
    let Some((mut member, mut writes)) = follow(sql, account, member, named, author)? else {
        return Ok(None);
    };
    if !writes.is_empty() && password.confirmed {
        let (raised, write) = with_version(member, password.version);
        writes.extend(write);
        member = raised;
    }
    Ok(password::follow(member, password, None, author).map(|(member, more)| {
        writes.extend(more);
        (member, writes)
    }))
}

/// Follows a change that the name object reports. A repeated report changes nothing.
pub(super) fn changed(
    sql: &dyn Sql,
    account: &Account,
    news: &AddressNews,
    now: UnixMs,
) -> Result<Plan, SqlError> {
    let Some(member) = Member::load(sql, news.member)? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    let is_news = news.address_version > version_of(sql, &member)?;
    let author =
        Author { actor: Actor::Member(member.view.id), address: news.address.as_deref(), now };
    let named = (&news.email, news.address_version);
    let Some((member, mut writes)) = follow(sql, account, member, named, author)? else {
        // An earlier change, or an address that another row has: the name object tries again.
        let reply =
            if is_news { LedgerReply::Refused(Refusal::IdTaken) } else { LedgerReply::Done };
        return Ok(Plan::read(reply));
    };
    writes.extend(with_version(member, news.secret_version).1);
    Ok(Plan { writes, reply: LedgerReply::Done })
}

/// Returns the member with the version of the password after a change of address, and the write
/// that stores it. The password itself is the one of before.
pub(super) fn with_version(
    mut member: Member,
    version: SecretVersion,
) -> (Member, Option<Statement>) {
    let rises = version > member.secret_version;
    member.secret_version = member.secret_version.max(version);
    let write = rises.then(|| member.store_secret_version());
    (member, write)
}

/// Returns `true` if the member has this address, or will follow to it.
pub(super) fn is_of(
    sql: &dyn Sql,
    member: &Member,
    (email, version): (&Email, AddressVersion),
) -> Result<bool, SqlError> {
    Ok(member.view.email == *email || version > version_of(sql, member)?)
}

fn version_of(sql: &dyn Sql, member: &Member) -> Result<AddressVersion, SqlError> {
    let text = "SELECT address_version FROM member WHERE id = ?";
    let row = sql.first(&Statement::new(text).bind(member.view.id.as_str()))?;
    Ok(AddressVersion(row.map_or(Ok(0), |mut row| row.count())?))
}
