//! The lease: what one isolate knows of one account, and until when it may rely on it.
//!
//! # The rules
//! 1. A request may use a lease iff `as_of ≥ arrival − T`; `as_of` is the local time at which the
//!    refresh was *sent*. From T/2 on (and a little, drawn by lot) a request also has it refreshed
//!    in the background.
//! 2. Cold start: the refresh must happen anyway, so it asks for the credential too; KV is not
//!    read.
//! 3. Under a lease: cached record ▸ ID unsettled, or overflow: the ledger ▸ KV ▸ the ledger. A
//!    negative answer is a record too.
//! 4. Records and marks are one map ([`entries`]) in which only a higher revision replaces;
//!    revision and `as_of` only rise. A lease is one *incarnation*: it ends on a new epoch, on
//!    `reset`, on a clock that steps back, on eviction, and after [`LIFE_IN_T`] T without a
//!    refresh; records end with it, and a reply that was asked under another incarnation or epoch
//!    is thrown away.
//! 5. Requests share these data and nothing else. That a refresh is in flight is a time stamp, dead
//!    after [`IN_FLIGHT`]; whoever would wait sends its own.
//! 6. Time that goes back drops all leases.
//! 7. Uses ride on refreshes ([`usage`]).
//!
//! # What else a lease may rest on
//! Two shelves hold copies of what ledgers have said ([`shelf`]). A reply that a *neighbour* in the
//! data centre was given counts like an own one, as of a second before the neighbour asked. A
//! *document* ([`crate::replication::document`]) that the ledger has published to KV is as
//! consistent as a reply, but nobody knows how old it is. It counts
//! - where the deployment's freshness is `eventual`: then `as_of` is when it was read, and a lease
//!   is usable for T after a document, old or new, was read last. The ledger is only asked about
//!   keys that the document says KV may have wrong, that KV does not have, and where there is no
//!   document;
//! - under `bounded` with `grace`, in an isolate without a usable lease, from the first call that
//!   failed until the grace is over, however often it is read, and marked as stale. A call that is
//!   answered ends that.
//!
//! **No change is missed under documents.** Each names all changes after its `base`, and a lease
//! that knows less drops its records, so that it does not matter which documents it has seen. It
//! would not matter anyhow while it saw one more often than every S: a change stays unsettled, and
//! so is named by every document, for S at least ([`SETTLE_MS`]). A lease that has not been renewed
//! for that long, [`DOCUMENT_LIFE`], ends, so that both arguments hold.
//!
//! **None goes back.** A document of a lower number than any known of, or of a history that is
//! known to be over, is not taken. Where KV is behind what the lease knows, reading it shows at
//! least that it is no further: the lease may be used on, but it is not renewed.
//!
//! # Why a late word is dangerous, and what is done
//! A lease at revision `known` has seen every change up to it, and forgotten those that have
//! settled. A word on a key that is older than `known` may lack one of them, though nothing in the
//! map contradicts it. So a word enters only if it holds as of `known` or later
//! ([`Rules::may_enter`]): a ledger's answer holds as of the reply's revision; a record, wherever
//! it comes from, as of its own; what KV held also as of the `known` under which it was asked. A
//! request may use what it was told itself all the same: it asked after it had arrived.
//!
//! | module | what |
//! | --- | --- |
//! | this | one lease and how a reply changes it |
//! | [`rules`] | what safety hangs on, one function each |
//! | [`entries`] | the one map |
//! | [`usage`] | uses on their way to the ledger |
//! | [`call`] | questions and what comes back |
//! | [`shelf`] | copies of what ledgers have said, and what is done in the background |
//! | `account` | what an isolate keeps of each account, in bounded memory |
//! | [`isolate`] | all leases of an isolate: calls and what comes of them, the clock, bounds, eviction, counters |

use core::marker::PhantomData;
use std::sync::Arc;

