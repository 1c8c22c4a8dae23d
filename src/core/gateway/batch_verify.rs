//! Verifies the checks of one verifier's request, in their order, with as few reads and calls as
//! possible.
//!
//! Each check alone knows which I/O it needs; this module combines them. One KV read serves all
//! keys that KV can answer; then one refresh serves all keys that only the ledger can answer. The
//! same happens once more for issuers, which are known only after their keys. One ledger answers
//! everything, because the checks are about one account: a key of another one is `unknown` without
//! any read or call. A verifier of the operator's account sees all accounts. [`by_account`] splits
//! its checks.

use crate::base::id::{AccountId, KeyId, SealedId};
use crate::base::secret::SecretText;
use crate::base::time::UnixMs;
use crate::credential::limits::Interface;
use crate::credential::limits::network::ClientAddress;
use crate::credential::limits::permission::Permission;
use crate::gateway::check::{Check, Checked};
use crate::gateway::gateway::Gateway;
use crate::lease::call::{CopyRead, CopySource, Fetch, KvRead, Lookup, RefreshCall};
use crate::lease::isolate::Leases;
use crate::lease::rules::LeaseRules;
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts, Valid};

/// The subject of one check.
#[derive(Debug)]
pub enum Subject {
    /// A credential, including its secret.
    Credential(SecretText),
    /// A key, by its ID as the verifier wrote it. Such a check counts as no use of the key.
    KeyId(String),
}

/// One check of a verifier's request.
#[derive(Debug)]
pub struct CheckRequest {
    /// Subject of the check.
    pub subject: Subject,
    /// Address from which the credential was used.
    pub address: Option<ClientAddress>,
    /// Interface by which the credential was used.
    pub interface: Interface,
    /// Permission that the key must hold; `None` for any key.
    pub permission: Option<Permission>,
}

impl CheckRequest {
    fn facts(&self) -> Facts<'_> {
        Facts {
            address: self.address,
            interface: self.interface,
            demand: self.permission.as_ref().map_or(Demand::AnyKey, Demand::Permission),
            may_change: false,
        }
    }
}

/// The checks of one account, each with its place in the request.
pub type AccountChecks = (AccountId, Vec<(usize, CheckRequest)>);

/// Groups checks by the account of their subjects. A subject that names no account joins those of
/// `own`.
pub fn by_account<R: LeaseRules>(
    gateway: &Gateway<R>,
    own: AccountId,
    arrival: UnixMs,
    requests: Vec<CheckRequest>,
) -> Vec<AccountChecks> {
    let mut groups: Vec<AccountChecks> = Vec::new();
    for (place, request) in requests.into_iter().enumerate() {
        let account = match &request.subject {
            Subject::Credential(text) => {
                gateway.key_id(text.expose(), arrival).map(|id| id.account())
            }
            Subject::KeyId(text) => KeyId::parse(text).map(|id| id.account()),
        };
        let account = account.unwrap_or(own);
        match groups.iter_mut().find(|(other, _)| *other == account) {
            Some((_, checks)) => checks.push((place, request)),
            None => groups.push((account, vec![(place, request)])),
        }
    }
    groups
}

/// The combined I/O that the checks need next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchFetch {
    /// The admin Worker's answer on whether both Workers fit.
    Admin,
    /// A copy of the account's ledger replies, from this source.
    Copy(CopySource),
    /// The KV records of these keys.
    Kv(Vec<KeyId>),
    /// The ledger's answers about the account and these keys.
    ///
    /// Each key occurs once; the list may be empty.
    Ledger(Vec<KeyId>),
}

/// The checks of one request, while they are in progress.
#[derive(Debug)]
pub struct BatchVerification {
    account: AccountId,
    arrival: UnixMs,
    requests: Vec<CheckRequest>,
    /// Verdicts in the order of `requests`; `None` while undecided.
    verdicts: Vec<Option<Checked<Valid>>>,
    lookup: Lookup,
}

impl BatchVerification {
    /// Starts checks of keys of `account`, for a request that arrived at `arrival`.
    pub fn new(account: AccountId, arrival: UnixMs, requests: Vec<CheckRequest>) -> Self {
        let verdicts = requests.iter().map(|_| None).collect();
        Self { account, arrival, requests, verdicts, lookup: Lookup::default() }
    }

