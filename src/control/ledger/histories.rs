//! Histories of the ledger: when a new one begins, and what ends with the one before.

use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::Epoch;

use super::account::Account;
use super::audit::{Action, Author};
use super::{rebuild, refresh};
use crate::objects::object::Entropy;
use crate::objects::sql::Statement;
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::ledger::LedgerRequest;

/// Begins a new history if the present one cannot continue. That is so if KV or a lease holds
/// changes that this history lacks, or if the directory reports a restore.
pub(super) fn renew(
    account: &mut Account,
    request: &LedgerRequest,
    now: UnixMs,
    entropy: &Entropy,
) -> Vec<Statement> {
    match request {
        LedgerRequest::Restored { epoch } => {
            let is_known = account.epoch == *epoch || account.epoch_noted.as_ref() == Some(epoch);
            if is_known {
                return Vec::new();
            }
            let mut writes = rebuild::begin_epoch(account, epoch.clone(), true, now);
            writes.push(Author::operator(now).did(Action::Restore));
            writes.extend(end_what_a_bookmark_revives(now));
            writes
        }
        LedgerRequest::Refresh(request) if refresh::is_ahead(account, request) => {
            let mut writes =
                rebuild::begin_epoch(account, Epoch::new(entropy.number()), false, now);
            writes.extend(end_what_a_bookmark_revives(now));
            writes
        }
        _ if account.epoch_is_over => {
            rebuild::begin_epoch(account, Epoch::new(entropy.number()), false, now)
        }
        _ => Vec::new(),
    }
}

/// Ends all sessions, challenges and invitations. A bookmark may hold some that were ended since:
/// of a member who was removed, say, or from before a password was changed. It may also hold
/// another name or state of the account, which the directory then learns.
fn end_what_a_bookmark_revives(now: UnixMs) -> [Statement; 4] {
    [
        Statement::new("DELETE FROM session"),
        Statement::new("DELETE FROM challenge"),
        Statement::new("DELETE FROM member_invitation"),
        Task::own(TaskKind::ConfirmAccount).schedule(now),
    ]
}
