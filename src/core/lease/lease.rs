//! Holds the lease: what one isolate knows about one account, and for how long it may rely on that.
//!
//! # The rules
//! 1. A request may use a lease if and only if `as_of ≥ arrival − T`. `as_of` is the local time at
//!    which the isolate *sent* the refresh. From an age of T/2 plus a random share of T/4 on, a
//!    request also starts a background refresh.
//! 2. Cold start: without a lease the isolate must refresh anyway, so the refresh also asks for the
//!    credential. The isolate does not read KV.
//! 3. With a lease, the isolate looks in this order: cached record ▸ ledger, if the ID is unsettled
//!    or [superseded](crate::replication::superseded), or the lease is in overflow ▸ KV ▸ ledger. It
//!    caches a negative answer like a record. A record from KV counts only if its revision is one
//!    that the lease knows. Otherwise the isolate asks the ledger, whose answer replaces every
//!    record from KV.
//! 4. Records and unsettled marks share one map ([`entries`](crate::lease::entries)), in which only
//!    a higher revision replaces. The lease's revision and `as_of` only rise.
//! 5. A lease is one *incarnation*. It ends on a new epoch, on `reset`, on a clock that steps back,
//!    on eviction, and after [`LIFE_IN_T`] T without a refresh. Its records end with it, and the
//!    isolate drops a reply that it requested under another incarnation or epoch.
//! 6. Requests share these data and nothing else: no promises, wakers or locks. The in-flight mark
//!    of a refresh is a time stamp that expires after [`IN_FLIGHT`]. A request that would have to
//!    wait sends its own refresh.
//! 7. A clock that steps back drops all leases.
//! 8. Usage counts ride on refreshes ([`usage`](crate::lease::usage)).
//!
//! # Copies of ledger replies
//! A lease may also rest on a copy, from one of two sources ([`copies`](crate::lease::copies)). A
//! *shared reply*, which another isolate of the data centre received, counts like the isolate's own
//! reply. Its `as_of` is one second before the other isolate asked, to allow for clock skew. A
//! *lease document* ([`crate::replication::document`]), which the ledger publishes to KV, is as
//! consistent as a reply, but its age is unknown. It counts
//! - if the deployment's freshness is `eventual`. Then `as_of` is the time of the read, and a lease
//!   is usable for T after the last read of a document, new or unchanged. The isolate asks the
//!   ledger only in three cases: the document lists the key as unsettled, KV lacks the key, or
//!   there is no document.
//! - if the freshness is `bounded` with `grace`, and the isolate has no usable lease. It counts
//!   from the first failed call until the grace ends, however often the isolate reads it, and
//!   verdicts are marked as stale. The next call that the ledger answers ends this.
//!
//! **Documents miss no change.** Each document names all changes after its `base`, and a lease that
//! knows less drops its records. So it does not matter which documents the lease has seen. There is
//! a second, independent argument for a lease that reads a document at least once every S
//! ([`SETTLE_MS`]). A change stays unsettled for at least S, so each document of that time names
//! it. [`DOCUMENT_LIFE`] ends a lease that was not renewed for that long, so both arguments hold.
//!
//! **Documents never go back.** The isolate ignores a document with a lower number than one it
//! knows. It also ignores a document of an epoch that it knows has ended. If KV is behind the
//! lease, the read still proves that KV has nothing newer. The lease stays usable then, but is not
//! renewed.
//!
//! # Why late answers are dangerous
//! A lease at revision `known` has seen every change up to `known`, and has forgotten the changes
//! that have settled. An answer about a key that is older than `known` may lack such a change, and
//! nothing in the map would contradict it. So an answer enters the map only if it holds as of
//! `known` or later ([`LeaseRules::may_enter`]):
//! - a ledger's answer holds as of the reply's revision;
//! - the record of a change that this isolate committed holds as of its revision;
//! - a record from KV holds as of the `known` under which the isolate read KV.
//!
//! The request that asked may use its answer in any case, because it asked after its own arrival.
//!
//! | module | content |
//! | --- | --- |
//! | this one | one lease, and how a reply changes it |
//! | [`rules`](crate::lease::rules) | the rules that safety depends on, one function each |
//! | [`entries`](crate::lease::entries) | the map of records and marks |
//! | [`usage`](crate::lease::usage) | usage counts on their way to the ledger |
//! | [`call`](crate::lease::call) | requests for I/O and their results |
//! | [`copies`](crate::lease::copies) | the fallback order of ledger and copies, and the background refresh |
//! | `account` | the state that an isolate keeps per account, in bounded memory |
//! | [`isolate`](crate::lease::isolate) | all leases of an isolate: calls and results, clock, bounds, eviction, counters |

