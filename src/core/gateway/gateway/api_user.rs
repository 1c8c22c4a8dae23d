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
use crate::replication::secret_check::{SecretCheck, SecretCheckReply};
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
        let ask = |name| SecretCheck { name, secret: user.secret.clone(), address: facts.address };
        let remembered = match lookup.secret {
            None => self.user_secrets.find(&name, secret, facts.address, now),
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
            // The version that the isolate remembers is over. The secret may be that of another.
            if is_remembered {
                self.user_secrets.forget(&name);
                return Err(ask(name));
            }
            // The secret may be newer than the lease. Only who has it comes here.
            let need = Fetch::Ledger(proven.id);
            if !lookup.is_answered(need) {
                return Ok(ask_despite_lease(&mut self.leases, need, attempt).into());
            }
        }
        if !lookup.is_counted {
            let verdict = verdict.as_ref().map_err(|denial| *denial);
            self.count(proven.id, verdict, facts, now);
        }
        Ok(known.conclude(verdict, now))
    }

    /// Takes the admin Worker's answer about a secret; `None` if none came.
    pub fn take_secret(
        &mut self,
        asked: &SecretCheck,
        reply: Option<SecretCheckReply>,
        now: UnixMs,
        lookup: &mut Lookup,
    ) {
        if let Some(reply) = &reply {
            self.user_secrets.take(asked, reply, now);
        }
        lookup.secret = Some(reply);
    }
}
