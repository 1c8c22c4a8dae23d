//! Commands about second factors: turning them on and off, and recovery codes.
//!
//! Turning an app on takes two steps: the seed is stored, and a code of it confirms that the member
//! has it. A seed that no code confirms in time counts for nothing. The confirmation ends the
//! member's other sessions, which a password alone may have opened.

use claviger_core::base::id::MemberId;
use claviger_core::base::secret::SecretText;
use claviger_core::replication::record::Revision;
use serde_json::json;

use super::audit::Action;
use super::context::CommandContext;
use super::factors::{self, CheckedFactor, FactorDesk, FactorMatch, TotpRow};
use super::member::Member;
use super::{challenge, mfa, sessions};
use crate::ledger::plan::Plan;
use crate::objects::sql::{Sql, SqlError, Statement};
use crate::protocol::envelope::FactorChange;
use crate::protocol::factors::{FactorsCommand, FactorsView, KeysConcerned, TypedFactor};
use crate::protocol::identity::NewSession;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::proof::ProofMethod;
use crate::protocol::recovery::{CODES, NewRecoveryCodes};
use crate::protocol::refusal::Refusal;

/// Executes a command; the caller has checked the member's rights.
pub(super) fn execute(
    sql: &dyn Sql,
    context: &mut CommandContext<'_>,
    command: FactorsCommand,
) -> Result<Plan, SqlError> {
    let member = context.session.member_id();
    match command {
        FactorsCommand::Show => {
            let view = factors::view(sql, member, context.now)?;
            Ok(Plan::read(LedgerReply::Factors(view)))
        }
        FactorsCommand::BeginTotp { .. } if context.session.factor_kinds().totp => {
            Ok(Plan::refuse(Refusal::FactorIsOn))
        }
        FactorsCommand::BeginTotp { sealed } => {
            let pending_until = Some(context.now.saturating_add(factors::PENDING));
            Ok(Plan {
                writes: vec![factors::begin(member, &sealed, context.now)],
                reply: LedgerReply::Factors(FactorsView {
                    pending_until,
                    ..FactorsView::default()
                }),
            })
        }
        FactorsCommand::ConfirmTotp { code, recovery } => confirm(sql, context, &code, &recovery),
        FactorsCommand::TurnOffTotp => turn_off_app(sql, context),
        FactorsCommand::RenewRecoveryCodes { recovery } => renew(sql, context, &recovery),
        FactorsCommand::Reset { member: wanted } if wanted == member => {
            turn_off(sql, context, None)
        }
        FactorsCommand::Reset { member } => reset(sql, context, member),
    }
}

/// Records a fresh proof of identity by a second factor. `new` replaces the session: a copy of its
/// cookie then proves nothing.
pub(super) fn prove(
    sql: &dyn Sql,
    context: &mut CommandContext<'_>,
    typed: &TypedFactor,
    new: &NewSession,
) -> Result<Plan, SqlError> {
    if !context.session.with_factor() {
        return Ok(Plan::refuse(Refusal::NoFactor));
    }
    let member = context.session.member.clone();
    Ok(match desk(sql, context).check(&member, typed)? {
        CheckedFactor::Accepted { method, writes } => proven(context, method, writes, new),
        refused => refusal(refused),
    })
}

/// Returns the plan of a proof that was accepted; `writes` use it up. `new` replaces the session.
pub(super) fn proven(
    context: &mut CommandContext<'_>,
    method: ProofMethod,
    mut writes: Vec<Statement>,
    new: &NewSession,
) -> Plan {
    writes.push(context.session.prove(method, context.now));
    writes.extend(context.session.replace(new));
    let details = json!({ "method": method }).to_string();
    writes.push(context.author().did_about(Action::StepUp, details));
    let view = context.session.view(context.account, context.now);
    Plan { writes, reply: LedgerReply::Session(view) }
}

fn confirm(
    sql: &dyn Sql,
    context: &mut CommandContext<'_>,
    code: &SecretText,
    recovery: &NewRecoveryCodes,
) -> Result<Plan, SqlError> {
    let kinds = context.session.factor_kinds();
    if kinds.totp {
        return Ok(Plan::refuse(Refusal::FactorIsOn));
    }
    if recovery.macs.len() != CODES {
        return Ok(Plan::refuse(Refusal::NotUnderstood));
    }
    let (now, member) = (context.now, context.session.member.clone());
    let id = member.view.id;
    let pending = TotpRow::load(sql, id)?.filter(|row| row.pending_until(now).is_some());
    let Some(row) = pending else { return Ok(Plan::refuse(Refusal::NoFactor)) };
    let first = || {
        let step = row.step_of(&desk(sql, context), id, code);
        Ok(FactorMatch::of(step.map(|step| vec![factors::confirm(id, step, now)])))
    };
    let mut writes = match desk(sql, context).counted(id, ProofMethod::Totp, first)? {
        CheckedFactor::Accepted { writes, .. } => writes,
        refused => return Ok(refusal(refused)),
    };
    if kinds.passkey {
        let view = factors::view(sql, id, now)?;
        let (added, left) = (FactorChange::AppAdded, view.recovery_codes_left);
        writes.extend(desk(sql, context).news(&member, added, None, None, left)?);
        writes.push(context.author().did(Action::AddApp));
        let view = FactorsView { totp_since: Some(now), pending_until: None, ..view };
        return Ok(Plan { writes, reply: LedgerReply::Factors(view) });
    }
    writes.extend(factors::store_codes(id, recovery));
    writes.push(context.session.prove(ProofMethod::Totp, now));
    writes.push(sessions::end_all(id, Some(context.session.id())));
    writes.extend(desk(sql, context).news(
        &member,
        FactorChange::TurnedOn,
        None,
        None,
        codes_left(),
    )?);
    let (changes, keys) = mfa::record(context.account, id, true, Action::TurnOnFactor, now);
    writes.extend(changes);
    writes.push(context.author().did_in(Action::TurnOnFactor, revision_of(keys), None));
    Ok(Plan {
        writes,
        reply: LedgerReply::Factors(FactorsView {
            totp_since: Some(now),
            pending_until: None,
            recovery_codes_left: codes_left(),
            passkeys: Vec::new(),
            draws_codes: true,
            keys,
        }),
    })
}