use core::marker::PhantomData;
use std::sync::Arc;

use crate::base::id::KeyId;
use crate::base::time::{DurationMs, UnixMs};
use crate::lease::cached_key::CachedKey;
use crate::lease::call::{Basis, LeaseToken, Provenance};
use crate::lease::entries::{Entered, Entries, EntrySource};
use crate::lease::rules::LeaseRules;
use crate::replication::record::{Epoch, Record, Revision};
use crate::replication::refresh::{
    AccountState, Delta, FRESHNESS_MS, Mark, Refresh, SETTLE_MS, Unsettled,
};
use crate::replication::superseded::{Superseded, SupersededFilter};

/// Number of T without a refresh after which a lease ends. Its content would still be true, but
/// mostly useless: at the default T it is 100 s old.
pub const LIFE_IN_T: u64 = 10;

/// Time after which an in-flight mark expires: the platform may have cancelled the refresh together
/// with its request.
pub const IN_FLIGHT: DurationMs = DurationMs::from_s(1);

/// Timeout of one call to a ledger. A ledger answers within some milliseconds, or within a few
/// hundred from another continent.
pub const REFRESH_TIMEOUT: DurationMs = DurationMs::from_s(2);

/// Number of attempts per refresh, the first included.
pub const REFRESH_ATTEMPTS: u32 = 2;

/// Time for which a failed call counts. [`REFRESH_ATTEMPTS`] failures, each within this time of the
/// one before, mark the ledger as out of reach. Under `grace`, requests then do not wait for it.
/// The time covers both attempts of a background refresh and the pause before the next one.
pub const OUTAGE_MEMORY: DurationMs = DurationMs::from_s(5);

/// Time for which other requests fail at once, after one request has given up waiting for the
/// ledger.
pub const GIVEN_UP: DurationMs = DurationMs::from_s(1);

/// Life of a lease that rests on documents, counted from the last read of a document that was no
/// older than the one before.
pub const DOCUMENT_LIFE: DurationMs = DurationMs::from_s(10 * 60);

const _: () = assert!(DOCUMENT_LIFE.as_ms() <= SETTLE_MS);

/// The state of one account as one isolate knows it.
#[derive(Debug)]
pub struct Lease<R> {
    /// Number of the lease, unique within the isolate.
    incarnation: u64,
    /// Epoch in which the revisions count; `None` if the ledger does not know the account.
    epoch: Option<Epoch>,
    /// Revision up to which the lease has seen every change.
    known: Revision,
    state: Arc<AccountState>,
    as_of: UnixMs,
    /// Kind of source that `as_of` rests on.
    basis: Basis,
    /// Time of the last proof that the lease is usable: `as_of`, or the read of a document that had
    /// nothing new.
    checked: UnixMs,
    /// Number of the newest document that is already part of the lease; only higher numbers are
    /// newer.
    document: u64,
    /// Age from which a request starts a background refresh.
    renewal: DurationMs,
    entries: Entries,
    /// Keys of which KV may hold an earlier record, as of `known`; `None`: any key.
    superseded: Option<SupersededFilter>,
    /// `true` if the isolate must not rely on KV for this account.
    is_overflow: bool,
    /// Number of replies taken so far. It shows whether a reply was requested after the last one
    /// was taken.
    taken: u64,
    rules: PhantomData<fn() -> R>,
}

