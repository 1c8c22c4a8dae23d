//! Checks name and secret of an API user.

use super::Gateway;
use crate::base::id::AccountId;
use crate::base::time::UnixMs;
use crate::credential::api_user::ApiUserName;
use crate::gateway::check::{Check, Checked};
use crate::gateway::extract::TypedUser;
use crate::gateway::resolve::{Attempt, ask_despite_lease, resolve_key};
use crate::gateway::user_secrets;
use crate::lease::call::{Fetch, Lookup};
use crate::lease::rules::LeaseRules;
use crate::replication::record::{Record, Standing};
use crate::replication::secret_check::{ProvenSecret, SecretCheck, SecretCheckReply};
use crate::verify::verdict::Denial;
use crate::verify::verification::{Facts, verify_user};

impl<R: LeaseRules> Gateway<R> {
    /// Checks name and secret of an API user, as [`check`](Self::check) checks a key. Users of
    /// other accounts than `within` are unknown.
    ///
    /// # Errors
    /// The question to ask first, if the isolate does not remember this secret.
    pub fn check_user(
        &mut self,
        user: &TypedUser,
        (facts, within): (&Facts<'_>, Option<AccountId>),
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Result<Check, SecretCheck> {
        let denied = |denial| Ok(Check::Decided(Checked::without_evidence(denial)));
        let name = ApiUserName::parse(&user.name);
        let secret = user.secret.expose();
        let Some(name) = name.filter(|_| user_secrets::is_possible(secret)) else {
            return denied(Denial::Unknown);
        };
        let ask = |name| {
            let (secret, address) = (user.secret.clone(), facts.address);
            SecretCheck { name, secret, address, within }
        };
        let remembered = match lookup.secret {
            None => self.user_secrets.find(&name, secret, (facts.address, within), now),
            Some(_) => None,
        };
        let is_remembered = remembered.is_some();
        let proven = match (remembered, &lookup.secret) {
            (Some(proven), _) => proven,
            (None, Some(Some(SecretCheckReply::Matches(proven)))) => proven.clone(),
            (None, None) => return Err(ask(name)),
            (None, Some(None)) => return denied(Denial::Unavailable),
            (None, Some(Some(SecretCheckReply::Refused))) => return denied(Denial::Unknown),
            (None, Some(Some(SecretCheckReply::TooMany { .. }))) => {
                return denied(Denial::RateLimited);
            }
        };
        if within.is_some_and(|account| account != proven.id.account()) {
            return denied(Denial::Unknown);
        }
        let attempt = Attempt { arrival, now, lookup };
        let known = match resolve_key(&mut self.leases, proven.id, attempt) {
            Ok(known) => known,
            Err(missing) => return Ok(missing.into()),
        };
        let verdict = verify_user(&proven, known.borrow(), facts, arrival);
        if matches!(verdict, Err(Denial::Unknown)) {
            // The remembered version is over. If a later one counts, the same text may have it.
            if is_remembered && may_have_another(&proven, known.record()) {
                self.user_secrets.forget(&name);
                return Err(ask(name));
            }
            // The version may be newer than the lease. Only a caller with a secret that the name
            // object has gets here, so a guesser causes no such call.
            let need = Fetch::Ledger(proven.id);
            if !is_remembered && !lookup.is_answered(need) {
                return Ok(ask_despite_lease(&mut self.leases, need, attempt).into());
            }
        }
        // A version that no record names may be withdrawn, and its number used again.
        let is_confirmed = !matches!(verdict, Err(Denial::Unknown));
        if !is_remembered && is_confirmed {
            self.user_secrets.remember(&ask(name), &proven, now);
        }
        if !lookup.is_counted {
            let verdict = verdict.as_ref().map_err(|denial| *denial);
            self.count(proven.id, verdict, facts, now);
        }
        Ok(known.conclude(verdict, now))
    }
}

/// Returns `true` if the user may have the secret under another version than the remembered one:
/// the record has a later version, or is that of another user by now.
fn may_have_another(proven: &ProvenSecret, record: Option<&Record>) -> bool {
    match record.map(|record| &record.standing) {
        Some(Standing::Active(credential) | Standing::Disabled(credential)) => {
            let user = credential.user.as_ref();
            user.is_none_or(|user| user.name != proven.name || user.secret > proven.version)
        }
        Some(Standing::Deleted) => false,
        None => true,
    }
}
