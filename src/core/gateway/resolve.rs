//! Combines the facts about a key, its issuer and its account into the input of a verdict.

use std::sync::Arc;

use crate::base::id::{AccountId, KeyId};
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::issuer::{Issuer, SealingGeneration};
use crate::credential::sealed::MadeSealed;
use crate::gateway::check::{Check, Checked, Evidence};
use crate::lease::cached_key::CachedKey;
use crate::lease::call::{Basis, Fetch, Finding, Found, Lookup, Source};
use crate::lease::isolate::Leases;
use crate::lease::rules::LeaseRules;
use crate::replication::record::{Record, Standing};
use crate::replication::refresh::AccountState;
use crate::verify::verdict::Denial;
use crate::verify::verification::Known;

/// One attempt to decide a request: its times, and the results that it has fetched so far.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    /// Time of the request's arrival, Unix ms.
    pub(super) arrival: UnixMs,
    /// Present time, Unix ms.
    pub(super) now: UnixMs,
    pub(super) lookup: &'a Lookup,
}

/// Returns the facts about a key, and about the key that issued it.
pub(super) fn resolve_key<R: LeaseRules>(
    leases: &mut Leases<R>,
    id: KeyId,
    attempt: Attempt<'_>,
) -> Result<ResolvedKey, Missing> {
    let Attempt { arrival, now, lookup } = attempt;
    let (finding, renew) = leases.find(id, arrival, now, lookup).into_result()?;
    let mut known = ResolvedKey::new(finding, renew);
    match issuer_of(known.record.as_deref()) {
        Some(Issuer::Key(issuer)) => {
            let found = leases.find_issuer(issuer, arrival, now, lookup);
            let (finding, renew) = found.into_result()?;
            known.add_issuer(finding, renew);
        }
        // This request may have asked the ledger about the account meanwhile, for a recheck: see
        // `recheck`.
        Some(Issuer::Service) if lookup.is_answered(Fetch::State(id.account())) => {
            let (finding, _) =
                leases.find_state(id.account(), arrival, now, lookup).into_result()?;
            known.state = finding.state;
        }
        Some(Issuer::Service) | None => {}
    }
    Ok(known)
}

/// Returns the facts about a sealed key: those about its issuer and its account.
pub(super) fn resolve_sealed<R: LeaseRules>(
    leases: &mut Leases<R>,
    made: &MadeSealed,
    attempt: Attempt<'_>,
) -> Result<ResolvedKey, Missing> {
    match made.claims().issuer {
        Issuer::Key(issuer) => {
            let Attempt { arrival, now, lookup } = attempt;
            let found = leases.find_issuer(issuer, arrival, now, lookup);
            let (finding, renew) = found.into_result()?;
            let mut known = ResolvedKey::new(finding, renew);
            known.issuer = known.record.take();
            Ok(known)
        }
        Issuer::Service => resolve_account(leases, made.account(), attempt),
    }
}

/// Returns the facts about an account alone.
pub(super) fn resolve_account<R: LeaseRules>(
    leases: &mut Leases<R>,
    account: AccountId,
    Attempt { arrival, now, lookup }: Attempt<'_>,
) -> Result<ResolvedKey, Missing> {
    let (finding, renew) = leases.find_state(account, arrival, now, lookup).into_result()?;
    let Finding { state, source, as_of, basis, is_stale, .. } = finding;
    let (record, issuer) = (None, None);
    Ok(ResolvedKey { record, issuer, state, source, as_of, basis, is_stale, renew })
}

/// Returns the ledger call to make although a usable lease exists.
pub(super) fn ask_despite_lease<R: LeaseRules>(
    leases: &mut Leases<R>,
    need: Fetch,
    Attempt { arrival, now, lookup }: Attempt<'_>,
) -> Missing {
    match leases.ask_despite_lease(need, arrival, now, lookup) {
        Found::Fetch(need) => Missing::Fetch(need),
        Found::Finding(..) | Found::OutOfReach => Missing::OutOfReach,
    }
}

/// The reason why a verdict is not possible yet.
pub(super) enum Missing {
    Fetch(Fetch),
    OutOfReach,
}

impl<V> From<Missing> for Check<V> {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Fetch(need) => Self::Fetch(need),
            Missing::OutOfReach => Self::Decided(Checked::without_evidence(Denial::Unavailable)),
        }
    }
}