/// A lease's answer about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyLookup {
    /// The lease has a cached answer.
    CachedKey {
        /// The cached record or negative answer.
        cached: CachedKey,
        /// `true` if a request has already used it in the present generation of use.
        is_young: bool,
    },
    /// Only the ledger can answer.
    AskLedger,
    /// KV can answer.
    AskKv,
}

/// The effect of a reply on a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The lease contains the reply.
    Kept,
    /// The reply ended the lease; the next lease begins with this reply.
    Ended,
}

impl<R: LeaseRules> Lease<R> {
    /// Starts a lease from a reply. `state` is the account's state, sent with the reply or
    /// confirmed by it.
    pub fn begin(
        incarnation: u64,
        provenance: Provenance,
        reply: &Refresh,
        state: Arc<AccountState>,
        ended: Option<Self>,
    ) -> Self {
        let entries = ended.map(|lease| lease.entries.inherited::<R>()).unwrap_or_default();
        let mut lease = Self {
            incarnation,
            epoch: Some(reply.epoch.clone()),
            known: reply.revision,
            state,
            as_of: provenance.as_of,
            basis: provenance.basis,
            checked: provenance.as_of,
            document: reply.document,
            renewal: DurationMs::default(),
            entries,
            superseded: None,
            is_overflow: false,
            taken: 1,
            rules: PhantomData,
        };
        lease.take_superseded(reply);
        lease.take_unsettled(reply, true);
        lease
    }

    /// Starts a lease for an account that its ledger does not know: all its keys are unknown.
    pub fn gone(incarnation: u64, provenance: Provenance) -> Self {
        let state = AccountState { freshness_ms: FRESHNESS_MS.into(), ..AccountState::default() };
        Self {
            incarnation,
            epoch: None,
            known: Revision(0),
            state: Arc::new(state),
            as_of: provenance.as_of,
            basis: provenance.basis,
            checked: provenance.as_of,
            document: 0,
            renewal: DurationMs::default(),
            entries: Entries::default(),
            superseded: None,
            is_overflow: false,
            taken: 1,
            rules: PhantomData,
        }
    }

    /// Takes a reply that was requested under this incarnation, or a copy that is newer than the
    /// lease.
    pub fn take(
        &mut self,
        provenance: Provenance,
        reply: &Refresh,
        state: &Arc<AccountState>,
    ) -> Taken {
        if self.is_ended_by(reply) {
            return Taken::Ended;
        }
        if reply.revision >= self.known {
            if let Delta::Changes(marks) = &reply.delta {
                marks.iter().for_each(|mark| self.entries.note_change::<R>(*mark));
            }
            let is_later_document =
                provenance.basis == Basis::Document && reply.document > self.document;
            let is_asked_later = provenance.taken == Some(self.taken) || is_later_document;
            let is_later = R::is_later(reply.revision > self.known, is_asked_later);
            self.take_unsettled(reply, is_later);
            self.take_superseded(reply);
            self.known = reply.revision;
            self.document = self.document.max(reply.document);
        }
        if state.revision > self.state.revision {
            self.state = Arc::clone(state);
        }
        // A reply older than the last one still proves that no change was missed up to its sending.
        // The read time of a document proves no such thing, so a ledger's reply always replaces it.
        if provenance.as_of > self.as_of
            || (provenance.basis, self.basis) == (Basis::Ledger, Basis::Document)
        {
            (self.as_of, self.basis) = (provenance.as_of, provenance.basis);
        }
        self.check(provenance.as_of);
        self.taken = self.taken.saturating_add(1);
        Taken::Kept
    }

    /// Returns `true` if the reply ends the lease, and with it all its records: it is of another
    /// epoch, or cannot name the changes that the lease lacks.
    pub fn is_ended_by(&self, reply: &Refresh) -> bool {
        let is_reset = reply.delta == Delta::Reset && reply.revision >= self.known;
        is_reset || !R::is_of_history(self.epoch.as_ref(), &reply.epoch)
    }