use crate::base::id::KeyId;
use crate::base::time::{DurationMs, UnixMs};
use crate::lease::call::{Basis, Heard, Tenure};
use crate::lease::entries::{Entered, Entries, Word};
use crate::lease::rules::Rules;
use crate::replication::record::{Epoch, Record, Revision};
use crate::replication::refresh::{
    AccountState, Delta, FRESHNESS_MS, Mark, Refresh, SETTLE_MS, Unsettled,
};

/// After so many T without a refresh a lease ends. What it knows would still be true, but most of
/// it of no use: at the default T it is 100 s old.
pub const LIFE_IN_T: u64 = 10;

/// After so long a refresh that was begun counts for nothing: the platform may have cancelled it
/// with its request.
pub const IN_FLIGHT: DurationMs = DurationMs::from_s(1);

/// How long one call to a ledger may take. A ledger answers in some milliseconds, from another
/// continent in some hundred.
pub const REFRESH_TIMEOUT: DurationMs = DurationMs::from_s(2);

/// How often a refresh is tried.
pub const REFRESH_ATTEMPTS: u32 = 2;

/// How long it is remembered that a ledger was out of reach, where `grace` lets requests go on
/// without waiting for it: both attempts of a background refresh and the pause before the next.
pub const OUTAGE_MEMORY: DurationMs = DurationMs::from_s(5);

/// How long after a request has waited for a ledger in vain the others do not wait for it, but are
/// refused at once.
pub const GIVEN_UP: DurationMs = DurationMs::from_s(1);

/// After so long without a document that is no older than the last a lease that rests on documents
/// ends.
pub const DOCUMENT_LIFE: DurationMs = DurationMs::from_s(10 * 60);

const _: () = assert!(DOCUMENT_LIFE.as_ms() <= SETTLE_MS);

/// What an isolate knows of one account.
#[derive(Debug)]
pub struct Lease<R> {
    /// Unique within the isolate.
    incarnation: u64,
    /// The history it counts in; `None`: the ledger knows no such account.
    epoch: Option<Epoch>,
    /// It has seen every change up to this.
    known: Revision,
    state: Arc<AccountState>,
    as_of: UnixMs,
    /// What `as_of` rests on.
    basis: Basis,
    /// When it was last seen that it may be used on: `as_of`, or when a document was read that told
    /// nothing new.
    checked: UnixMs,
    /// Documents of higher numbers were made after all that it knows.
    document: u64,
    /// At which age it is refreshed in the background.
    renewal: DurationMs,
    entries: Entries,
    /// KV counts for nothing.
    is_overflow: bool,
    /// Replies taken so far: tells whether a reply was asked after the last of them.
    taken: u64,
    rules: PhantomData<fn() -> R>,
}

/// What a lease says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// This. `is_young` is as in [`Entered::Word`].
    Word {
        /// What is known.
        word: Word,
        /// Whether it was used in the present generation before.
        is_young: bool,
    },
    /// Only the ledger can tell.
    AskLedger,
    /// KV can tell.
    AskKv,
}

/// What became of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The lease knows what it says.
    Kept,
    /// The lease has ended with it: the next one begins with it.
    Ended,
}

impl<R: Rules> Lease<R> {
    /// The lease that a reply begins. `state` is the account's, from the reply or confirmed by it.
    pub fn begin(
        incarnation: u64,
        heard: Heard,
        reply: &Refresh,
        state: Arc<AccountState>,
        ended: Option<Self>,
    ) -> Self {
        let entries = ended.map(|lease| R::inherited(lease.entries)).unwrap_or_default();
        let mut lease = Self {
            incarnation,
            epoch: Some(reply.epoch.clone()),
            known: reply.revision,
            state,
            as_of: heard.as_of,
            basis: heard.basis,
            checked: heard.as_of,
            document: reply.document,
            renewal: DurationMs::default(),
            entries,
            is_overflow: false,
            taken: 1,
            rules: PhantomData,
        };
        lease.take_unsettled(reply, true);
        lease
    }

