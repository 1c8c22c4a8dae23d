//! The demand of MFA: keys of members without MFA are refused.
//!
//! Each record names the member who answers for the key, and the account state lists the members
//! with MFA. So a member who turns MFA off or on changes the account state alone, which every lease
//! has within T, however many keys the member has. Disabling and enabling a key does not change it.
//!
//! Records name members only while the account demands MFA. In other accounts they stay as edges of
//! an earlier release read them. A change of the demand ends the epoch, so that every record from
//! before is a miss.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::UnixMs;

use super::account::Account;
use super::audit::{self, Action};
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};

/// Returns the members with MFA, in the order of their IDs; none where the account does not demand
/// MFA. Keys outlive a removed member as they were, so such a member is listed like any other.
pub fn members_on(sql: &dyn Sql, account: &Account) -> Result<Vec<MemberId>, SqlError> {
    if !account.demands_mfa {
        return Ok(Vec::new());
    }
    let on = Statement::new("SELECT id FROM member WHERE mfa = 1 ORDER BY id");
    sql.read_all(&on, |mut row| row.parsed("a member ID", MemberId::parse))
}

/// Records that a member has MFA or not. Under the demand, this is a change of the account state;
/// `action` is what the journal calls it.
pub fn record(
    account: &Account,
    member: MemberId,
    is_on: bool,
    action: Action,
    now: UnixMs,
) -> Vec<Statement> {
    let text = "UPDATE member SET mfa = ? WHERE id = ?";
    let mut writes = vec![Statement::new(text).bind(is_on).bind(member.as_str())];
    if account.demands_mfa {
        writes.extend(change_state(account, action, now));
    }
    writes
}

/// Begins or ends the demand. The next request begins a new epoch, in which the records name their
/// members or no longer do.
pub fn demand(account: &Account, is_demanded: bool, action: Action, now: UnixMs) -> Vec<Statement> {
    if account.demands_mfa == is_demanded {
        return Vec::new();
    }
    let text = "UPDATE account SET demands_mfa = ?";
    let mut writes = vec![Statement::new(text).bind(is_demanded), Account::end_epoch()];
    writes.extend(change_state(account, action, now));
    writes
}

fn change_state(account: &Account, action: Action, now: UnixMs) -> [Statement; 2] {
    let revision = account.revision.next();
    let journal = audit::journal(action, revision, "account", now);
    [Account::advance_state(revision), journal]
}
