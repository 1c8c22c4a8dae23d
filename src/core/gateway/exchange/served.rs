//! Serves what requests that the edge itself answers have in common: the check of the caller's own
//! credential, and a verifier's checks of others.

use crate::base::http::request::Request;
use crate::base::id::AccountId;
use crate::credential::limits::Interface;
use crate::credential::limits::permission::Permission;
use crate::gateway::batch_verify::{BatchFetch, BatchVerification, CheckRequest, by_account};
use crate::gateway::check::Checked;
use crate::gateway::exchange::lookup;
use crate::gateway::exchange::platform::{Boxed, Got, Operation, Platform, SharedGateway};
use crate::gateway::extract::TypedUser;
use crate::gateway::gateway::{VERIFIER_HEADER, client_address};
use crate::replication::record::kv_key;
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts, Valid, Verified};

/// The state of one such request, with the account whose lease needs a background refresh.
pub(super) struct ServedCall<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) gateway: &'a SharedGateway,
    pub(super) platform: &'a Platform,
    pub(super) renew: Option<AccountId>,
}

impl<'c> ServedCall<'c> {
    /// Returns the state before anything was verified.
    pub(super) fn new(
        request: &'c Request<'c>,
        gateway: &'c SharedGateway,
        platform: &'c Platform,
    ) -> Self {
        Self { request, gateway, platform, renew: None }
    }

    /// Verifies the caller by the key in [`VERIFIER_HEADER`].
    pub(super) fn authenticate_by_header(&mut self) -> Boxed<'_, Result<Verified, Denial>> {
        Box::pin(async move {
            match self.request.headers.find(VERIFIER_HEADER).unwrap_or_default() {
                "" => Err(Denial::Missing),
                text => self.authenticate(text).await,
            }
        })
    }

    /// Verifies the caller's own key as that of a verifier; it is never the subject.
    pub(super) fn authenticate<'a>(
        &'a mut self,
        text: &'a str,
    ) -> Boxed<'a, Result<Verified, Denial>> {
        Box::pin(async move {
            let demanded = Permission::claviger_verify();
            let facts = Facts {
                address: client_address(self.request),
                interface: Interface::Http,
                demand: Demand::Permission(&demanded),
                may_change: false,
            };
            self.check_key(text, &facts).await
        })
    }

    /// Checks a key of any account, and counts its use.
    pub(super) fn check_key<'a>(
        &'a mut self,
        text: &'a str,
        facts: &'a Facts<'a>,
    ) -> Boxed<'a, Result<Verified, Denial>> {
        Box::pin(async move {
            let arrival = self.request.arrived;
            let checked = lookup::decide(self.gateway, self.platform, |gateway, now, lookup| {
                gateway.check(text, facts, arrival, now, lookup)
            })
            .await;
            self.renew = checked.renew.or(self.renew);
            checked.verdict
        })
    }

    /// Checks an API user of the account `within`, or of any, and counts its use.
    pub(super) fn check_user<'a>(
        &'a mut self,
        user: &'a TypedUser,
        facts: &'a Facts<'a>,
        within: Option<AccountId>,
    ) -> Boxed<'a, Result<Verified, Denial>> {
        Box::pin(async move {
            let arrival = self.request.arrived;
            let checked =
                lookup::decide_user(self.gateway, self.platform, |gateway, now, lookup| {
                    gateway.check_user(user, (facts, within), arrival, now, lookup)
                })
                .await;
            self.renew = checked.renew.or(self.renew);
            checked.verdict
        })
    }

    /// Returns the verdicts, in the order of the checks. The operator's verifier sees every
    /// account, one after the other; any other sees its own.
    pub(super) fn verdicts<'a>(
        &'a mut self,
        requests: Vec<CheckRequest>,
        verifier: &'a Verified,
    ) -> Boxed<'a, Vec<Checked<Valid>>> {
        Box::pin(async move {
            let own = verifier.account();
            if !verifier.is_operator() {
                return self.verdicts_of(own, requests).await;
            }
            let unreached = |_: &CheckRequest| Checked::without_evidence(Denial::Unavailable);
            let mut verdicts: Vec<Checked<Valid>> = requests.iter().map(unreached).collect();
            let groups = by_account(&self.gateway.borrow(), own, self.request.arrived, requests);
            for (account, checks) in groups {
                let (places, requests): (Vec<usize>, Vec<CheckRequest>) =
                    checks.into_iter().unzip();
                let found = self.verdicts_of(account, requests).await;
                for (place, verdict) in places.into_iter().zip(found) {
                    if let Some(slot) = verdicts.get_mut(place) {
                        *slot = verdict;
                    }
                }
            }
            verdicts
        })
    }

    /// Runs checks of keys of one account to their verdicts; each fetch serves all of them
    /// together.
    async fn verdicts_of(
        &mut self,
        account: AccountId,
        requests: Vec<CheckRequest>,
    ) -> Vec<Checked<Valid>> {
        let Self { gateway, platform, .. } = *self;
        let mut checks = BatchVerification::new(account, self.request.arrived, requests);
        loop {
            let missing = checks.decide(&mut gateway.borrow_mut(), platform.now());
            match missing {
                None => break,
                Some(BatchFetch::Admin) => lookup::ask_admin(gateway, platform).await,
                Some(BatchFetch::Copy(source)) => {
                    let read =
                        checks.ask_copy(gateway.borrow_mut().leases_mut(), source, platform.now());
                    lookup::take_copy(&read, gateway, platform, checks.lookup()).await;
                }
                Some(BatchFetch::Kv(ids)) => {
                    let reads =
                        checks.ask_kv(gateway.borrow_mut().leases_mut(), &ids, platform.now());
                    let keys = ids.iter().map(|id| kv_key(*id)).collect();
                    let held = match platform.ask(Operation::ReadKvMany { keys }).await {
                        Got::Texts(texts) => texts,
                        // KV failed: the checks ask the ledger instead.
                        Got::Nothing
                        | Got::Text(_)
                        | Got::Bytes(_)
                        | Got::Fit(_)
                        | Got::TooLate => Vec::new(),
                    };
                    let held = held.into_iter().chain(core::iter::repeat(None));
                    for (read, text) in reads.iter().zip(held) {
                        let gateway = &mut gateway.borrow_mut();
                        checks.take_kv(gateway, read, text.as_deref(), platform.now());
                    }
                    lookup::warn(gateway, platform).await;
                }
                Some(BatchFetch::Ledger(ids)) => {
                    let call =
                        checks.ask_ledger(gateway.borrow_mut().leases_mut(), ids, platform.now());
                    lookup::refresh(&call, false, gateway, platform, checks.lookup()).await;
                }
            }
        }
        let verdicts = checks.verdicts();
        self.renew = verdicts.iter().rev().find_map(|checked| checked.renew).or(self.renew);
        verdicts
    }
}