    /// The lease on an account that its ledger does not know: every key of it is unknown.
    pub fn gone(incarnation: u64, heard: Heard) -> Self {
        let state = AccountState {
            revision: Revision(0),
            freshness_ms: FRESHNESS_MS.into(),
            ..AccountState::default()
        };
        Self {
            incarnation,
            epoch: None,
            known: Revision(0),
            state: Arc::new(state),
            as_of: heard.as_of,
            basis: heard.basis,
            checked: heard.as_of,
            document: 0,
            renewal: DurationMs::default(),
            entries: Entries::default(),
            is_overflow: false,
            taken: 1,
            rules: PhantomData,
        }
    }

    /// Takes a reply: one that was asked under this incarnation, or a copy of one that is of use to
    /// it.
    pub fn take(&mut self, heard: Heard, reply: &Refresh, state: &Arc<AccountState>) -> Taken {
        if !R::is_of_history(self.epoch.as_ref(), &reply.epoch) {
            return Taken::Ended;
        }
        let is_newest = reply.revision >= self.known;
        if is_newest {
            match &reply.delta {
                Delta::Reset => return Taken::Ended,
                Delta::Changes(marks) => {
                    marks.iter().for_each(|mark| self.entries.note_change::<R>(*mark))
                }
            }
            let is_later_document =
                heard.basis == Basis::Document && reply.document > self.document;
            let is_asked_later = heard.taken == Some(self.taken) || is_later_document;
            let is_later = R::is_later(reply.revision > self.known, is_asked_later);
            self.take_unsettled(reply, is_later);
            self.known = reply.revision;
            self.document = self.document.max(reply.document);
        }
        if state.revision > self.state.revision {
            self.state = Arc::clone(state);
        }
        // An older reply than the last still proves that nothing was missed until it was sent. When
        // a document was read proves nothing of the kind, so that the ledger's word puts it in its
        // place.
        if heard.as_of > self.as_of || (heard.basis, self.basis) == (Basis::Ledger, Basis::Document)
        {
            (self.as_of, self.basis) = (heard.as_of, heard.basis);
        }
        self.check(heard.as_of);
        self.taken = self.taken.saturating_add(1);
        Taken::Kept
    }

    /// Notes that at `at` it was seen that it may be used on.
    pub fn check(&mut self, at: UnixMs) {
        self.checked = self.checked.max(at);
    }

    fn take_unsettled(&mut self, reply: &Refresh, is_later: bool) {
        let (is_told, is_all_kept) = match &reply.unsettled {
            Unsettled::Overflow => (true, true),
            Unsettled::Set(set) => {
                (false, self.entries.take_unsettled::<R>(set, reply.revision, is_later))
            }
        };
        self.is_overflow = R::is_overflow(self.is_overflow, is_told, is_all_kept, is_later);
    }

    /// Takes a word on `id` that holds as of the account's revision `valid_at` and, of the key, as
    /// of `revision`. Whether it was taken.
    pub fn enter(
        &mut self,
        id: KeyId,
        word: Word,
        revision: Revision,
        valid_at: Revision,
        generation: u32,
    ) -> bool {
        R::may_enter(valid_at, self.known) && self.entries.put::<R>(id, revision, word, generation)
    }

    /// Takes a record that KV held when it was asked under this lease at revision `known`. Whether
    /// it was taken.
    pub fn enter_from_kv(
        &mut self,
        record: &Arc<Record>,
        known: Revision,
        generation: u32,
    ) -> bool {
        let is_evidence = R::is_of_history(self.epoch.as_ref(), &record.epoch) && !self.is_overflow;
        let word = Word::Record(Arc::clone(record));
        is_evidence
            && self.enter(record.id, word, record.revision, known.max(record.revision), generation)
    }