    /// Records a proof, at time `at`, that the lease is still usable.
    pub fn check(&mut self, at: UnixMs) {
        self.checked = self.checked.max(at);
    }

    fn take_unsettled(&mut self, reply: &Refresh, is_later: bool) {
        let (reports_overflow, is_all_kept) = match &reply.unsettled {
            Unsettled::Overflow => (true, true),
            Unsettled::Set(set) => {
                (false, self.entries.take_unsettled::<R>(set, reply.revision, is_later))
            }
        };
        self.is_overflow =
            R::is_overflow(self.is_overflow, reports_overflow, is_all_kept, is_later);
    }

    fn take_superseded(&mut self, reply: &Refresh) {
        let filter = match (&reply.superseded, self.superseded.as_mut()) {
            (Some(Superseded::Filter(all)), _) => return self.superseded = Some(all.clone()),
            (_, None) => return,
            (_, Some(filter)) => filter,
        };
        match (&reply.superseded, &reply.delta) {
            (Some(Superseded::Keys(more)), _) => more.iter().for_each(|id| filter.insert(*id)),
            // The reply is of a ledger of an earlier release. Each key that became superseded has
            // changed.
            (_, Delta::Changes(marks)) => marks.iter().for_each(|mark| filter.insert(mark.id)),
            (_, Delta::Reset) => self.superseded = None,
        }
    }

    /// Returns `true` if KV may hold an earlier record of the key.
    fn is_superseded(&self, id: KeyId) -> bool {
        self.superseded.as_ref().is_none_or(|filter| filter.contains(id))
    }

    /// Caches a ledger's answer about `id` that holds as of the account's revision `valid_at` and
    /// has the key's revision `revision`. Returns `true` if the lease kept it.
    pub fn enter(
        &mut self,
        id: KeyId,
        cached: CachedKey,
        revision: Revision,
        valid_at: Revision,
        generation: u32,
    ) -> bool {
        R::may_enter(valid_at, self.known)
            && self.entries.put::<R>(id, revision, cached, EntrySource::Ledger, generation)
    }

    /// Caches a record that KV held when the isolate read it under this lease at revision `known`.
    /// Returns `true` if the lease kept it.
    pub fn enter_from_kv(
        &mut self,
        record: &Arc<Record>,
        known: Revision,
        generation: u32,
    ) -> bool {
        let (id, revision) = (record.id, record.revision);
        let is_evidence = R::is_of_history(self.epoch.as_ref(), &record.epoch)
            && !self.is_overflow
            && R::may_read_kv(self.is_superseded(id))
            && R::is_of_lease(revision, known);
        let cached = CachedKey::Record(Arc::clone(record));
        is_evidence
            && R::may_enter(known, self.known)
            && self.entries.put::<R>(id, revision, cached, EntrySource::Kv, generation)
    }

    /// Caches the record of a change that was committed through this isolate. It proves nothing
    /// about other changes, so `known` stays. Returns `true` if the lease kept the record.
    pub fn enter_change(&mut self, record: Record, generation: u32) -> bool {
        let (id, revision) = (record.id, record.revision);
        let is_taken =
            self.enter(id, CachedKey::Record(Arc::new(record)), revision, revision, generation);
        if is_taken && !self.entries.note_unsettled::<R>(Mark { id, revision }) {
            self.is_overflow = true;
        }
        is_taken
    }

    /// Returns the lease's answer about a key, and marks the key as used in `generation`.
    pub fn look_up(&mut self, id: KeyId, generation: u32) -> KeyLookup {
        if self.epoch.is_none() {
            return KeyLookup::CachedKey { cached: CachedKey::NoSuchKey, is_young: true };
        }
        match self.entries.find(id, generation) {
            Entered::CachedKey { cached, is_young } => KeyLookup::CachedKey { cached, is_young },
            Entered::Unsettled => KeyLookup::AskLedger,
            Entered::Nothing if self.is_overflow || !R::may_read_kv(self.is_superseded(id)) => {
                KeyLookup::AskLedger
            }
            Entered::Nothing => KeyLookup::AskKv,
        }
    }

