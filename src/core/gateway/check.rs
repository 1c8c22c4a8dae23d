//! The check of one credential: its verdict, and the evidence that the verdict rests on.

use crate::base::id::AccountId;
use crate::lease::call::{Basis, Fetch, Source};
use crate::replication::record::Revision;
use crate::verify::verdict::Denial;
use crate::verify::verification::Verified;

/// One attempt to decide something: the result, or the I/O that it needs first.
#[derive(Debug)]
pub enum Attempted<T> {
    /// The result is final.
    Decided(T),
    /// The caller must fetch this first, and then try again.
    Fetch(Fetch),
    /// The caller must first ask the admin Worker whether both Workers fit, pass its answer to
    /// `Gateway::take_fit`, and then try again.
    AskAdmin,
}

impl<T> Attempted<T> {
    /// Converts the result, if there is one.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Attempted<U> {
        match self {
            Self::Decided(decided) => Attempted::Decided(convert(decided)),
            Self::Fetch(need) => Attempted::Fetch(need),
            Self::AskAdmin => Attempted::AskAdmin,
        }
    }
}

/// One attempt to check a credential.
pub type Check<V = Verified> = Attempted<Checked<V>>;

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
