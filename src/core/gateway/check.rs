//! The check of one credential: its verdict, and the evidence that the verdict rests on.

use crate::base::id::AccountId;
use crate::lease::call::{Basis, Fetch, Source};
use crate::replication::record::Revision;
use crate::verify::verdict::Denial;
use crate::verify::verification::Verified;

/// The result of checking one credential, as far as the isolate can decide it.
#[derive(Debug)]
pub enum Check<V = Verified> {
    /// The verdict is final.
    Verdict(Checked<V>),
    /// The caller must fetch this first, and then check again.
    Fetch(Fetch),
    /// The caller must first ask the admin Worker whether both Workers fit, pass its answer to
    /// `Gateway::take_fit`, and then check again.
    AskAdmin,
}

/// A verdict and its evidence.
#[derive(Debug)]
pub struct Checked<V = Verified> {
    /// The verdict.
    pub verdict: Result<V, Denial>,
    /// Evidence for the verdict; `None` if the string alone decided it, or if the ledger was out
    /// of reach.
    pub evidence: Option<Evidence>,
    /// Account whose lease to refresh in the background.
    pub renew: Option<AccountId>,
}

impl<V> Checked<V> {
    /// Returns a denial without evidence.
    pub(crate) fn without_evidence(denial: Denial) -> Self {
        Self { verdict: Err(denial), evidence: None, renew: None }
    }
}

/// The evidence that a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Source of the facts.
    pub source: Source,
    /// Age of the facts, in milliseconds.
    pub age_ms: u64,
    /// Revision of the record; `None` when there is none.
    pub revision: Option<Revision>,
    /// Kind of source that the account's lease rests on.
    pub basis: Basis,
    /// `true` if the facts are older than T, and used because the ledger is out of reach.
    pub is_stale: bool,
}
