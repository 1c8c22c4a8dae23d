//! What a check rests on: the findings about a key and its issuer, put together.

use std::sync::Arc;

use crate::base::id::{AccountId, KeyId};
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::issuer::{Issuer, Issuing, SealingGeneration};
use crate::credential::key::MadeKey;
use crate::credential::sealed::MadeSealed;
use crate::gateway::gateway::{Check, Checked, Evidence, Gateway};
use crate::lease::call::{Basis, Finding, Found, Lookup, Need, Source};
use crate::lease::entries::Word;
use crate::lease::rules::Rules;
use crate::replication::record::{Record, Standing};
use crate::replication::refresh::AccountState;
use crate::verify::verdict::Denial;
use crate::verify::verification::Known;

impl<R: Rules> Gateway<R> {
    /// What is known of a key, and of the key that issued it.
    pub(super) fn known_of(
        &mut self,
        id: KeyId,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Result<Knowledge, Lack> {
        let (finding, renew) = self.leases.find(id, arrival, now, lookup).into_result()?;
        let mut known = Knowledge::new(finding, renew);
        match issuer_of(known.record.as_deref()) {
            Some(Issuer::Key(issuer)) => {
                let found = self.leases.find_issuer(issuer, arrival, now, lookup);
                let (finding, renew) = found.into_result()?;
                known.add_issuer(finding, renew);
            }
            // The ledger may have been asked for it since: see `doubts`.
            Some(Issuer::Service) if lookup.has_heard(Need::State(id.account())) => {
                let (finding, _) =
                    self.leases.find_state(id.account(), arrival, now, lookup).into_result()?;
                known.state = finding.state;
            }
            Some(Issuer::Service) | None => {}
        }
        Ok(known)
    }

    /// What is known of a sealed key: of its issuer, and of its account.
    pub(super) fn known_of_sealed(
        &mut self,
        made: &MadeSealed,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Result<Knowledge, Lack> {
        match made.claims().issuer {
            Issuer::Key(issuer) => {
                let found = self.leases.find_issuer(issuer, arrival, now, lookup);
                let (finding, renew) = found.into_result()?;
                let mut known = Knowledge::new(finding, renew);
                known.issuer = known.record.take();
                Ok(known)
            }
            Issuer::Service => self.known_of_account(made.account(), arrival, now, lookup),
        }
    }

    /// What is known of an account alone.
    pub(super) fn known_of_account(
        &mut self,
        account: AccountId,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Result<Knowledge, Lack> {
        let (finding, renew) =
            self.leases.find_state(account, arrival, now, lookup).into_result()?;
        let Finding { state, source, as_of, basis, is_stale, is_counted, .. } = finding;
        let (record, issuer) = (None, None);
        Ok(Knowledge { record, issuer, state, source, as_of, basis, is_stale, is_counted, renew })
    }
}

/// A credential of ours.
pub(super) enum Presented {
    Key(MadeKey),
    Sealed(MadeSealed),
}

/// What keeps a check from a verdict.
pub(super) enum Lack {
    Need(Need),
    OutOfReach,
}

impl<V> From<Lack> for Check<V> {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Need(need) => Self::Need(need),
            Lack::OutOfReach => Self::Verdict(Checked::without_evidence(Denial::Unavailable)),
        }
    }
}

impl<W> Found<W> {
    fn into_result(self) -> Result<(Finding<W>, Option<AccountId>), Lack> {
        match self {
            Self::Finding(finding, renew) => Ok((finding, renew)),
            Self::Need(need) => Err(Lack::Need(need)),
            Self::OutOfReach => Err(Lack::OutOfReach),
        }
    }
}

/// What a verdict rests on.
pub(super) struct Knowledge {
    record: Option<Arc<Record>>,
    issuer: Option<Arc<Record>>,
    state: Arc<AccountState>,
    source: Source,
    as_of: UnixMs,
    basis: Basis,
    is_stale: bool,
    /// The ledger has counted a use, if the key is active.
    pub(super) is_counted: bool,
    renew: Option<AccountId>,
}

impl Knowledge {
    fn new(finding: Finding, renew: Option<AccountId>) -> Self {
        let Finding { word, state, source, as_of, basis, is_stale, is_counted } = finding;
        Self {
            record: record(word),
            issuer: None,
            state,
            source,
            as_of,
            basis,
            is_stale,
            is_counted,
            renew,
        }
    }

    /// Both findings hold for the request; what they rest on together is as old as the older of
    /// them.
    fn add_issuer(&mut self, finding: Finding, renew: Option<AccountId>) {
        self.issuer = record(finding.word);
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

    /// The record of the key itself.
    pub(super) fn record(&self) -> Option<&Record> {
        self.record.as_deref()
    }

    /// As of when it is known.
    pub(super) fn as_of(&self) -> UnixMs {
        self.as_of
    }

    /// What that rests on.
    pub(super) fn basis(&self) -> Basis {
        self.basis
    }

    /// Whether this is from before `issuer` had the sealing generation `generation`, as far as
    /// generations tell.
    pub(super) fn is_before(&self, issuer: Issuer, generation: SealingGeneration) -> bool {
        let is_lower = |issuing: Option<&Issuing>| {
            issuing.is_none_or(|issuing| issuing.generation < generation)
        };
        match (issuer, self.issuer.as_deref().map(|record| &record.standing)) {
            (Issuer::Service, _) => {
                is_lower(self.state.service.as_ref().map(|service| &service.issuing))
            }
            (Issuer::Key(_), Some(Standing::Active(credential))) => {
                is_lower(credential.issuing.as_ref())
            }
            // It has this generation since it was disabled, and has issued in it since it was
            // enabled again.
            (Issuer::Key(_), Some(Standing::Disabled(credential))) => {
                credential.issuing.as_ref().is_none_or(|issuing| issuing.generation <= generation)
            }
            (Issuer::Key(_), Some(Standing::Deleted) | None) => true,
        }
    }

    pub(super) fn borrow(&self) -> Known<'_> {
        Known { record: self.record.as_deref(), issuer: self.issuer.as_deref(), state: &self.state }
    }

    /// Whose lease to renew meanwhile.
    pub(super) fn renew(&self) -> Option<AccountId> {
        self.renew
    }

    pub(super) fn conclude<V>(&self, verdict: Result<V, Denial>, now: UnixMs) -> Check<V> {
        let told = self.record.as_deref().or(self.issuer.as_deref());
        let evidence = Evidence {
            source: self.source,
            age_ms: now.since(self.as_of).map_or(0, DurationMs::as_ms),
            revision: told.map(|record| record.revision),
            basis: self.basis,
            is_stale: self.is_stale,
        };
        Check::Verdict(Checked { verdict, evidence: Some(evidence), renew: self.renew })
    }
}

fn record(word: Word) -> Option<Arc<Record>> {
    match word {
        Word::Record(record) => Some(record),
        Word::NoSuchKey => None,
    }
}

/// The issuer of a living key.
fn issuer_of(record: Option<&Record>) -> Option<Issuer> {
    match &record?.standing {
        Standing::Active(credential) | Standing::Disabled(credential) => {
            Some(credential.issued.as_ref()?.by)
        }
        Standing::Deleted => None,
    }
}
