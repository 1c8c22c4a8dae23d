//! Commands about passkeys, and signing in by one alone.
//!
//! The first passkey of a member without an app turns MFA on, and the last one that goes turns it
//! off, like the app does ([`super::factor_commands`]).

use claviger_core::base::id::TokenId;
use serde_json::json;

use super::account::Account;
use super::audit::{Action, Author};
use super::context::CommandContext;
use super::factor_commands::{codes_left, desk, revision_of, turn_off};
use super::factors::{self, FactorDesk};
use super::member::Member;
use super::passkeys::{self, PasskeyCheck, PasskeyRow};
use super::sessions::Session;
use super::{mfa, networks, sessions};
use crate::ledger::plan::Plan;
use crate::objects::sql::{Sql, SqlError};
use crate::protocol::activity::Actor;
use crate::protocol::envelope::FactorChange;
use crate::protocol::factors::{FactorsView, PasskeyCommand};
use crate::protocol::ledger::{LedgerReply, PasskeySignIn};
use crate::protocol::master::MasterSecrets;
use crate::protocol::passkey::{NewPasskey, PASSKEYS_MAX};
use crate::protocol::proof::ProofMethod;
use crate::protocol::recovery::{CODES, NewRecoveryCodes};
use crate::protocol::refusal::Refusal;
use claviger_core::base::time::UnixMs;

/// Executes a command; the caller has checked the member's rights.
pub(super) fn execute(
    sql: &dyn Sql,
    context: &mut CommandContext<'_>,
    command: PasskeyCommand,
) -> Result<Plan, SqlError> {
    let member = context.session.member_id();
    let rows = PasskeyRow::of_member(sql, member)?;
    let find = |id: TokenId| rows.iter().find(|row| row.view.id == id);
    match command {
        PasskeyCommand::Begin | PasskeyCommand::Add { .. } if rows.len() >= PASSKEYS_MAX => {
            let max = PASSKEYS_MAX.try_into().unwrap_or(u32::MAX);
            Ok(Plan::refuse(Refusal::TooManyPasskeys { max }))
        }
        PasskeyCommand::Begin => {
            Ok(Plan::read(LedgerReply::Factors(factors::view(sql, member, context.now)?)))
        }
        PasskeyCommand::Add { passkey, recovery } => add(sql, context, &passkey, &recovery),
        PasskeyCommand::Rename { id, name } => match find(id) {
            Some(row) => rename(sql, context, row, &name),
            None => Ok(Plan::refuse(Refusal::NotFound)),
        },
        PasskeyCommand::Remove { id } => match find(id) {
            Some(row) => remove(sql, context, row, rows.len() == 1),
            None => Ok(Plan::refuse(Refusal::NotFound)),
        },
    }
}

fn add(
    sql: &dyn Sql,
    context: &mut CommandContext<'_>,
    passkey: &NewPasskey,
    recovery: &NewRecoveryCodes,
) -> Result<Plan, SqlError> {
    if recovery.macs.len() != CODES {
        return Ok(Plan::refuse(Refusal::NotUnderstood));
    }
    if passkeys::is_known(sql, &passkey.credential)? {
        return Ok(Plan::refuse(Refusal::PasskeyIsKnown));
    }
    if passkeys::is_used_up(sql, &passkey.challenge)? {
        return Ok(Plan::refuse(Refusal::PasskeyChallengeOver));
    }
    let (now, member) = (context.now, context.session.member.clone());
    let id = member.view.id;
    let is_first = !context.session.with_factor();
    let before = factors::view(sql, id, now)?;
    let mut writes = passkeys::insert(id, passkey, now);
    let details = json!({ "passkey": passkey.name }).to_string();
    writes.push(context.author().did_about(Action::AddPasskey, details));
    let mut keys = None;
    let name = Some(passkey.name.as_str());
    let left = if is_first { codes_left() } else { before.recovery_codes_left };
    if is_first {
        writes.extend(factors::store_codes(id, recovery));
        writes.push(context.session.prove(ProofMethod::Passkey, now));
        writes.push(sessions::end_all(id, Some(context.session.id())));
        let on = FactorChange::TurnedOn;
        writes.extend(desk(sql, context).news(&member, on, name, None, left)?);
        let (changes, concerned) =
            mfa::record(context.account, id, true, Action::TurnOnFactor, now);
        writes.extend(changes);
        writes.push(context.author().did_in(Action::TurnOnFactor, revision_of(concerned), None));
        keys = concerned;
    } else {
        let added = FactorChange::PasskeyAdded;
        writes.extend(desk(sql, context).news(&member, added, name, None, left)?);
    }
    let mut view = FactorsView { keys, draws_codes: is_first, recovery_codes_left: left, ..before };
    view.passkeys.push(passkey.view(now));
    Ok(Plan { writes, reply: LedgerReply::Factors(view) })
}