impl<W> Found<W> {
    fn into_result(self) -> Result<(Finding<W>, Option<AccountId>), Missing> {
        match self {
            Self::Finding(finding, renew) => Ok((finding, renew)),
            Self::Fetch(need) => Err(Missing::Fetch(need)),
            Self::OutOfReach => Err(Missing::OutOfReach),
        }
    }
}

/// The facts that a verdict rests on.
pub(super) struct ResolvedKey {
    record: Option<Arc<Record>>,
    issuer: Option<Arc<Record>>,
    state: Arc<AccountState>,
    source: Source,
    as_of: UnixMs,
    basis: Basis,
    is_stale: bool,
    renew: Option<AccountId>,
}

impl ResolvedKey {
    fn new(finding: Finding, renew: Option<AccountId>) -> Self {
        let Finding { cached, state, source, as_of, basis, is_stale } = finding;
        Self { record: record(cached), issuer: None, state, source, as_of, basis, is_stale, renew }
    }

    /// Adds the facts about the issuer. Both facts hold for the request; the age of the whole is
    /// the age of the older one.
    fn add_issuer(&mut self, finding: Finding, renew: Option<AccountId>) {
        self.issuer = record(finding.cached);
        if self.source == Source::Memory {
            self.source = finding.source;
        }
        if finding.state.revision > self.state.revision {
            self.state = finding.state;
        }
        self.as_of = self.as_of.min(finding.as_of);
        if finding.basis == Basis::Document {
            self.basis = finding.basis;
        }
        self.is_stale |= finding.is_stale;
        self.renew = self.renew.or(renew);
    }

    /// Returns the record of the key itself.
    pub(super) fn record(&self) -> Option<&Record> {
        self.record.as_deref()
    }

    /// Returns the time as of which the facts hold, Unix ms.
    pub(super) fn as_of(&self) -> UnixMs {
        self.as_of
    }

    /// Returns the kind of source that `as_of` rests on.
    pub(super) fn basis(&self) -> Basis {
        self.basis
    }

    /// Returns `true` if the facts are older than the time at which `issuer` had the sealing
    /// generation `generation`, as far as generations show. `is_token` selects the generation of
    /// the issuer's own tokens.
    pub(super) fn is_before(
        &self,
        issuer: Issuer,
        generation: SealingGeneration,
        is_token: bool,
    ) -> bool {
        let is_lower =
            |present: Option<SealingGeneration>| present.is_none_or(|present| present < generation);
        match (issuer, self.issuer.as_deref().map(|record| &record.standing)) {
            (Issuer::Service, _) => {
                is_lower(self.state.service.as_ref().map(|service| service.issuing.generation))
            }
            (Issuer::Key(_), Some(Standing::Active(credential))) => {
                is_lower(credential.generation(is_token))
            }
            // Disabling the issuer raised it to this generation. A key of the same generation was
            // issued later, so the issuer has been enabled again since.
            (Issuer::Key(_), Some(Standing::Disabled(credential))) => {
                credential.generation(is_token).is_none_or(|present| present <= generation)
            }
            (Issuer::Key(_), Some(Standing::Deleted) | None) => true,
        }
    }

    pub(super) fn borrow(&self) -> Known<'_> {
        Known { record: self.record.as_deref(), issuer: self.issuer.as_deref(), state: &self.state }
    }

    /// Returns the account whose lease to refresh in the background.
    pub(super) fn renew(&self) -> Option<AccountId> {
        self.renew
    }

    pub(super) fn conclude<V>(&self, verdict: Result<V, Denial>, now: UnixMs) -> Check<V> {
        let newest = self.record.as_deref().or(self.issuer.as_deref());
        let evidence = Evidence {
            source: self.source,
            age_ms: now.since(self.as_of).map_or(0, DurationMs::as_ms),
            revision: newest.map(|record| record.revision),
            basis: self.basis,
            is_stale: self.is_stale,
        };
        Check::Decided(Checked { verdict, evidence: Some(evidence), renew: self.renew })
    }
}

fn record(cached: CachedKey) -> Option<Arc<Record>> {
    match cached {
        CachedKey::Record(record) => Some(record),
        CachedKey::NoSuchKey => None,
    }
}