    /// Takes the record of a change that was committed through this isolate. The lease knows no
    /// other change because of it.
    pub fn enter_change(&mut self, record: Record, generation: u32) -> bool {
        let (id, revision) = (record.id, record.revision);
        let is_taken =
            self.enter(id, Word::Record(Arc::new(record)), revision, revision, generation);
        if is_taken && !self.entries.note_unsettled::<R>(Mark { id, revision }) {
            self.is_overflow = true;
        }
        is_taken
    }

    /// What is known of a key.
    pub fn say(&mut self, id: KeyId, generation: u32) -> Said {
        if self.epoch.is_none() {
            return Said::Word { word: Word::NoSuchKey, is_young: true };
        }
        match self.entries.find(id, generation) {
            Entered::Word { word, is_young } => Said::Word { word, is_young },
            Entered::Unsettled => Said::AskLedger,
            Entered::Nothing if self.is_overflow => Said::AskLedger,
            Entered::Nothing => Said::AskKv,
        }
    }

    /// Whether a request that arrived at `arrival` may use it, where it may be `more` older than T.
    /// It must rest on its ledger's word.
    pub fn is_usable(&self, arrival: UnixMs, more: DurationMs) -> bool {
        self.basis == Basis::Ledger && R::is_usable(self.as_of, arrival, self.within(more))
    }

    /// The same where documents count.
    pub fn is_usable_by_document(&self, arrival: UnixMs, more: DurationMs) -> bool {
        R::is_usable(self.checked, arrival, self.within(more))
    }

    fn within(&self, more: DurationMs) -> DurationMs {
        DurationMs::from_ms(self.freshness().as_ms().saturating_add(more.as_ms()))
    }

    /// Whether it has ended by its age. With T = 0 it always has: nobody shares anything.
    pub fn is_over(&self, now: UnixMs) -> bool {
        let life_ms = match (self.basis, self.freshness().as_ms()) {
            (Basis::Document, 1..) => DOCUMENT_LIFE.as_ms(),
            (_, freshness_ms) => freshness_ms.saturating_mul(LIFE_IN_T),
        };
        now.since(self.as_of).is_none_or(|age| age.as_ms() >= life_ms)
    }

    /// Whether it is so old that a request has it refreshed in the background.
    pub fn is_renewal_due(&self, now: UnixMs) -> bool {
        now.since(self.checked).is_none_or(|age| age >= self.renewal)
    }

    /// Sets at which age it is refreshed in the background: T/2 and, of another T/4, as much as
    /// `jitter` of 256.
    pub fn set_renewal(&mut self, jitter: u8) {
        let freshness_ms = self.freshness().as_ms();
        let more_ms =
            freshness_ms.checked_div(1024).unwrap_or_default().saturating_mul(jitter.into());
        let half_ms = freshness_ms.checked_div(2).unwrap_or_default();
        self.renewal = DurationMs::from_ms(half_ms.saturating_add(more_ms));
    }

    /// Drops the words that were last used before `generation`.
    pub fn forget_before(&mut self, generation: u32) {
        self.entries.forget_before::<R>(generation);
    }

    /// Its incarnation, under which questions are asked.
    pub fn tenure(&self) -> Tenure {
        Tenure::Lease(self.incarnation)
    }

    /// The history it counts in; `None`: the ledger knows no such account.
    pub fn epoch(&self) -> Option<&Epoch> {
        self.epoch.as_ref()
    }

    /// The revision up to which it has seen every change.
    pub fn known(&self) -> Revision {
        self.known
    }

    /// What holds for the whole account.
    pub fn state(&self) -> &Arc<AccountState> {
        &self.state
    }

    /// The local time as of which all this is known.
    pub fn as_of(&self) -> UnixMs {
        self.as_of
    }

    /// What that rests on.
    pub fn basis(&self) -> Basis {
        self.basis
    }

    /// Whether KV counts for nothing.
    pub fn is_overflow(&self) -> bool {
        self.is_overflow
    }

    /// Replies taken so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Its entries.
    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    fn freshness(&self) -> DurationMs {
        DurationMs::from_ms(self.state.freshness_ms)
    }
}

#[cfg(test)]
mod tests;
