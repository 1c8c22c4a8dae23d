//! What a request does without a usable lease, and what is done in the background: in which order
//! the ledger, its documents in KV and the neighbours' replies are turned to.
//!
//! | | a request without a usable lease | the background |
//! | --- | --- | --- |
//! | `bounded` | cache ▸ ledger, twice ▸ with grace: document | cache, unless uses must be sent ▸ ledger, twice ▸ with grace: document |
//! | `eventual` | document ▸ ledger, twice | uses are due: ledger, else: document ▸ ledger, twice |
//! | T = 0 | ledger, twice | |
//!
//! Each step is taken at most once for a request, so that it comes to an end.

use std::sync::Arc;

use super::account::Account;
use super::call::{Basis, CopyRead, Errand, Found, Heard, Lookup, Need, Outcome, Shelf};
use super::isolate::{Leases, increment};
use super::rules::Rules;
use crate::base::id::AccountId;
use crate::base::time::{DurationMs, UnixMs};
use crate::config::terms::{Freshness, Terms};
use crate::lease::lease::{Lease, REFRESH_ATTEMPTS};
use crate::replication::document::Document;
use crate::replication::record::Revision;
use crate::replication::refresh::{Delta, Refresh};
use crate::replication::shared::Shared;

/// How an account's ledger is to be reached, for one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plight {
    terms: Terms,
    /// Every request asks.
    is_strict: bool,
    /// It is known to be out of reach.
    is_away: bool,
    /// Another request has just given up.
    has_given_up: bool,
    /// A document may stand in for it.
    is_in_grace: bool,
}

impl Plight {
    /// Of an account that nothing is known of.
    pub(super) fn of_unknown(terms: Terms, lookup: &Lookup) -> Self {
        let is_away = lookup.failures >= REFRESH_ATTEMPTS;
        Self { terms, is_strict: false, is_away, has_given_up: false, is_in_grace: false }
    }

    /// Of an account, for a request that arrived at `arrival`.
    pub(super) fn of<R: Rules>(
        account: &Account<R>,
        terms: Terms,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Self {
        Self {
            terms,
            is_strict: account.is_strict,
            is_away: lookup.failures >= REFRESH_ATTEMPTS || account.is_ledger_away(now),
            has_given_up: account.has_given_up(now),
            is_in_grace: account.is_in_grace(terms.outage, arrival),
        }
    }

    /// Whether a lease may be used by the rules of everyday.
    pub(super) fn is_fresh<R: Rules>(&self, lease: &Lease<R>, arrival: UnixMs) -> bool {
        let no_more = DurationMs::default();
        match self.terms.freshness {
            Freshness::Bounded => lease.is_usable(arrival, no_more),
            Freshness::Eventual => lease.is_usable_by_document(arrival, no_more),
        }
    }

    /// Whether a lease that is not may be used since its ledger is out of reach.
    pub(super) fn may_use_stale<R: Rules>(&self, lease: &Lease<R>, arrival: UnixMs) -> bool {
        let Some(more) = self.terms.outage.grace().filter(|_| self.is_away) else { return false };
        match (self.terms.freshness, lease.basis()) {
            (Freshness::Bounded, Basis::Ledger) => lease.is_usable(arrival, more),
            (Freshness::Bounded, Basis::Document) => self.is_in_grace,
            (Freshness::Eventual, _) => lease.is_usable_by_document(arrival, more),
        }
    }
}

/// What a request lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// This.
    Need(Need),
    /// It has asked in vain.
    OutOfReach,
    /// Another has asked in vain.
    RefusedAtOnce,
}

/// What a request lacks that has no usable lease; `need` is what to ask the ledger.
pub(super) fn lack(account: AccountId, need: Need, lookup: &Lookup, plight: &Plight) -> Lack {
    let may_copy = |outcome| !plight.is_strict && outcome == Outcome::NotAsked;
    let document = Lack::Need(Need::Copy(account, Shelf::Kv));
    if plight.terms.freshness == Freshness::Eventual {
        return if may_copy(lookup.document) { document } else { ask_ledger(need, lookup, plight) };
    }
    if may_copy(lookup.shared) && lookup.failures == 0 {
        return Lack::Need(Need::Copy(account, Shelf::Cache));
    }
    if plight.is_away && plight.is_in_grace && may_copy(lookup.document) {
        return document;
    }
    ask_ledger(need, lookup, plight)
}