/// Returns the issuer of a key that is not deleted.
fn issuer_of(record: Option<&Record>) -> Option<Issuer> {
    match &record?.standing {
        Standing::Active(credential) | Standing::Disabled(credential) => {
            Some(credential.issued.as_ref()?.by)
        }
        Standing::Deleted => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::issuer::{Ceiling, Issuing, ServicePassword};
    use crate::replication::record::{Credential, Revision};
    use crate::testing::{account, at};

    fn finding(as_of: i64, revision: u64) -> Finding {
        let state =
            Arc::new(AccountState { revision: Revision(revision), ..AccountState::default() });
        let (cached, source) = (CachedKey::NoSuchKey, Source::Memory);
        Finding { cached, state, source, as_of: at(as_of), basis: Basis::Ledger, is_stale: false }
    }

    fn issuing(generation: u32) -> Option<Issuing> {
        let record = crate::testing::record(Standing::Active);
        let Standing::Active(credential) = record.standing else { panic!("not active") };
        let ceiling = Ceiling {
            permissions: credential.limits.permissions,
            networks: credential.limits.networks,
            longest: None,
        };
        Some(Issuing { generation: SealingGeneration(generation), ceiling })
    }

    /// The lease shows an issuer of generation 3; a key of generation 2, 3 or 4 was issued.
    #[test]
    fn a_lease_is_older_than_a_generation_that_it_does_not_show_in_use() {
        let of = |issuing: Option<Issuing>, state: fn(Credential) -> Standing| {
            crate::testing::record(|credential| state(Credential { issuing, ..credential }))
        };
        for (issuer, expected) in [
            (Some(of(issuing(3), Standing::Active)), [false, false, true]),
            (Some(of(issuing(3), Standing::Disabled)), [false, true, true]),
            (Some(of(None, Standing::Active)), [true; 3]),
            (Some(of(None, Standing::Disabled)), [true; 3]),
            (Some(of(None, |_| Standing::Deleted)), [true; 3]),
            (None, [true; 3]),
        ] {
            let mut known = ResolvedKey::new(finding(7, 8), None);
            known.issuer = issuer.map(Arc::new);
            let by = Issuer::Key(crate::testing::key_id());
            let found =
                [2, 3, 4].map(|number| known.is_before(by, SealingGeneration(number), false));
            assert_eq!(found, expected, "{:?}", known.issuer);
        }
        for (issuing, expected) in [(issuing(3), [false, false, true]), (None, [true; 3])] {
            let digest = crate::base::secret::Digest::of(b"password");
            let service = issuing.map(|issuing| ServicePassword { digest, issuing });
            let state = AccountState { service, ..AccountState::default() };
            let finding = Finding { state: Arc::new(state), ..finding(7, 8) };
            let known = ResolvedKey::new(finding, None);
            let is_before =
                |number| known.is_before(Issuer::Service, SealingGeneration(number), false);
            assert_eq!([2, 3, 4].map(is_before), expected);
        }
    }

    /// The lease may be refreshed between the two searches, and only one of them may need I/O.
    #[test]
    fn a_key_and_its_issuer_together_are_as_good_as_the_worse_of_both() {
        let stale = Finding { is_stale: true, basis: Basis::Document, ..finding(5, 9) };
        let of_both = |key: Finding, renew, issuer: Finding, more| {
            let mut known = ResolvedKey::new(key, renew);
            known.add_issuer(issuer, more);
            known
        };
        for known in [
            of_both(stale.clone(), Some(account()), finding(7, 8), None),
            of_both(finding(7, 8), None, stale, Some(account())),
        ] {
            assert_eq!((known.as_of(), known.basis()), (at(5), Basis::Document));
            assert_eq!((known.is_stale, known.renew()), (true, Some(account())));
            assert_eq!(known.state.revision, Revision(9), "the newer of both");
        }
        let fresh = of_both(finding(7, 8), None, finding(7, 8), None);
        assert_eq!((fresh.basis(), fresh.is_stale, fresh.renew()), (Basis::Ledger, false, None));
        for (key, issuer, both) in [
            (Source::Memory, Source::Ledger, Source::Ledger),
            (Source::Ledger, Source::Memory, Source::Ledger),
            (Source::Kv, Source::Ledger, Source::Kv),
        ] {
            let of = |source| Finding { source, ..finding(7, 8) };
            assert_eq!(of_both(of(key), None, of(issuer), None).source, both);
        }
    }
}
