//! What goes wrong on purpose, to see that it is noticed: rules of a lease that are broken, ledgers
//! and adapters that lie.

use std::cell::Cell;

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
    /// Nothing, and members regenerate keys.
    NoneInRotation,
    /// Nothing, and leases come from documents, whose reading takes long.
    NoneInDocuments,
    /// Nothing, and calls to the ledger take long.
    NoneInSlowness,
    /// Refreshes name nothing as unsettled.
    SettledAtOnce,
    /// Refreshes name no changes.
    ChangesUntold,
    /// Refreshes hide that the account is suspended.
    StateUntold,
    /// Refreshes hide that a member has turned MFA off.
    MfaUntold,
    /// The ledger's answers name no member.
    MembersUntold,
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
    /// A call that repeats one that failed carries no uses.
    BatchesDropped,
    /// A call without a lease carries no uses.
    UsesDieWithLeases,
    /// All isolates have one name, so that the numbers of their batches begin again with each.
    IsolatesAlike,
    /// A late reply to an earlier call of an isolate counts as the reply to its last.
    LastCallAnswered,
    /// A put counts as acknowledged when it was sent.
    SettledFromSending,
    /// Puts of unknown outcome are forgotten.
    UnsureForgotten,
    /// KV is read back at once, when a put was acknowledged.
    ReadBackAtOnce,
    /// Edges apply the networks of an issued key, and not those of its issuer's ceiling.
    IssuersNetworksIgnored,
    /// Edges apply the end of an issued key, and not when its issuer begins and ends.
    IssuersSpanIgnored,
}

impl Sabotage {
    /// Whether an adversary takes part.
    pub fn is_about_attacks(self) -> bool {
        matches!(self, Self::Attacked | Self::MacsUnchecked)
    }

    /// Whether it shows only where the moments of an exchange are far apart.
    pub fn is_about_time(self) -> bool {
        matches!(self, Self::NoneInDocuments | Self::NoneInSlowness)
    }

    /// Whether it shows only where MFA is demanded and turned off.
    pub fn is_about_mfa(self) -> bool {
        matches!(self, Self::MfaUntold | Self::MembersUntold)
    }

    /// Whether it shows only where there are issuers.
    pub fn is_about_issuers(self) -> bool {
        use Sabotage::{
            CapUntold, GenerationsUntold, IssuersNetworksIgnored, IssuersSpanIgnored,
            LiftedCeilingsUntold, LowerCeilingsUntold, NoneOfIssuers, RevocationsUntold,
            SwitchingUntold,
        };
        matches!(
            self,
            CapUntold
                | GenerationsUntold
                | IssuersNetworksIgnored
                | IssuersSpanIgnored
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
thread_local! {
    /// When the ledger gave the reply that an isolate takes now, by its own clock.
    pub static ANSWERED: Cell<i64> = const { Cell::new(0) };
}

bug! {
    /// A reply counts from when the ledger gave it.
    AsOfAnswer { fn as_of(_: UnixMs, _: UnixMs) -> UnixMs { UnixMs::from_ms(ANSWERED.get()) } }
}
bug! {
    /// A reply counts from halfway between its call and its coming.
    AsOfMiddle {
        fn as_of(sent: UnixMs, answered: UnixMs) -> UnixMs {
            UnixMs::from_ms(sent.as_ms() / 2 + answered.as_ms() / 2)
        }
    }
}
bug! {
    /// A document counts from when its reading came back.
    AsOfReading { fn as_of_document(_: UnixMs, read: UnixMs) -> UnixMs { read } }
}
bug! {
    /// Each failure begins the grace again.
    GraceRenewed { fn grace_from(_: Option<UnixMs>, failed: UnixMs) -> UnixMs { failed } }
}
bug! {
    /// Of two changes of an isolate's own, the last to be heard of counts, not the newest.
    LastChangeCounts { fn floor(_: Revision, own: Revision) -> Revision { own } }
}
bug! {
    /// Copies from before a change of an isolate's own are taken.
    OlderCopyTaken { fn is_before_change(_: Revision, _: Revision) -> bool { false } }
}
bug! {
    /// A set settles marks that are newer than it.
    AnySetSettles { fn is_settled_by(_: Revision, _: Revision) -> bool { true } }
}
bug! {
    /// Whatever names the unsettled keys ends an overflow.
    OverflowCleared {
        fn is_overflow(_: bool, is_reported: bool, is_all_kept: bool, _: bool) -> bool {
            is_reported || !is_all_kept
        }
    }
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
