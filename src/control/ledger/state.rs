//! The account state that leases carry, T of promise P1 included. Its version is the revision of
//! its last change.

use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::record::Revision;
use claviger_core::replication::refresh::{AccountState, FRESHNESS_MS_MAX};
use serde_json::json;

use super::account::Account;
use super::account_networks;
use super::audit::{Action, Author};
use super::freshness::AccountFreshness;
use super::mfa;
use super::revoking;
use super::service::Service;
use crate::ledger::audit;
use crate::objects::sql::{Sql, SqlError, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::draft::field::FieldError;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// Time after which the ledger reports a suspension to the directory. An alarm carries out one task
/// after the other, and the lease document goes first: edges rely on it.
const REPORT_AFTER: DurationMs = DurationMs::from_s(5);

/// Loads the account state that leases carry.
pub fn load(sql: &dyn Sql, account: &Account) -> Result<AccountState, SqlError> {
    Ok(AccountState {
        revision: account.state_revision,
        freshness_ms: account.freshness.ms.into(),
        suspended: account.suspended,
        service: Service::load(sql)?.as_ref().map(Service::password),
        revoked_sealed: revoking::list(sql)?,
        mfa_on: mfa::members_on(sql, account)?,
        operator: account.operator,
        networks: account_networks::load(sql)?.list.edge(),
    })
}

/// Sets the given values, at the operator's request. Values that are already set change nothing.
pub fn set(
    sql: &dyn Sql,
    account: &Account,
    freshness_ms: Option<u64>,
    suspended: Option<bool>,
    now: UnixMs,
) -> Result<(Vec<Statement>, LedgerReply), SqlError> {
    let wanted =
        freshness_ms.map_or(Ok(account.freshness.ms), |ms| u32::try_from(ms).map_err(|_| ()));
    let Some(wanted_ms) = wanted.ok().filter(|ms| *ms <= FRESHNESS_MS_MAX) else {
        let error = FieldError::new("freshness_ms", "too_long", "at most one hour");
        return Ok((Vec::new(), LedgerReply::Refused(Refusal::Invalid { errors: vec![error] })));
    };
    let suspended = suspended.unwrap_or(account.suspended);
    if wanted_ms == account.freshness.ms && suspended == account.suspended {
        return Ok((Vec::new(), LedgerReply::State { state: load(sql, account)?, bound: None }));
    }
    let freshness = match wanted_ms == account.freshness.ms {
        true => account.freshness,
        false => account.freshness.set(wanted_ms, now),
    };
    let narrows = (suspended && !account.suspended) || wanted_ms < account.freshness.ms;
    let revision = account.revision.next();
    let after = Account { freshness, suspended, state_revision: revision, ..account.clone() };
    let mut writes = vec![
        store(&after, revision),
        audit::journal(Action::SetState, revision, "account", now),
        Author::operator(now).set(
            Action::SetState,
            revision,
            Some(audit_json(account)),
            audit_json(&after),
        ),
    ];
    if suspended != account.suspended {
        // The admin Worker tells the directory at once, but once only.
        let at = now.saturating_add(REPORT_AFTER);
        writes.push(Task::own(TaskKind::ConfirmAccount).schedule(at));
    }
    let bound = narrows.then(|| after.bound(now));
    Ok((writes, LedgerReply::State { state: load(sql, &after)?, bound }))
}

fn store(account: &Account, revision: Revision) -> Statement {
    let text =
        "UPDATE account SET revision = ?, state_revision = ?, freshness_s = ?, freshness_ms = ?,
        freshness_before_ms = ?, freshness_before_until_ms = ?, suspended = ?";
    let AccountFreshness { ms, before_ms, before_until } = account.freshness;
    Statement::new(text)
        .bind(revision)
        .bind(account.state_revision)
        .bind(account.freshness.s())
        .bind(ms)
        .bind(before_ms)
        .bind(before_until)
        .bind(account.suspended)
}

/// Returns the state as JSON for an audit row.
fn audit_json(account: &Account) -> String {
    json!({ "freshness_ms": account.freshness.ms, "suspended": account.suspended }).to_string()
}
