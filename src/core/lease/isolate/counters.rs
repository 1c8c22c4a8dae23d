//! What an isolate has done.

use serde::Serialize;

use crate::lease::account::Evicted;

/// What an isolate has done, since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Verdicts from memory: no request was made for them.
    pub hits: u64,
    /// Of these, those that were given although the knowledge was older than T.
    pub stale_hits: u64,
    /// Reads of KV.
    pub kv_reads: u64,
    /// Reads of lease documents in KV.
    pub document_reads: u64,
    /// Of these, those that renewed a lease or began one.
    pub documents_taken: u64,
    /// Looks into the data centre's cache.
    pub shared_reads: u64,
    /// Of these, those that renewed a lease or began one, in place of a call.
    pub shared_taken: u64,
    /// Replies that were given to the data centre's cache.
    pub shared_puts: u64,
    /// Calls to ledgers.
    pub ledger_calls: u64,
    /// Of these, those that no request waited for.
    pub background_calls: u64,
    /// Of the calls, those that were not answered.
    pub failures: u64,
    /// Answers that renewed a lease or began one.
    pub refreshes: u64,
    /// Answers that came too late for the lease that they were asked under.
    pub discarded: u64,
    /// Accounts that made room for others.
    pub evictions: u64,
    /// Requests that were refused at once, since another had just waited for the ledger in vain.
    pub refused_at_once: u64,
    /// Requests whose use was not counted, for lack of room.
    pub uses_lost: u64,
}

impl Counters {
    pub(super) fn count(&mut self, evicted: Evicted) {
        self.evictions = self.evictions.saturating_add(evicted.accounts);
        self.uses_lost = self.uses_lost.saturating_add(evicted.uses);
    }
}

/// One more.
pub(in crate::lease) fn increment(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}
