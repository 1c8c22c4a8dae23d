//! Reads copies of ledger replies, and applies them to the leases of an isolate.

use std::sync::Arc;

use super::{Leases, increment};
use crate::base::id::AccountId;
use crate::base::time::{DurationMs, UnixMs};
use crate::config::terms::Freshness;
use crate::lease::call::{
    Basis, CopyRead, CopySource, Fetch, Found, Lookup, Provenance, ReadOutcome, RenewalStep,
};
use crate::lease::copies::{LedgerAvailability, ask_ledger};
use crate::lease::lease::{Lease, REFRESH_ATTEMPTS};
use crate::lease::rules::LeaseRules;
use crate::replication::document::Document;
use crate::replication::edge_call::RefreshReply;
use crate::replication::record::Revision;
use crate::replication::refresh::{Delta, Refresh};
use crate::replication::shared::Shared;

impl<R: LeaseRules> Leases<R> {
    /// Returns what to fetch when a usable lease may be stale: a ledger refresh, or a refusal if
    /// that refresh already failed.
    pub fn ask_despite_lease(
        &mut self,
        need: Fetch,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Found<()> {
        let terms = self.terms;
        let availability = match self.accounts.find(need.account()) {
            Some(account) => LedgerAvailability::of(account, terms, arrival, now, lookup),
            None => LedgerAvailability::of_unknown(terms),
        };
        self.missing(ask_ledger(need, lookup, &availability))
    }

    /// Begins the read of a copy for a request that waits for it.
    pub fn ask_copy(&mut self, account: AccountId, source: CopySource, now: UnixMs) -> CopyRead {
        self.look(account, source, false, now)
    }

    /// Begins the read of a copy for a background refresh.
    pub fn ask_copy_in_background(
        &mut self,
        account: AccountId,
        source: CopySource,
        now: UnixMs,
    ) -> CopyRead {
        self.look(account, source, true, now)
    }

    fn look(
        &mut self,
        account: AccountId,
        source: CopySource,
        is_background: bool,
        now: UnixMs,
    ) -> CopyRead {
        self.observe(now);
        increment(match source {
            CopySource::Kv => &mut self.counters.document_reads,
            CopySource::Cache => &mut self.counters.shared_reads,
        });
        CopyRead { account, source, token: self.token(account, now), sent: now, is_background }
    }

    /// Takes a document. `document` is `None` if there is none or it is unreadable; `lookup`
    /// belongs to the request that read it.
    pub fn take_document(
        &mut self,
        read: &CopyRead,
        document: Option<Document>,
        now: UnixMs,
        lookup: Option<&mut Lookup>,
    ) {
        self.observe(now);
        let is_of_use = document.is_some_and(|document| {
            self.is_in_time(read, now) && self.keep_document(read, document, now)
        });
        if let Some(lookup) = lookup {
            lookup.note_copy(read.source, is_of_use);
        }
    }

    /// Takes a shared reply. `shared` is `None` if there is none or it is unreadable; `lookup`
    /// belongs to the request that read it.
    pub fn take_shared(
        &mut self,
        read: &CopyRead,
        shared: Option<Shared>,
        now: UnixMs,
        lookup: Option<&mut Lookup>,
    ) {
        self.observe(now);
        let is_of_use = shared.is_some_and(|shared| {
            self.is_in_time(read, now) && self.keep_shared(read, shared, now)
        });
        if let Some(lookup) = lookup {
            lookup.note_copy(read.source, is_of_use);
        }
    }

    /// Returns `true` if the account still has the lease under which the read began. Counts the
    /// copy as discarded otherwise.
    fn is_in_time(&mut self, read: &CopyRead, now: UnixMs) -> bool {
        let is_in_time = self.token(read.account, now) == read.token;
        if !is_in_time {
            increment(&mut self.counters.discarded);
        }
        is_in_time
    }

    /// Returns `true` if the document lets the request that read it continue.
    fn keep_document(&mut self, read: &CopyRead, document: Document, now: UnixMs) -> bool {
        let freshness = self.terms.freshness;
        let as_of = R::as_of_document(read.sent, now);
        if let Some(account) =
            self.accounts.find(read.account).filter(|account| account.is_behind(&document))
        {
            // The isolate has seen newer state than this document, so the lease must not take it.
            // But the document may name earlier changes that the lease missed. With `eventual`
            // freshness the request may use a lease that knows them all. Changes of another epoch
            // do not count.
            let knows_it_all = |lease: &Lease<R>| {
                lease.epoch() != Some(&document.epoch) || lease.known() >= document.revision
            };
            let lease =
                account.lease.as_mut().filter(|lease| !lease.is_over(now) && knows_it_all(lease));
            let may_go_on = lease.is_some() && freshness == Freshness::Eventual;
            lease.into_iter().for_each(|lease| lease.check(as_of));
            return may_go_on;
        }
        let lease = self.lease(read.account, now);
        let (epoch, known) =
            lease.map_or((None, Revision(0)), |lease| (lease.epoch(), lease.known()));
        let reply = document.reply_to(epoch, known);
        let provenance = Provenance { as_of, taken: None, basis: Basis::Document };
        self.keep_copy(read.account, provenance, &reply, now);
        increment(&mut self.counters.documents_taken);
        true
    }

    fn keep_shared(&mut self, read: &CopyRead, shared: Shared, now: UnixMs) -> bool {
        let Shared { as_of, base, reply, .. } = shared;
        let as_of = R::as_of_shared(as_of, read.sent);
        let freshness_ms = reply.state.as_ref().map_or(0, |state| state.freshness_ms);
        // A background refresh takes only a reply that does not need another refresh at once.
        let within = if read.is_background { freshness_ms.div_euclid(2) } else { freshness_ms };
        // A reply from the future comes from a wrong clock, so its age is unknown.
        let is_recent = freshness_ms > 0
            && as_of <= now
            && R::is_usable(as_of, now, DurationMs::from_ms(within));
        let is_news = self.lease(read.account, now).is_none_or(|lease| {
            R::is_of_history(lease.epoch(), &reply.epoch)
                && (lease.basis() == Basis::Document || as_of > lease.as_of())
        });
        let is_over = self.accounts.peek(read.account).is_some_and(|account| {
            account.left.as_ref() == Some(&reply.epoch)
                || R::is_before_change(reply.revision, account.floor)
        });
        let is_over = is_over || as_of < self.accounts.copies_from();
        if !is_recent || !is_news || is_over {
            return false;
        }
        let is_covered =
            self.lease(read.account, now).is_none_or(|lease| R::is_covered(lease.known(), base));
        let reply = if is_covered { reply } else { Refresh { delta: Delta::Reset, ..reply } };
        let provenance = Provenance { as_of, taken: None, basis: Basis::Ledger };
        self.keep_copy(read.account, provenance, &reply, now);
        if let Some(account) = self.accounts.find(read.account) {
            account.answered_others(as_of);
        }
        increment(&mut self.counters.shared_taken);
        true
    }

    fn keep_copy(
        &mut self,
        account: AccountId,
        provenance: Provenance,
        reply: &Refresh,
        now: UnixMs,
    ) {
        // A copy always carries the account's state.
        let Some(state) = reply.state.clone().map(Arc::new) else { return };
        let (slot, lease) = self.renewed(account, provenance, reply, &state, now);
        slot.keep(lease, now);
    }

    /// Returns the lease of an account if it has seen all changes up to the revision of `reply`.
    pub fn covering(
        &self,
        account: AccountId,
        reply: &RefreshReply,
        now: UnixMs,
    ) -> Option<&Lease<R>> {
        let RefreshReply::Refreshed(reply) = reply else { return None };
        self.lease(account, now)
            .filter(|lease| lease.epoch() == Some(&reply.epoch) && lease.known() >= reply.revision)
    }

    /// Counts a value in KV without a MAC.
    pub fn note_unsigned(&mut self) {
        increment(&mut self.counters.kv_unsigned);
    }

    /// Counts a value in KV with a wrong MAC.
    pub fn note_forged(&mut self) {
        increment(&mut self.counters.kv_forged);
    }

    /// Counts a reply that was put into the data centre's cache.
    pub fn note_shared(&mut self) {
        increment(&mut self.counters.shared_puts);
    }

    /// Returns the next step to renew an account's lease or send its usage in the background, given
    /// the results in `lookup`. `None` means that nothing is left to do.
    pub fn renewal_step(
        &mut self,
        account: AccountId,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Option<RenewalStep> {
        self.observe(now);
        let slot = self.accounts.peek(account).filter(|_| !lookup.is_renewed)?;
        let must_ask = slot.is_strict() || slot.usage.is_due(now);
        let may_copy = |outcome| !must_ask && outcome == ReadOutcome::NotAsked;
        let refresh = (lookup.failures < REFRESH_ATTEMPTS).then_some(RenewalStep::Refresh);
        match self.terms.freshness {
            Freshness::Eventual if may_copy(lookup.document) => {
                Some(RenewalStep::Copy(CopySource::Kv))
            }
            Freshness::Eventual => refresh,
            Freshness::Bounded if may_copy(lookup.shared) && lookup.failures == 0 => {
                Some(RenewalStep::Copy(CopySource::Cache))
            }
            Freshness::Bounded => {
                let is_makeshift =
                    slot.lease(now).is_some_and(|lease| lease.basis() == Basis::Document);
                let may_look = is_makeshift
                    && may_copy(lookup.document)
                    && slot.is_in_grace(self.terms.outage, now);
                refresh.or(may_look.then_some(RenewalStep::Copy(CopySource::Kv)))
            }
        }
    }
}