fn rename(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    row: &PasskeyRow,
    name: &str,
) -> Result<Plan, SqlError> {
    let mut view = factors::view(sql, context.session.member_id(), context.now)?;
    if row.view.name == name {
        return Ok(Plan::read(LedgerReply::Factors(view)));
    }
    for passkey in view.passkeys.iter_mut().filter(|passkey| passkey.id == row.view.id) {
        name.clone_into(&mut passkey.name);
    }
    let of = |name: &str| json!({ "passkey": name }).to_string();
    let audit = context.author().changed_to(Action::RenamePasskey, of(&row.view.name), of(name));
    let writes = vec![passkeys::rename(row.view.id, name), audit];
    Ok(Plan { writes, reply: LedgerReply::Factors(view) })
}

/// Removes a passkey. `is_last` is `true` if the member has no other.
fn remove(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    row: &PasskeyRow,
    is_last: bool,
) -> Result<Plan, SqlError> {
    let details = json!({ "passkey": row.view.name }).to_string();
    let audit = context.author().did_about(Action::RemovePasskey, details);
    if is_last && !context.session.factor_kinds().totp {
        let mut plan = turn_off(sql, context, Some(&row.view.name))?;
        plan.writes.push(audit);
        return Ok(plan);
    }
    let member = &context.session.member;
    let mut view = factors::view(sql, member.view.id, context.now)?;
    view.passkeys.retain(|passkey| passkey.id != row.view.id);
    let mut writes = vec![passkeys::remove(row.view.id), audit];
    let (change, left) = (FactorChange::PasskeyRemoved, view.recovery_codes_left);
    let name = Some(row.view.name.as_str());
    writes.extend(desk(sql, context).news(member, change, name, None, left)?);
    Ok(Plan { writes, reply: LedgerReply::Factors(view) })
}

/// Signs a member in by a passkey alone, which proves possession and, by the authenticator's
/// verification, the person. A wrong answer is refused like one for a member who does not exist,
/// and counts by address alone: a signature cannot be guessed, and a stranger must not use up the
/// tries of a member.
pub(super) fn sign_in(
    sql: &dyn Sql,
    account: &Account,
    master: Option<&MasterSecrets>,
    request: PasskeySignIn,
    now: UnixMs,
) -> Result<Plan, SqlError> {
    let PasskeySignIn { member, passkey, session: new, address } = request;
    let refuse = || Plan::refuse(Refusal::SignInRefused);
    let Some(member) = Member::load(sql, member)? else { return Ok(refuse()) };
    let (id, address) = (member.view.id, address.as_deref());
    let author = Author { actor: Actor::Member(id), address, now };
    let mut writes = match passkeys::check(sql, id, &passkey, now)? {
        PasskeyCheck::Right { writes } => writes,
        PasskeyCheck::Wrong => return Ok(refuse()),
        PasskeyCheck::Cloned { name, mut writes } => {
            // The signature is right, so the caller holds the key or a copy of it.
            let desk = FactorDesk { sql, account, master, author };
            writes.extend(desk.note_clone(&member, &name)?);
            return Ok(Plan { writes, reply: LedgerReply::Refused(Refusal::PasskeyCloned) });
        }
    };
    writes.extend(networks::signed_in(sql, account, &member, (new.id, false), address, now)?);
    let (method, kinds) = (ProofMethod::Passkey, factors::kinds(sql, id)?);
    let session = Session::begin(&new, member, address, Some(method), kinds, now);
    writes.extend(session.insert(&new));
    writes.push(author.did_about(Action::SignIn, json!({ "method": method }).to_string()));
    Ok(Plan { writes, reply: LedgerReply::Session(session.view(account, now)) })
}