    /// Decides each check that can be decided now. Returns the I/O needed next, or `None` if all
    /// checks are decided.
    pub fn decide<R: LeaseRules>(
        &mut self,
        gateway: &mut Gateway<R>,
        now: UnixMs,
    ) -> Option<BatchFetch> {
        let (mut copy, mut kv, mut ledger) = (None, Vec::new(), Vec::new());
        let (mut asks_state, mut asks_admin) = (false, false);
        for (request, verdict) in self.requests.iter().zip(&mut self.verdicts) {
            if verdict.is_some() {
                continue;
            }
            match decide_one(gateway, request, self.account, self.arrival, now, &self.lookup) {
                Check::Decided(checked) => *verdict = Some(checked),
                Check::Fetch(Fetch::Copy(_, source)) => copy = Some(source),
                Check::Fetch(Fetch::Kv(id)) => kv.push(id),
                Check::Fetch(Fetch::Ledger(id) | Fetch::Issuer(id)) => ledger.push(id),
                Check::AskAdmin => asks_admin = true,
                // Every refresh carries the account's state.
                Check::Fetch(Fetch::State(_)) => asks_state = true,
            }
        }
        // An edge with other keys than the admin Worker's can say nothing about any key.
        if asks_admin {
            return Some(BatchFetch::Admin);
        }
        // A copy concerns the account, and so serves all checks.
        if let Some(source) = copy {
            return Some(BatchFetch::Copy(source));
        }
        // KV comes first: keys that it cannot answer then join the keys that need the ledger, in
        // one call.
        if !kv.is_empty() {
            return Some(BatchFetch::Kv(each_once(kv)));
        }
        let ids = each_once(ledger);
        (asks_state || !ids.is_empty()).then_some(BatchFetch::Ledger(ids))
    }

    /// Begins the read of a copy; the caller must make it at once.
    pub fn ask_copy<R: LeaseRules>(
        &self,
        leases: &mut Leases<R>,
        source: CopySource,
        now: UnixMs,
    ) -> CopyRead {
        leases.ask_copy(self.account, source, now)
    }

    /// Returns the results so far, for a caller that fetches a copy or a refresh.
    pub fn lookup(&mut self) -> &mut Lookup {
        &mut self.lookup
    }

    /// Begins the reads of KV; the caller must make them at once.
    pub fn ask_kv<R: LeaseRules>(
        &self,
        leases: &mut Leases<R>,
        ids: &[KeyId],
        now: UnixMs,
    ) -> Vec<KvRead> {
        ids.iter().map(|id| leases.ask_kv(*id, now)).collect()
    }

    /// Takes the text that KV held; `None` if there was none or KV failed.
    pub fn take_kv<R: LeaseRules>(
        &mut self,
        gateway: &mut Gateway<R>,
        read: &KvRead,
        text: Option<&str>,
        now: UnixMs,
    ) {
        gateway.take_kv(read, text, now, &mut self.lookup);
    }

    /// Begins the refresh; the caller must send it at once.
    pub fn ask_ledger<R: LeaseRules>(
        &self,
        leases: &mut Leases<R>,
        ids: Vec<KeyId>,
        now: UnixMs,
    ) -> RefreshCall {
        leases.ask_ledger_for(self.account, ids, now)
    }

    /// Returns the verdicts, in the order of the checks; an undecided check is `unavailable`.
    pub fn verdicts(self) -> Vec<Checked<Valid>> {
        let unreached = || Checked::without_evidence(Denial::Unavailable);
        self.verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(unreached)).collect()
    }
}

fn decide_one<R: LeaseRules>(
    gateway: &mut Gateway<R>,
    request: &CheckRequest,
    own: AccountId,
    arrival: UnixMs,
    now: UnixMs,
    lookup: &Lookup,
) -> Check<Valid> {
    let decided = |denial| Check::Decided(Checked::without_evidence(denial));
    match &request.subject {
        Subject::Credential(text) => {
            let id = gateway.key_id(text.expose(), arrival);
            // The gateway looks the key up only after this test, because another account's key must
            // cause no lookup.
            if id.is_some_and(|id| id.account() != own) {
                return decided(Denial::Unknown);
            }
            let check = gateway.check(text.expose(), &request.facts(), arrival, now, lookup);
            check.map(|Checked { verdict, evidence, renew }| Checked {
                verdict: verdict.map(Valid::from),
                evidence,
                renew,
            })
        }
        Subject::KeyId(text) => match KeyId::parse(text) {
            // A sealed key is stored nowhere, so an ID alone cannot find it.
            None if SealedId::parse(text).is_some() => decided(Denial::Unknown),
            None => decided(Denial::Malformed),
            Some(id) if id.account() != own => decided(Denial::Unknown),
            Some(id) => gateway.examine(id, &request.facts(), arrival, now, lookup),
        },
    }
}

/// Returns the IDs in order, without repetition. There are at most 100, so insertion is fast
/// enough. The library's sort would add more code to the wasm module than the rest of this file.
fn each_once(ids: Vec<KeyId>) -> Vec<KeyId> {
    let mut ordered = Vec::with_capacity(ids.len());
    for id in ids {
        if let Err(place) = ordered.binary_search(&id) {
            ordered.insert(place, id);
        }
    }
    ordered
}

#[cfg(test)]
mod tests;
