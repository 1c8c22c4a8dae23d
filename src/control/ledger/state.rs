//! What holds for the whole account, and T of promise P1 with it. Versioned by the number of its
//! last change.

use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::Revision;
use claviger_core::replication::refresh::{AccountState, FRESHNESS_MS, FRESHNESS_MS_MAX};
use serde_json::json;

use super::account::Account;
use super::audit::{Action, Author};
use super::revoking;
use super::service::Service;
use crate::ledger::audit;
use crate::objects::sql::{Sql, SqlError, Statement};
use crate::protocol::draft::FieldError;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// T, and what leases may still take for T.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// T, in milliseconds.
    pub ms: u32,
    /// T before its last change, in milliseconds.
    pub before_ms: u32,
    /// Until when a lease may go by that.
    pub before_until: UnixMs,
}

impl Freshness {
    /// T of a new account.
    pub const NEW: Self = Self { ms: FRESHNESS_MS, before_ms: 0, before_until: UnixMs::from_ms(0) };

    /// The longest T that any lease may go by at `now`.
    pub fn in_force_ms(&self, now: UnixMs) -> u32 {
        if now < self.before_until { self.ms.max(self.before_ms) } else { self.ms }
    }

    /// After T was set to `ms`. A lease that was refreshed before goes by the old T until that is
    /// over.
    #[must_use]
    pub fn set(&self, ms: u32, now: UnixMs) -> Self {
        let before_ms = self.in_force_ms(now);
        Self {
            ms,
            before_ms,
            before_until: now.saturating_add(DurationMs::from_ms(before_ms.into())),
        }
    }

    /// From when a change that is made at `now` holds everywhere.
    pub fn bound(&self, now: UnixMs) -> Bound {
        let in_force_ms = self.in_force_ms(now);
        let at = now.saturating_add(DurationMs::from_ms(in_force_ms.into()));
        Bound { at, within_s: in_force_ms.div_ceil(1_000), is_eventual: false }
    }

    /// T in seconds, rounded up.
    pub fn s(&self) -> u32 {
        self.ms.div_ceil(1_000)
    }
}

/// What leases are told.
pub fn load(sql: &dyn Sql, account: &Account) -> Result<AccountState, SqlError> {
    Ok(AccountState {
        revision: account.state_revision,
        freshness_ms: account.freshness.ms.into(),
        suspended: account.suspended,
        service: Service::load(sql)?.as_ref().map(Service::password),
        revoked_sealed: revoking::list(sql)?,
    })
}

/// Sets what is given, at the operator's word. What is so already changes nothing.
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
        let error = FieldError::new("freshness_ms", "too_long", "at most an hour is wanted");
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
    let takes_away = (suspended && !account.suspended) || wanted_ms < account.freshness.ms;
    let revision = account.revision.next();
    let after = Account { freshness, suspended, state_revision: revision, ..account.clone() };
    let writes = vec![
        store(&after, revision),
        audit::journal(Action::SetState, revision, "account", now),
        Author::operator(now).set(Action::SetState, revision, Some(told(account)), told(&after)),
    ];
    let bound = takes_away.then(|| after.bound(now));
    Ok((writes, LedgerReply::State { state: load(sql, &after)?, bound }))
}

fn store(account: &Account, revision: Revision) -> Statement {
    let text =
        "UPDATE account SET revision = ?, state_revision = ?, freshness_s = ?, freshness_ms = ?,
        freshness_before_ms = ?, freshness_before_until_ms = ?, suspended = ?";
    let Freshness { ms, before_ms, before_until } = account.freshness;
    Statement::new(text)
        .bind(revision)
        .bind(account.state_revision)
        .bind(account.freshness.s())
        .bind(ms)
        .bind(before_ms)
        .bind(before_until)
        .bind(account.suspended)
}

/// The state as an audit row tells it.
fn told(account: &Account) -> String {
    json!({ "freshness_ms": account.freshness.ms, "suspended": account.suspended }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_ms(ms)
    }

    #[test]
    fn a_lower_t_is_in_force_when_the_old_one_is_over_and_a_higher_one_at_once() {
        let long = Freshness { ms: 60_000, ..Freshness::NEW };
        let lowered = long.set(1_500, at(0));
        for (now, in_force_ms) in [(0, 60_000), (59_999, 60_000), (60_000, 1_500)] {
            assert_eq!(lowered.in_force_ms(at(now)), in_force_ms, "{now}");
        }
        assert_eq!(
            lowered.bound(at(60_000)),
            Bound { at: at(61_500), within_s: 2, is_eventual: false }
        );

        let twice = lowered.set(0, at(5_000));
        assert_eq!(twice.in_force_ms(at(64_999)), 60_000, "leases of the first T may still live");
        assert_eq!(twice.in_force_ms(at(65_000)), 0);
        let raised = Freshness::NEW.set(60_000, at(0));
        assert_eq!(raised.in_force_ms(at(0)), 60_000);
    }
}
