//! Mailed codes as proofs of identity.
//!
//! A code belongs to one session. Another mail of the same session ends the code before. A try is
//! counted in the run that compares it, together with the refused codes of second factors.

use claviger_core::base::id::TokenId;
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;

use super::context::CommandContext;
use super::deletion::{CODE_LIFE, codes_spent};
use super::factor_commands::{desk, proven, refusal};
use super::factors::{self, CheckedFactor, FactorMatch};
use super::mailbox;
use crate::ledger::plan::Plan;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::deletion::NewCode;
use crate::protocol::envelope::{Envelope, Letter};
use crate::protocol::identity::{MailedCode, NewSession};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::proof::{DemandedProof, ProofMethod};
use crate::protocol::refusal::Refusal;

/// Most refused tries of one code.
pub const TRIES_MAX: u32 = 5;

/// A row of the table `proof_code`.
struct ProofCode {
    mac: Digest,
    mails: u32,
    expires: UnixMs,
    tries: u32,
}

impl ProofCode {
    fn load(sql: &dyn Sql, session: TokenId) -> Result<Option<Self>, SqlError> {
        let text = "SELECT mac, mails, expires_ms, tries FROM proof_code WHERE session = ?";
        let read = |mut row: Row| {
            Ok(Self {
                mac: Digest::from_bytes(row.bytes()?),
                mails: row.count()?,
                expires: row.time()?,
                tries: row.count()?,
            })
        };
        sql.first(&Statement::new(text).bind(session.as_str()))?.map(read).transpose()
    }

    fn is_over(&self, now: UnixMs) -> bool {
        self.tries >= TRIES_MAX || now >= self.expires
    }
}

/// Returns the ID of the message with the code number `mails` of the session.
fn mail_id(context: &CommandContext<'_>, mails: u32) -> String {
    format!("proof-code/{}/{}/{mails}", context.account.id, context.session.id())
}

/// Refuses unless a mailed code would prove something: some class demands one, and the member has
/// no second factor, which would take its place.
fn check(context: &CommandContext<'_>) -> Result<(), Refusal> {
    let demand = DemandedProof::EmailCode;
    if context.session.with_factor() {
        return Err(Refusal::ProofRequired { methods: demand.methods(true).to_vec() });
    }
    if !context.account.policy.proofs.demands().contains(&demand) {
        return Err(Refusal::StepUpRequired);
    }
    Ok(())
}

/// Mails a code to the member.
pub(super) fn mail(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    code: NewCode,
) -> Result<Plan, SqlError> {
    if let Err(refusal) = check(context) {
        return Ok(Plan::refuse(refusal));
    }
    let (now, id) = (context.now, context.session.id());
    let member = &context.session.member.view;
    if let Some(until) = codes_spent(sql, member.id, now)? {
        return Ok(Plan::refuse(Refusal::TooManyCodes { until }));
    }
    if let Some(until) = factors::refused_until(sql, member.id, now)? {
        return Ok(Plan::refuse(Refusal::TooManyFactorTries { until }));
    }
    let mut writes = vec![Statement::new("DELETE FROM proof_code WHERE expires_ms <= ?").bind(now)];
    let before = ProofCode::load(sql, id)?.map_or(0, |code| code.mails);
    if before > 0 {
        writes.extend(mailbox::supersede(&mail_id(context, before)));
    }
    let (mails, expires) = (before.saturating_add(1), now.saturating_add(CODE_LIFE));
    let text =
        "INSERT INTO proof_code (session, mac, mails, expires_ms, tries) VALUES (?, ?, ?, ?, 0)
        ON CONFLICT (session) DO UPDATE SET mac = excluded.mac, mails = excluded.mails,
            expires_ms = excluded.expires_ms, tries = 0";
    writes.push(
        Statement::new(text)
            .bind(id.as_str())
            .bind(code.mac.as_bytes().as_slice())
            .bind(mails)
            .bind(expires),
    );
    let letter = Letter::ProofCode {
        session: id,
        account: context.account.name.clone(),
        until: expires,
        address: context.address.map(str::to_owned),
        zone: context.account.zone.clone(),
    };
    let envelope = Envelope {
        id: mail_id(context, mails),
        account: context.account.id,
        to: member.email.clone(),
        language: member.language,
        written_at: now,
        letter,
        sealed: Some(code.sealed),
    };
    writes.extend(mailbox::post(&envelope, member.id, expires, now)?);
    let reply = LedgerReply::CodeMailed(MailedCode { sent_to: member.email.clone(), expires });
    Ok(Plan { writes, reply })
}

/// Records a fresh proof of identity by a mailed code. `new` replaces the session: a copy of its
/// cookie then proves nothing.
pub(super) fn prove(
    sql: &dyn Sql,
    context: &mut CommandContext<'_>,
    mac: Digest,
    new: &NewSession,
) -> Result<Plan, SqlError> {
    if let Err(refusal) = check(context) {
        return Ok(Plan::refuse(refusal));
    }
    let (now, id) = (context.now, context.session.id());
    let Some(code) = ProofCode::load(sql, id)?.filter(|code| !code.is_over(now)) else {
        return Ok(Plan::refuse(Refusal::CodeOver));
    };
    let end = || {
        let end = Statement::new("DELETE FROM proof_code WHERE session = ?").bind(id.as_str());
        let mut writes = vec![end];
        writes.extend(mailbox::supersede(&mail_id(context, code.mails)));
        writes
    };
    // `Digest` compares in constant time.
    let compare = || {
        Ok(if code.mac == mac { FactorMatch::Right(end()) } else { FactorMatch::Wrong(Vec::new()) })
    };
    let (member, method) = (context.session.member_id(), ProofMethod::EmailCode);
    Ok(match desk(sql, context).counted(member, method, compare)? {
        CheckedFactor::Accepted { method, writes } => proven(context, method, writes, new),
        CheckedFactor::Refused { tries_left, mut writes } => {
            let tries = code.tries.saturating_add(1);
            let count = Statement::new("UPDATE proof_code SET tries = ? WHERE session = ?");
            writes.push(count.bind(tries).bind(id.as_str()));
            let tries_left = tries_left.min(TRIES_MAX.saturating_sub(tries));
            refusal(CheckedFactor::Refused { tries_left, writes })
        }
        exhausted => refusal(exhausted),
    })
}
