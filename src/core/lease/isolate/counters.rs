//! Counts an isolate's work.

use serde::Serialize;

use crate::lease::account::Evicted;

/// Counters of one isolate since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Verdicts from memory, without a read or call.
    pub hits: u64,
    /// Part of `hits` for which the lease was older than T.
    pub stale_hits: u64,
    /// Reads of KV records.
    pub kv_reads: u64,
    /// Values in KV that no ledger of this deployment made: a MAC was wrong.
    pub kv_forged: u64,
    /// Values in KV without a MAC: of an earlier release, or forged.
    pub kv_unsigned: u64,
    /// Reads of lease documents in KV.
    pub document_reads: u64,
    /// Part of `document_reads` that renewed or began a lease.
    pub documents_taken: u64,
    /// Reads of the data centre's cache.
    pub shared_reads: u64,
    /// Part of `shared_reads` that renewed or began a lease, and so saved a call.
    pub shared_taken: u64,
    /// Replies that the isolate handed out for the data centre's cache. The put itself may fail.
    pub shared_puts: u64,
    /// Calls to ledgers.
    pub ledger_calls: u64,
    /// Part of `ledger_calls` that no request waited for.
    pub background_calls: u64,
    /// Part of `ledger_calls` that got no answer.
    pub failures: u64,
    /// Answers that renewed or began a lease.
    pub refreshes: u64,
    /// Results that came too late for the lease under which they were requested.
    pub discarded: u64,
    /// Accounts evicted to make room for others.
    pub evictions: u64,
    /// Requests refused at once, because another one had just given up waiting.
    pub refused_at_once: u64,
    /// Requests whose usage was not counted, for lack of room.
    pub uses_lost: u64,
    /// Requests refused because they came without TLS.
    pub unencrypted: u64,
}

impl Counters {
    pub(super) fn count(&mut self, evicted: Evicted) {
        self.evictions = self.evictions.saturating_add(evicted.accounts);
        self.uses_lost = self.uses_lost.saturating_add(evicted.uses);
    }
}

/// Increments a counter; it saturates.
pub(in crate::lease) fn increment(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}
