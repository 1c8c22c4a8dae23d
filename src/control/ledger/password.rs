//! The version of a member's password. The name object is the authority on it, and the member's row
//! follows: when a member proves a higher version, or when the name object reports a change.
//! Following ends the member's sessions, which began with a lower version.

use claviger_core::base::id::TokenId;
use claviger_core::base::time::UnixMs;

use super::account::Account;
use super::audit::{Action, Author};
use super::challenge;
use super::mailbox;
use super::member::Member;
use super::sessions;
use crate::ledger::plan::Plan;
use crate::objects::sql::{Sql, SqlError, Statement};
use crate::protocol::activity::Actor;
use crate::protocol::envelope::{Envelope, Letter};
use crate::protocol::identity::{PasswordNews, ResetMail};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::member::SecretVersion;
use crate::protocol::refusal::Refusal;

/// A password that the name object has verified.
#[derive(Clone, Copy, Debug)]
pub(super) struct VerifiedPassword {
    /// Version of the password.
    pub version: SecretVersion,
    /// `true` if it is the person's confirmed one. A staged one must have the version of the row:
    /// it may belong to an attempt that this ledger refused.
    pub confirmed: bool,
}

/// Returns the member after a verified password, and the writes by which their row follows it. All
/// their sessions end but `kept`. `None` if the password is not the member's present one.
pub(super) fn follow(
    mut member: Member,
    password: VerifiedPassword,
    kept: Option<TokenId>,
    author: Author<'_>,
) -> Option<(Member, Vec<Statement>)> {
    if member.secret_version == password.version {
        return Some((member, Vec::new()));
    }
    if !password.confirmed || password.version < member.secret_version {
        return None;
    }
    member.secret_version = password.version;
    let writes = vec![
        member.store_secret_version(),
        sessions::end_all(member.view.id, kept),
        challenge::end_all(member.view.id),
        author.did(Action::ChangePassword),
    ];
    Some((member, writes))
}

/// Follows a change that the name object reports, and mails the member. A repeated report finds
/// the row and the mail, and changes nothing.
pub(super) fn changed(
    sql: &dyn Sql,
    account: &Account,
    news: PasswordNews,
    now: UnixMs,
) -> Result<Plan, SqlError> {
    let PasswordNews { member, email, secret_version, at, address, is_reset, mails } = news;
    let member = Member::load(sql, member)?.filter(|member| member.view.email == email);
    let Some(member) = member else { return Ok(Plan::refuse(Refusal::NotFound)) };
    let author = Author { actor: Actor::Member(member.view.id), address: address.as_deref(), now };
    let password = VerifiedPassword { version: secret_version, confirmed: true };
    let Some((member, mut writes)) = follow(member, password, None, author) else {
        // Of a change before the last one.
        return Ok(Plan::read(LedgerReply::Done));
    };
    let id = format!("password-changed/{}/{}/{}", account.id, member.view.id, secret_version.0);
    if mails && mailbox::state(sql, &id)?.is_none() {
        let letter = Letter::PasswordChanged {
            is_reset,
            address: address.clone(),
            at,
            zone: account.zone.clone(),
        };
        // `follow` has kept the address, which is the one in the report.
        writes.extend(mailbox::notice(account, &member.view, id, letter, now)?);
    }
    Ok(Plan { writes, reply: LedgerReply::Done })
}

/// Mails the code of a password reset.
pub(super) fn mail_reset(
    sql: &dyn Sql,
    account: &Account,
    mail: ResetMail,
    now: UnixMs,
) -> Result<Plan, SqlError> {
    let ResetMail { member, email, reset, until, address, sealed } = mail;
    let member = Member::load(sql, member)?.filter(|member| member.view.email == email);
    let Some(member) = member else { return Ok(Plan::refuse(Refusal::NotFound)) };
    let id = format!("reset-code/{}/{}/{reset}", account.id, member.view.id);
    if mailbox::state(sql, &id)?.is_some() {
        return Ok(Plan::read(LedgerReply::Done));
    }
    let envelope = Envelope {
        id,
        account: account.id,
        to: email,
        language: member.view.language,
        written_at: now,
        letter: Letter::ResetCode { reset, until, address, zone: account.zone.clone() },
        sealed: Some(sealed),
    };
    let writes = Vec::from(mailbox::post(&envelope, member.view.id, until, now)?);
    Ok(Plan { writes, reply: LedgerReply::Done })
}
