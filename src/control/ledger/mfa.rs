//! The demand of MFA: keys of members without MFA are refused.
//!
//! Each record names the member who answers for the key, and the account state lists the members
//! with MFA. So a member who turns MFA off or on changes the account state alone, which every lease
//! has within T, however many keys the member has. Disabling and enabling a key does not change it.
//!
//! Records name members only while the policy demands MFA. In other accounts they stay as edges of
//! an earlier release read them. A change of the demand begins a new epoch, so that every record
//! from before is a miss.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::UnixMs;

use super::account::Account;
use super::audit::{self, Action};
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::factors::KeysConcerned;

/// Returns the members with MFA, in the order of their IDs; none where the policy does not demand
/// MFA. Keys outlive a removed member as they were, so such a member is listed like any other.
pub fn members_on(sql: &dyn Sql, account: &Account) -> Result<Vec<MemberId>, SqlError> {
    if !account.policy.demands_mfa {
        return Ok(Vec::new());
    }
    let on = Statement::new("SELECT id FROM member WHERE mfa = 1 ORDER BY id");
    sql.read_all(&on, |mut row| row.parsed("a member ID", MemberId::parse))
}

/// Records that a member has MFA or not; `action` is what the journal calls it. Under the demand,
/// this changes the account state, and concerns the member's keys.
pub fn record(
    account: &Account,
    member: MemberId,
    is_on: bool,
    action: Action,
    now: UnixMs,
) -> (Vec<Statement>, Option<KeysConcerned>) {
    let text = "UPDATE member SET mfa = ? WHERE id = ?";
    let mut writes = vec![Statement::new(text).bind(is_on).bind(member.as_str())];
    if !account.policy.demands_mfa {
        return (writes, None);
    }
    let (changes, keys) = change_state(account, !is_on, action, now);
    writes.extend(changes);
    (writes, Some(keys))
}

/// Returns the writes that begin or end the demand. The same transaction must begin a new epoch, in
/// which the records name their members or no longer do.
pub fn demand(
    account: &Account,
    is_demanded: bool,
    action: Action,
    now: UnixMs,
) -> (Vec<Statement>, KeysConcerned) {
    let (changes, keys) = change_state(account, is_demanded, action, now);
    (changes.into(), keys)
}

fn change_state(
    account: &Account,
    narrows: bool,
    action: Action,
    now: UnixMs,
) -> ([Statement; 2], KeysConcerned) {
    let revision = account.revision.next();
    let journal = audit::journal(action, revision, "account", now);
    let bound = narrows.then(|| account.bound(now));
    ([Account::advance_state(revision), journal], KeysConcerned { revision, bound })
}
