//! Each rule that safety hangs on, as one small function.
//!
//! The functions are a trait with the right rules as its defaults, so that a simulation can break
//! one rule at a time and show that it notices. Nothing in production implements it but
//! [`ByTheBook`], which overrides nothing: the compiler sees plain calls.

use core::fmt::Debug;

use super::entries::Entries;
use crate::base::time::{DurationMs, UnixMs};
use crate::replication::record::{Epoch, Revision};

/// The rules of a lease. Override one only to show that it is needed.
pub trait Rules: Debug + 'static {
    /// As of when a reply is known to hold, given when its question was sent and when it was
    /// answered: a change between the two may be missing from it.
    fn as_of(sent: UnixMs, answered: UnixMs) -> UnixMs {
        let _ = answered;
        sent
    }

    /// The same of a neighbour's reply that says `said` and was asked for at `read`: however old it
    /// is when it is found.
    fn as_of_shared(said: UnixMs, read: UnixMs) -> UnixMs {
        let _ = read;
        said
    }

    /// Whether a lease that knows all changes up to `known` learns of all that it lacks from a copy
    /// that names those after `base`.
    fn is_covered(known: Revision, base: Revision) -> bool {
        known >= base
    }

    /// Whether a document is older than what is known, by their numbers.
    fn is_behind(number: u64, known: u64) -> bool {
        number < known
    }

    /// Whether knowledge as of `as_of` may serve a request that arrived at `arrival`, where it may
    /// be `within` old.
    fn is_usable(as_of: UnixMs, arrival: UnixMs, within: DurationMs) -> bool {
        as_of >= arrival.saturating_sub(within)
    }

    /// Whether a word counts in the history that the lease counts in.
    fn is_of_history(lease: Option<&Epoch>, word: &Epoch) -> bool {
        lease == Some(word)
    }

    /// Whether a word on one key that holds as of revision `valid_at` may enter a lease that knows
    /// all changes up to `known`. If the lease has seen later changes, one of them may have been
    /// this key's, and its mark may be gone again.
    fn may_enter(valid_at: Revision, known: Revision) -> bool {
        valid_at >= known
    }

    /// Whether the revision `new` of a key replaces the revision `known`.
    fn replaces(new: Revision, known: Revision) -> bool {
        new > known
    }

    /// What of a lease that has ended the next one begins with: nothing.
    fn inherited(ended: Entries) -> Entries {
        drop(ended);
        Entries::default()
    }

    /// Whether an entry may be forgotten to make room. Of one that KV may have wrong, the mark
    /// stays.
    fn may_forget(is_unsettled: bool) -> bool {
        !is_unsettled
    }

    /// Whether an edge may issue what an issuer asks for, given whether the ledger has told of the
    /// issuer since it asked.
    fn may_issue(is_told: bool) -> bool {
        is_told
    }

    /// Whether a set of what KV may have wrong was certainly made after the one before. Of the same
    /// revision, sets differ by what has settled or was found to be wrong: then only if it was
    /// asked for after the other had come.
    fn is_later(is_of_higher_revision: bool, is_asked_later: bool) -> bool {
        is_of_higher_revision || is_asked_later
    }

    /// Whether KV counts for nothing after a reply: it said so, or some of its set could not be
    /// kept, or an earlier one said so and this one was not certainly made later.
    fn is_overflow(was: bool, told: bool, is_all_kept: bool, is_later: bool) -> bool {
        told || !is_all_kept || (was && !is_later)
    }
}

/// The rules as they are.
#[derive(Clone, Copy, Debug)]
pub struct ByTheBook;

impl Rules for ByTheBook {}
