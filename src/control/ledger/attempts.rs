//! Refused attempts at secrets, in the audit trail.
//!
//! The name object counts attempts at a member's password and codes, and reports them by powers of
//! ten ([`crate::protocol::attempts`]). So a flood writes few rows. A repeated report finds its
//! row.

use claviger_core::base::time::UnixMs;
use serde_json::json;

use super::audit::{Action, Author};
use super::member::Member;
use crate::ledger::plan::Plan;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::activity::Actor;
use crate::protocol::attempts::{AttemptKind, AttemptsNews, RefusedAttempts};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// Most reports of one request; a name object sends no more.
const REPORTS_MAX: usize = 100;

/// Records the attempts that a name object reports.
pub(super) fn reported(sql: &dyn Sql, news: AttemptsNews, now: UnixMs) -> Result<Plan, SqlError> {
    let AttemptsNews { member, email, attempts } = news;
    let member = Member::load(sql, member)?.filter(|member| member.view.email == email);
    let Some(member) = member else { return Ok(Plan::refuse(Refusal::NotFound)) };
    let mut writes = Vec::new();
    for report in attempts.iter().take(REPORTS_MAX) {
        writes.extend(row(sql, Some(&member), report, now)?);
    }
    Ok(Plan { writes, reply: LedgerReply::Done })
}

/// Returns the audit row of a report; `None` if the trail has it already.
pub(super) fn row(
    sql: &dyn Sql,
    member: Option<&Member>,
    report: &RefusedAttempts,
    now: UnixMs,
) -> Result<Option<Statement>, SqlError> {
    let RefusedAttempts { kind, network, count, at } = report;
    let action = match kind {
        AttemptKind::SignIn => Action::RefuseSignIn,
        AttemptKind::StepUp => Action::RefuseStepUp,
        AttemptKind::ResetCode => Action::RefuseResetCode,
        AttemptKind::Service => Action::RefuseService,
    };
    let actor = match (kind, member) {
        // Only a signed-in member can try to prove their identity once more.
        (AttemptKind::StepUp, Some(member)) => Actor::Member(member.view.id),
        _ => Actor::Unproven,
    };
    let mut details = json!({ "attempts": count, "network": network });
    if let (Some(member), Some(details)) = (member, details.as_object_mut()) {
        details.insert("member".to_owned(), json!(member.view.id));
        details.insert("member_name".to_owned(), json!(member.view.name));
    }
    let (details, at) = (details.to_string(), (*at).min(now));
    let text = "SELECT count(*) FROM audit WHERE action = ? AND at_ms = ? AND after = ?";
    let same = Statement::new(text).bind(action.as_str()).bind(at).bind(details.as_str());
    if sql.integer(&same)? > 0 {
        return Ok(None);
    }
    Ok(Some(Author { actor, address: None, now: at }.did_about(action, details)))
}