/// Turns the app off, and with it MFA, unless passkeys stay.
fn turn_off_app(sql: &dyn Sql, context: &CommandContext<'_>) -> Result<Plan, SqlError> {
    let kinds = context.session.factor_kinds();
    if !kinds.totp {
        return Ok(Plan::refuse(Refusal::NoFactor));
    }
    if !kinds.passkey {
        return turn_off(sql, context, None);
    }
    let member = &context.session.member;
    let view = factors::view(sql, member.view.id, context.now)?;
    let (removed, left) = (FactorChange::AppRemoved, view.recovery_codes_left);
    let mut writes = vec![factors::forget_app(member.view.id)];
    writes.extend(desk(sql, context).news(member, removed, None, None, left)?);
    writes.push(context.author().did(Action::RemoveApp));
    let view = FactorsView { totp_since: None, ..view };
    Ok(Plan { writes, reply: LedgerReply::Factors(view) })
}

/// Turns all factors off. `passkey` is the name of the passkey that was the last one.
pub(super) fn turn_off(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    passkey: Option<&str>,
) -> Result<Plan, SqlError> {
    if !context.session.with_factor() {
        return Ok(Plan::refuse(Refusal::NoFactor));
    }
    let member = &context.session.member;
    let mut writes = Vec::from(factors::forget(member.view.id));
    writes.push(challenge::end_all(member.view.id));
    writes.extend(desk(sql, context).news(member, FactorChange::TurnedOff, passkey, None, 0)?);
    let (account, now) = (context.account, context.now);
    let (changes, keys) = mfa::record(account, member.view.id, false, Action::TurnOffFactor, now);
    writes.extend(changes);
    writes.push(context.author().did_in(Action::TurnOffFactor, revision_of(keys), None));
    Ok(Plan { writes, reply: LedgerReply::Factors(FactorsView { keys, ..FactorsView::default() }) })
}

fn renew(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    recovery: &NewRecoveryCodes,
) -> Result<Plan, SqlError> {
    if !context.session.with_factor() {
        return Ok(Plan::refuse(Refusal::NoFactor));
    }
    if recovery.macs.len() != CODES {
        return Ok(Plan::refuse(Refusal::NotUnderstood));
    }
    let member = &context.session.member;
    let mut writes = factors::store_codes(member.view.id, recovery);
    writes.push(context.author().did(Action::RenewRecoveryCodes));
    let left = codes_left();
    writes.extend(desk(sql, context).news(member, FactorChange::CodesRenewed, None, None, left)?);
    let view = factors::view(sql, member.view.id, context.now)?;
    let reply =
        LedgerReply::Factors(FactorsView { recovery_codes_left: left, draws_codes: true, ..view });
    Ok(Plan { writes, reply })
}

/// Turns off all factors of another member, and ends their sessions: a thief of the lost phone may
/// hold one.
fn reset(sql: &dyn Sql, context: &CommandContext<'_>, member: MemberId) -> Result<Plan, SqlError> {
    let Some(member) = Member::load(sql, member)? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    let id = member.view.id;
    if !factors::has_second_factor(sql, id)? {
        return Ok(Plan::refuse(Refusal::NoFactor));
    }
    let mut writes = Vec::from(factors::forget(id));
    writes.push(sessions::end_all(id, None));
    writes.push(challenge::end_all(id));
    let details = json!({ "member": id, "member_name": member.view.name }).to_string();
    let by = Some(&context.session.member);
    writes.extend(desk(sql, context).news(&member, FactorChange::Reset, None, by, 0)?);
    let (account, now) = (context.account, context.now);
    let (changes, keys) = mfa::record(account, id, false, Action::ResetFactors, now);
    writes.extend(changes);
    writes.push(context.author().did_in(Action::ResetFactors, revision_of(keys), Some(details)));
    Ok(Plan { writes, reply: LedgerReply::Factors(FactorsView { keys, ..FactorsView::default() }) })
}

/// Returns the revision of a change of the account state, if it is one.
pub(super) fn revision_of(keys: Option<KeysConcerned>) -> Option<Revision> {
    keys.map(|keys| keys.revision)
}

/// Returns the plan of a code that was not accepted.
pub(super) fn refusal(checked: CheckedFactor) -> Plan {
    let (writes, refusal) = match checked {
        CheckedFactor::Refused { tries_left, writes } => {
            (writes, Refusal::FactorRefused { tries_left })
        }
        CheckedFactor::Exhausted { until } => (Vec::new(), Refusal::TooManyFactorTries { until }),
        CheckedFactor::Accepted { .. } => (Vec::new(), Refusal::NotUnderstood),
    };
    Plan { writes, reply: LedgerReply::Refused(refusal) }
}

pub(super) fn desk<'a>(sql: &'a dyn Sql, context: &'a CommandContext<'_>) -> FactorDesk<'a> {
    FactorDesk { sql, account: context.account, master: context.master, author: context.author() }
}

pub(super) fn codes_left() -> u32 {
    CODES.try_into().unwrap_or(u32::MAX)
}
