//! Shows a viewable key's secret again.

use claviger_core::base::id::KeyId;

use super::audit::Action;
use super::context::CommandContext;
use super::factors;
use super::key::{Key, kept};
use super::policy::KeyAct;
use crate::ledger::plan::Plan;
use crate::objects::sql::{Sql, SqlError};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// Returns the encrypted secret of a key, and records that in the audit trail. The secret carries
/// all rights of the key, so only an owner may see one with reserved permissions.
pub(super) fn plan(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    id: KeyId,
) -> Result<Plan, SqlError> {
    let present = Key::load(sql, id)?.and_then(Key::living);
    let Some(key) = present else { return Ok(Plan::refuse(Refusal::NotFound)) };
    let decision = context.decision();
    let allowed = decision.check_act(&key, KeyAct::Manage);
    if let Err(refusal) = allowed.and_then(|()| decision.check_reserved(&key)) {
        return Ok(Plan::refuse(refusal));
    }
    if !context.account.policy.viewable_allowed {
        return Ok(Plan::refuse(Refusal::ViewingNotAllowed));
    }
    if factors::lacks_demanded(sql, context.account, context.session.member_id())? {
        return Ok(Plan::refuse(Refusal::MfaRequired));
    }
    let Some(sealed) = kept(sql, id)? else { return Ok(Plan::refuse(Refusal::NotViewable)) };
    let writes = vec![context.author().looked(Action::Reveal, &key)];
    Ok(Plan { writes, reply: LedgerReply::Revealed { sealed } })
}
