//! Defines the rules that safety depends on, each as one small function.
//!
//! The rules are default methods of a trait. A simulation overrides one rule at a time and so shows
//! that its checks notice the fault. In production, only [`ProductionRules`] implements the trait.
//! It overrides nothing, so the compiler sees plain calls.

use core::fmt::Debug;

use super::cached_key::CachedKey;
use crate::base::time::{DurationMs, UnixMs};
use crate::replication::record::{Epoch, Revision};

/// The rules of a lease. Override one only to show that it is needed.
pub trait LeaseRules: Debug + 'static {
    /// Returns the time as of which a reply holds, given the times of the call and of the reply. It
    /// is the time of the call: the reply may lack a change made between the two.
    fn as_of(sent: UnixMs, answered: UnixMs) -> UnixMs {
        let _ = answered;
        sent
    }

    /// Returns the time as of which a shared reply holds. It is the time `stated` in the reply, not
    /// the time `read` at which the isolate found it.
    fn as_of_shared(stated: UnixMs, read: UnixMs) -> UnixMs {
        let _ = read;
        stated
    }

    /// Returns the time as of which a lease counts that rests on a document, given the times at
    /// which the read was `sent` and at which its result came. KV may have answered at any time
    /// between the two.
    fn as_of_document(sent: UnixMs, read: UnixMs) -> UnixMs {
        let _ = read;
        sent
    }

    /// Returns the time from which on the grace of an outage counts, after a call that failed at
    /// `failed`. `first` is the time of the first failure since the last answer; a retry does not
    /// prolong the grace.
    fn grace_from(first: Option<UnixMs>, failed: UnixMs) -> UnixMs {
        first.unwrap_or(failed)
    }

    /// Returns the revision below which the isolate takes no copy, after a change of the revision
    /// `own` was committed through it. The isolate may learn of two changes in either order.
    fn floor(known: Revision, own: Revision) -> Revision {
        known.max(own)
    }

    /// Returns `true` if a copy is older than a change that was committed through this isolate.
    fn is_before_change(copy: Revision, floor: Revision) -> bool {
        copy < floor
    }

    /// Returns `true` if a copy that names all changes after `base` completes a lease that knows
    /// all changes up to `known`.
    fn is_covered(known: Revision, base: Revision) -> bool {
        known >= base
    }

    /// Returns `true` if the document `number` is older than the newest `known` number.
    fn is_behind(number: u64, known: u64) -> bool {
        number < known
    }

    /// Returns `true` if a lease as of `as_of` may serve a request that arrived at `arrival`, where
    /// `within` is the highest allowed age.
    fn is_usable(as_of: UnixMs, arrival: UnixMs, within: DurationMs) -> bool {
        as_of >= arrival.saturating_sub(within)
    }

    /// Returns `true` if an answer of the epoch `answer` counts in the epoch of the lease.
    fn is_of_history(lease: Option<&Epoch>, answer: &Epoch) -> bool {
        lease == Some(answer)
    }

    /// Returns `true` if an answer about one key that holds as of revision `valid_at` may enter a
    /// lease that knows all changes up to `known`. A later change that the lease has seen may
    /// concern this key, and its mark may already be gone.
    fn may_enter(valid_at: Revision, known: Revision) -> bool {
        valid_at >= known
    }

    /// Returns `true` if the isolate may read a key's record from KV. An earlier record of a
    /// superseded key may be put back into KV at any time.
    fn may_read_kv(is_superseded: bool) -> bool {
        !is_superseded
    }

    /// Returns `true` if a record from KV is of a revision that the lease knew, at `known`, when
    /// the isolate read KV. The ledger alone can say if a later revision exists.
    fn is_of_lease(revision: Revision, known: Revision) -> bool {
        revision <= known
    }

    /// Returns `true` if the revision `new` of a key replaces the revision `known`.
    fn replaces(new: Revision, known: Revision) -> bool {
        new > known
    }

    /// Returns `true` if the next lease takes over an ended lease's answer about a key. It never
    /// does.
    fn is_inherited(cached: &CachedKey) -> bool {
        let _ = cached;
        false
    }

    /// Returns `true` if an entry may be dropped to make room. The mark of an unsettled key must
    /// stay.
    fn may_forget(is_unsettled: bool) -> bool {
        !is_unsettled
    }

    /// Returns `true` if an edge may issue a key. `is_confirmed` says whether the ledger has
    /// confirmed the issuer since the request arrived.
    fn may_issue(is_confirmed: bool) -> bool {
        is_confirmed
    }

    /// Returns `true` if a set of unsettled keys was certainly made after the set before it. Sets
    /// of the same revision can differ: keys settle, or a repair finds new faults. Then the later
    /// one is certain only if it was requested after the earlier one had arrived.
    fn is_later(is_of_higher_revision: bool, is_asked_later: bool) -> bool {
        is_of_higher_revision || is_asked_later
    }

    /// Returns `true` if a later set that does not name a key settles the key's mark. The set holds
    /// as of the revision `set`. It says nothing about a later change, which was committed through
    /// this isolate meanwhile.
    fn is_settled_by(mark: Revision, set: Revision) -> bool {
        mark <= set
    }

    /// Returns `true` if the lease must not rely on KV after a reply. There are three reasons: the
    /// reply reports overflow, the lease could not keep the whole set, or the lease was in overflow
    /// and this reply is not certainly later.
    fn is_overflow(was: bool, is_reported: bool, is_all_kept: bool, is_later: bool) -> bool {
        is_reported || !is_all_kept || (was && !is_later)
    }
}

/// The production rules: every default, unchanged.
#[derive(Clone, Copy, Debug)]
pub struct ProductionRules;

impl LeaseRules for ProductionRules {}