    /// Returns `true` if the lease rests on a ledger's reply and a request that arrived at
    /// `arrival` may use it. The lease may be at most T + `more` old.
    pub fn is_usable(&self, arrival: UnixMs, more: DurationMs) -> bool {
        self.basis == Basis::Ledger && R::is_usable(self.as_of, arrival, self.within(more))
    }

    /// Returns `true` if a request that arrived at `arrival` may use the lease, whether it rests on
    /// a ledger's reply or on a document. The age counts from `checked` instead of `as_of`.
    pub fn is_usable_by_document(&self, arrival: UnixMs, more: DurationMs) -> bool {
        R::is_usable(self.checked, arrival, self.within(more))
    }

    fn within(&self, more: DurationMs) -> DurationMs {
        DurationMs::from_ms(self.freshness().as_ms().saturating_add(more.as_ms()))
    }

    /// Returns `true` if the lease has ended by its age. With T = 0 it has always ended: no request
    /// may use another request's answer.
    pub fn is_over(&self, now: UnixMs) -> bool {
        let life_ms = match (self.basis, self.freshness().as_ms()) {
            (Basis::Document, 1..) => DOCUMENT_LIFE.as_ms(),
            (_, freshness_ms) => freshness_ms.saturating_mul(LIFE_IN_T),
        };
        now.since(self.as_of).is_none_or(|age| age.as_ms() >= life_ms)
    }

    /// Returns `true` if the lease is old enough for a background refresh.
    pub fn is_renewal_due(&self, now: UnixMs) -> bool {
        now.since(self.checked).is_none_or(|age| age >= self.renewal)
    }

    /// Sets the age for the background refresh: T/2, plus T/4 × `jitter`/256.
    pub fn set_renewal(&mut self, jitter: u8) {
        let freshness_ms = self.freshness().as_ms();
        let more_ms =
            freshness_ms.checked_div(1024).unwrap_or_default().saturating_mul(jitter.into());
        let half_ms = freshness_ms.checked_div(2).unwrap_or_default();
        self.renewal = DurationMs::from_ms(half_ms.saturating_add(more_ms));
    }

    /// Drops the cached answers that were last used before `generation`.
    pub fn forget_before(&mut self, generation: u32) {
        self.entries.forget_before::<R>(generation);
    }

    /// Returns the token of this incarnation; calls and reads carry it.
    pub fn token(&self) -> LeaseToken {
        LeaseToken::Lease(self.incarnation)
    }

    /// Returns the epoch in which the revisions count; `None` if the ledger does not know the
    /// account.
    pub fn epoch(&self) -> Option<&Epoch> {
        self.epoch.as_ref()
    }

    /// Returns the revision up to which the lease has seen every change.
    pub fn known(&self) -> Revision {
        self.known
    }

    /// Returns the state of the account as a whole.
    pub fn state(&self) -> &Arc<AccountState> {
        &self.state
    }

    /// Returns the local time as of which the content holds, Unix ms.
    pub fn as_of(&self) -> UnixMs {
        self.as_of
    }

    /// Returns the kind of source that `as_of` rests on.
    pub fn basis(&self) -> Basis {
        self.basis
    }

    /// Returns `true` if the isolate must not rely on KV for this account.
    pub fn is_overflow(&self) -> bool {
        self.is_overflow
    }

    /// Returns the keys of which KV may hold an earlier record; `None`: any key.
    pub fn superseded(&self) -> Option<&SupersededFilter> {
        self.superseded.as_ref()
    }

    /// Returns the number of replies taken so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Returns the map of cached answers and marks.
    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    fn freshness(&self) -> DurationMs {
        DurationMs::from_ms(self.state.freshness_ms)
    }
}

#[cfg(test)]
mod tests;