/// What a request lacks whom only the ledger can help.
pub(super) fn ask_ledger(need: Need, lookup: &Lookup, plight: &Plight) -> Lack {
    match lookup.failures {
        0 if plight.has_given_up => Lack::RefusedAtOnce,
        0..REFRESH_ATTEMPTS => Lack::Need(need),
        _ => Lack::OutOfReach,
    }
}

impl<R: Rules> Leases<R> {
    /// What a request lacks that has reason to think that a lease which may be used is behind: the
    /// ledger, or what it has asked in vain.
    pub fn ask_all_the_same(
        &mut self,
        need: Need,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Found<()> {
        let terms = self.terms;
        let plight = match self.accounts.find(need.account()) {
            Some(account) => Plight::of(account, terms, arrival, now, lookup),
            None => Plight::of_unknown(terms, lookup),
        };
        self.lack(ask_ledger(need, lookup, &plight))
    }

    /// Begins a look at a shelf, for a request that waits for it.
    pub fn ask_copy(&mut self, account: AccountId, shelf: Shelf, now: UnixMs) -> CopyRead {
        self.look(account, shelf, false, now)
    }

    /// Begins a look at a shelf that no request waits for.
    pub fn ask_copy_beside(&mut self, account: AccountId, shelf: Shelf, now: UnixMs) -> CopyRead {
        self.look(account, shelf, true, now)
    }

    fn look(
        &mut self,
        account: AccountId,
        shelf: Shelf,
        is_background: bool,
        now: UnixMs,
    ) -> CopyRead {
        self.observe(now);
        increment(match shelf {
            Shelf::Kv => &mut self.counters.document_reads,
            Shelf::Cache => &mut self.counters.shared_reads,
        });
        CopyRead { account, shelf, tenure: self.tenure(account, now), sent: now, is_background }
    }

    /// Takes a document; `None`: there is none, or none that can be read. `lookup` is of whoever
    /// looked.
    pub fn take_document(
        &mut self,
        read: &CopyRead,
        document: Option<Document>,
        now: UnixMs,
        lookup: Option<&mut Lookup>,
    ) {
        self.observe(now);
        let is_of_use = document.is_some_and(|document| self.keep_document(read, document, now));
        if let Some(lookup) = lookup {
            lookup.document = if is_of_use { Outcome::Taken } else { Outcome::NoHelp };
            lookup.is_renewed |= is_of_use;
        }
    }

    /// Whether the document helps whoever looked for it.
    fn keep_document(&mut self, read: &CopyRead, document: Document, now: UnixMs) -> bool {
        if self.tenure(read.account, now) != read.tenure {
            increment(&mut self.counters.discarded);
            return false;
        }
        let freshness = self.terms.freshness;
        if let Some(account) =
            self.accounts.find(read.account).filter(|account| account.is_behind(&document))
        {
            // It may still tell more than the lease knows, where this isolate's change is later
            // than others that the lease missed. Nor can it be taken: it does not know of that
            // change.
            let knows_it_all = |lease: &Lease<R>| {
                lease.epoch() != Some(&document.epoch) || lease.known() >= document.revision
            };
            let lease =
                account.lease.as_mut().filter(|lease| !lease.is_over(now) && knows_it_all(lease));
            let may_go_on = lease.is_some() && freshness == Freshness::Eventual;
            lease.into_iter().for_each(|lease| lease.check(read.sent));
            return may_go_on;
        }
        let lease = self.lease(read.account, now);
        let (epoch, known) =
            lease.map_or((None, Revision(0)), |lease| (lease.epoch(), lease.known()));
        let reply = document.reply_to(epoch, known);
        let heard = Heard { as_of: read.sent, taken: None, basis: Basis::Document };
        self.keep_copy(read.account, heard, &reply, now);
        increment(&mut self.counters.documents_taken);
        true
    }

    /// Takes a reply of a neighbour; `None`: there is none, or none that can be read. `lookup` is
    /// of whoever looked.
    pub fn take_shared(
        &mut self,
        read: &CopyRead,
        shared: Option<Shared>,
        now: UnixMs,
        lookup: Option<&mut Lookup>,
    ) {
        self.observe(now);
        let is_of_use = shared.is_some_and(|shared| self.keep_shared(read, shared, now));
        if let Some(lookup) = lookup {
            lookup.shared = if is_of_use { Outcome::Taken } else { Outcome::NoHelp };
            lookup.is_renewed |= is_of_use;
        }
    }

    fn keep_shared(&mut self, read: &CopyRead, shared: Shared, now: UnixMs) -> bool {
        if self.tenure(read.account, now) != read.tenure {
            increment(&mut self.counters.discarded);
            return false;
        }
        let Shared { as_of, base, reply, .. } = shared;
        let as_of = R::as_of_shared(as_of, read.sent);
        let freshness_ms = reply.state.as_ref().map_or(0, |state| state.freshness_ms);
        // In the background only what need not be renewed again at once.
        let within = if read.is_background { freshness_ms.div_euclid(2) } else { freshness_ms };
        // One from the future comes from a clock that is wrong, and says nothing of its age.
        let is_recent = freshness_ms > 0
            && as_of <= now
            && R::is_usable(as_of, now, DurationMs::from_ms(within));
        let is_news = self.lease(read.account, now).is_none_or(|lease| {
            R::is_of_history(lease.epoch(), &reply.epoch)
                && (lease.basis() == Basis::Document || as_of > lease.as_of())
        });
        let is_over = self.accounts.peek(read.account).is_some_and(|account| {
            account.left.as_ref() == Some(&reply.epoch) || reply.revision < account.floor
        });
        if !is_recent || !is_news || is_over {
            return false;
        }
        let is_covered =
            self.lease(read.account, now).is_none_or(|lease| R::is_covered(lease.known(), base));
        let reply = if is_covered { reply } else { Refresh { delta: Delta::Reset, ..reply } };
        let heard = Heard { as_of, taken: None, basis: Basis::Ledger };
        self.keep_copy(read.account, heard, &reply, now);
        if let Some(account) = self.accounts.find(read.account) {
            account.answered_others(as_of);
        }
        increment(&mut self.counters.shared_taken);
        true
    }

    fn keep_copy(&mut self, account: AccountId, heard: Heard, reply: &Refresh, now: UnixMs) {
        // A copy is always with the account's state.
        let Some(state) = reply.state.clone().map(Arc::new) else { return };
        let (slot, lease) = self.renewed(account, heard, reply, &state, now);
        slot.keep(lease, now);
    }

    /// Notes that a reply was given to the data centre's cache.
    pub fn note_shared(&mut self) {
        increment(&mut self.counters.shared_puts);
    }

    /// What is to be done next to renew an account's lease or to send its uses, in the background,
    /// where `lookup` has brought so much.
    pub fn errand(&mut self, account: AccountId, now: UnixMs, lookup: &Lookup) -> Option<Errand> {
        self.observe(now);
        let slot = self.accounts.peek(account).filter(|_| !lookup.is_renewed)?;
        let must_ask = slot.is_strict || slot.usage.is_due(now);
        let may_copy = |outcome| !must_ask && outcome == Outcome::NotAsked;
        let refresh = (lookup.failures < REFRESH_ATTEMPTS).then_some(Errand::Refresh);
        match self.terms.freshness {
            Freshness::Eventual if may_copy(lookup.document) => Some(Errand::Copy(Shelf::Kv)),
            Freshness::Eventual => refresh,
            Freshness::Bounded if may_copy(lookup.shared) && lookup.failures == 0 => {
                Some(Errand::Copy(Shelf::Cache))
            }
            Freshness::Bounded => {
                let is_makeshift =
                    slot.lease(now).is_some_and(|lease| lease.basis() == Basis::Document);
                let may_look = is_makeshift
                    && may_copy(lookup.document)
                    && slot.is_in_grace(self.terms.outage, now);
                refresh.or(may_look.then_some(Errand::Copy(Shelf::Kv)))
            }
        }
    }
}
