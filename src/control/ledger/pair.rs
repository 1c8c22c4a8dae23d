//! The key pair of a member, under a policy of one pair for each: what the member has, or what is
//! missing for one.

use claviger_core::base::id::KeyId;

use super::context::{ActContext, CommandContext};
use super::key::Key;
use super::member::Member;
use super::policy::IS_OF_NO_SUCCESSOR;
use super::{factors, mailbox, notices};
use crate::ledger::plan::Plan;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::envelope::Letter;
use crate::protocol::keys::KeyName;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::member::Role;
use crate::protocol::pair::{PairRequirement, PairView};
use crate::protocol::policy::KeysPerMember;
use crate::protocol::refusal::Refusal;

/// Returns the member's pair. Under any other policy there are no pairs.
pub(super) fn show(sql: &dyn Sql, context: &CommandContext<'_>) -> Result<Plan, SqlError> {
    let policy = &context.account.policy;
    if policy.keys_per_member != KeysPerMember::One {
        return Ok(Plan::refuse(Refusal::NotFound));
    }
    let member = &context.session.member;
    let missing = match member.view.role {
        Role::Viewer => Some(PairRequirement::Permission),
        Role::Owner | Role::Admin
            if policy.demands_mfa && !factors::has_second_factor(sql, member.view.id)? =>
        {
            Some(PairRequirement::SecondFactor)
        }
        Role::Owner | Role::Admin => None,
    };
    let owners = Member::owners(sql)?.into_iter().map(|owner| owner.view.name).collect();
    Ok(Plan::read(LedgerReply::Pair(PairView {
        key: newest(sql, context)?.map(|key| key.view(context.account)),
        missing,
        owners,
        expires: policy.default_end(context.now, &context.account.zone),
    })))
}

/// Returns the newest key of the member. A member may hold several from before the policy.
fn newest(sql: &dyn Sql, context: &CommandContext<'_>) -> Result<Option<Key>, SqlError> {
    let text = format!(
        "SELECT id FROM key INDEXED BY key_of_member
        WHERE created_by = ? AND issued_by IS NULL AND deleted_at_ms IS NULL AND {IS_OF_NO_SUCCESSOR}
        ORDER BY created_at_ms DESC, id LIMIT 1"
    );
    let row = sql.first(&Statement::new(text).bind(context.session.member_id().as_str()))?;
    match row {
        Some(mut row) => Key::load(sql, row.parsed("a key ID", KeyId::parse)?),
        None => Ok(None),
    }
}

/// Returns the writes that mail a confirmation to the member who issues or regenerates a key, if
/// the policy demands one. Otherwise the key is in the next notices.
pub(super) fn confirm(context: ActContext<'_>, key: &Key) -> Result<Vec<Statement>, SqlError> {
    let account = context.account;
    let name = KeyName { id: key.id, name: key.name.clone() };
    if !account.policy.mail_on_generation {
        return Ok(Vec::from(notices::issued(context, name)));
    }
    let letter = Letter::KeyGenerated {
        account: account.name.clone(),
        key: name,
        expires: key.limits.expires.at(),
        address: context.address.map(str::to_owned),
        at: context.now,
        zone: account.zone.clone(),
    };
    let id = format!("key-generated/{}/{}", account.id, key.id);
    let to = &context.member.view;
    mailbox::notice(account, to, id, letter, context.now)
}
