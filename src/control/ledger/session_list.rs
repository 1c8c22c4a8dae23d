//! The list of a member's sessions, and the commands that end them.

use claviger_core::base::id::{MemberId, TokenId};
use serde_json::json;

use super::audit::Action;
use super::challenge;
use super::context::CommandContext;
use super::sessions::{self, IDLE, LIFE};
use crate::ledger::plan::Plan;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::identity::SessionEntry;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::member::Role;
use crate::protocol::refusal::Refusal;

/// Lists the sessions of the member that have not ended, the latest first.
pub(super) fn list(sql: &dyn Sql, context: &CommandContext<'_>) -> Result<Plan, SqlError> {
    let text =
        "SELECT id, agent, address, ifnull(last_address, address), created_at_ms, seen_at_ms FROM session
        WHERE member = ? AND created_at_ms > ? AND seen_at_ms > ? ORDER BY created_at_ms DESC, id";
    let living = Statement::new(text)
        .bind(context.session.member_id().as_str())
        .bind(context.now.saturating_sub(LIFE))
        .bind(context.now.saturating_sub(IDLE));
    let sessions = sql.read_all(&living, |mut row| {
        let id = row.parsed("a token ID", TokenId::parse)?;
        Ok(SessionEntry {
            id,
            current: id == context.session.id(),
            agent: row.optional_text()?,
            address: row.optional_text()?,
            last_address: row.optional_text()?,
            created_at: row.time()?,
            seen_at: row.time()?,
        })
    })?;
    Ok(Plan::read(LedgerReply::Sessions { sessions }))
}

/// Ends a session of the member, or, for an owner, of any member. Of another member's session, no
/// other role learns that it exists.
pub(super) fn end(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    id: TokenId,
) -> Result<Plan, SqlError> {
    let row = Statement::new("SELECT member FROM session WHERE id = ?").bind(id.as_str());
    let member = sql.first(&row)?.map(|mut row| row.parsed("a member ID", MemberId::parse));
    let own = context.session.member_id();
    let may_end =
        |member: &MemberId| *member == own || context.session.member.view.role == Role::Owner;
    let Some(member) = member.transpose()?.filter(may_end) else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    let done = match member == own {
        true => context.author().did(Action::EndSession),
        false => {
            let details = json!({ "member": member }).to_string();
            context.author().did_about(Action::EndSession, details)
        }
    };
    Ok(Plan { writes: vec![sessions::end(id), done], reply: LedgerReply::Done })
}

/// Ends all sessions of the member but the present one.
pub(super) fn end_others(context: &CommandContext<'_>) -> Plan {
    let writes = vec![
        sessions::end_all(context.session.member_id(), Some(context.session.id())),
        challenge::end_all(context.session.member_id()),
        context.author().did(Action::EndOtherSessions),
    ];
    Plan { writes, reply: LedgerReply::Done }
}
