//! What goes wrong on purpose, to see that it is noticed: rules of a lease that are broken, ledgers
//! and adapters that lie.

use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::lease::cached_key::CachedKey;
use claviger_core::lease::rules::LeaseRules;
use claviger_core::replication::record::{Epoch, Revision};

/// What the ledger's side does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Nothing.
    None,
    /// Nothing, and members have issuers.
    NoneOfIssuers,
    /// Refreshes name nothing as unsettled.
    SettledAtOnce,
    /// Refreshes name no changes.
    ChangesUntold,
    /// Refreshes hide that the account is suspended.
    StateUntold,
    /// Some lease documents are lost and reported as put, and reading back finds what it looks for.
    DocumentsLost,
    /// Refreshes hide that what an issuer had issued was ended.
    GenerationsUntold,
    /// Refreshes hide which sealed keys were revoked.
    RevocationsUntold,
    /// Refreshes hide that what an issuer had issued was ended since there was no room for another
    /// revocation.
    CapUntold,
    /// Refreshes hide that what an issuer had issued was ended when it was switched off.
    SwitchingUntold,
    /// Refreshes hide that a key may issue no more.
    LiftedCeilingsUntold,
    /// Refreshes hide that a ceiling was lowered.
    LowerCeilingsUntold,
    /// Every put lands a second time, long after.
    PutsTwice,
    /// Some puts are lost and reported as done, and reading back asks the ledger instead of KV.
    BlindReadBack,
    /// The adapter deletes what it ought to overwrite with a tombstone.
    DeletedRemoved,
    /// KV serves what is older than S.
    KvBeyondS,
    /// Isolates take a stranger's tags for their own.
    TagsUnchecked,
    /// A ledger that was restored is never told its new history.
    HistoryUntold,
    /// Leases serve past T while the ledger is out of reach, and nobody knows.
    GraceUnannounced,
    /// Nothing, and an adversary writes KV.
    Attacked,
    /// An adversary writes KV, and isolates believe values without a MAC.
    MacsUnchecked,
    /// A repeated batch of uses comes under a new number.
    FreshSequences,
}

impl Sabotage {
    /// Whether an adversary takes part.
    pub fn is_about_attacks(self) -> bool {
        matches!(self, Self::Attacked | Self::MacsUnchecked)
    }

    /// Whether it shows only where there are issuers.
    pub fn is_about_issuers(self) -> bool {
        use Sabotage::{
            CapUntold, GenerationsUntold, LiftedCeilingsUntold, LowerCeilingsUntold, NoneOfIssuers,
            RevocationsUntold, SwitchingUntold,
        };
        matches!(
            self,
            CapUntold
                | GenerationsUntold
                | LiftedCeilingsUntold
                | LowerCeilingsUntold
                | NoneOfIssuers
                | RevocationsUntold
                | SwitchingUntold
        )
    }
}

/// An empty type that breaks one rule.
macro_rules! bug {
    ($(#[$doc:meta])* $name:ident { $($rule:item)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl LeaseRules for $name { $($rule)* }
    };
}

bug! {
    /// A reply counts from when it came.
    AsOfReply { fn as_of(_: UnixMs, answered: UnixMs) -> UnixMs { answered } }
}
bug! {
    /// A neighbour's reply counts from when it is found.
    AsOfFinding { fn as_of_shared(_: UnixMs, read: UnixMs) -> UnixMs { read } }
}
bug! {
    /// What a copy does not name has not changed.
    BaseIgnored { fn is_covered(_: Revision, _: Revision) -> bool { true } }
}
bug! {
    /// The last document to be read counts, not the newest.
    LastDocumentCounts { fn is_behind(_: u64, _: u64) -> bool { false } }
}
bug! {
    /// A lease serves half as long again.
    LongHorizon {
        fn is_usable(as_of: UnixMs, arrival: UnixMs, within: DurationMs) -> bool {
            as_of >= arrival.saturating_sub(DurationMs::from_ms(within.as_ms() + within.as_ms() / 2))
        }
    }
}
bug! {
    /// Superseded keys are read from KV.
    SupersededRead { fn may_read_kv(_: bool) -> bool { true } }
}
bug! {
    /// All histories are one.
    EpochIgnored { fn is_of_history(_: Option<&Epoch>, _: &Epoch) -> bool { true } }
}
bug! {
    /// Records survive their lease.
    RecordsSurvive { fn is_inherited(_: &CachedKey) -> bool { true } }
}
bug! {
    /// Negative answers survive their lease.
    NegativesSurvive {
        fn is_inherited(cached: &CachedKey) -> bool { *cached == CachedKey::NoSuchKey }
    }
}
bug! {
    /// A mark is forgotten to make room.
    MarkEvicted { fn may_forget(_: bool) -> bool { true } }
}
bug! {
    /// Overflow counts for nothing.
    OverflowForgotten { fn is_overflow(_: bool, _: bool, _: bool, _: bool) -> bool { false } }
}
bug! {
    /// What holds as of an older revision than the lease's enters.
    LateWordEnters { fn may_enter(_: Revision, _: Revision) -> bool { true } }
}
bug! {
    /// The last word to come counts, not the newest.
    LastWordCounts { fn replaces(_: Revision, _: Revision) -> bool { true } }
}
bug! {
    /// The last set to come counts, not the newest.
    LastSetCounts { fn is_later(_: bool, _: bool) -> bool { true } }
}
bug! {
    /// The first word counts, not the newest.
    FirstWordCounts { fn replaces(_: Revision, _: Revision) -> bool { false } }
}
bug! {
    /// An edge issues by what its lease says.
    LeaseIssues { fn may_issue(_: bool) -> bool { true } }
}
