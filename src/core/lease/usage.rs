//! Uses of an account's keys, counted here until a refresh has carried them to the ledger.
//!
//! A batch that was handed out is kept, and handed out again with the same number and content,
//! until a call that carried it is answered: the ledger counts it once.

use std::collections::HashMap;

use crate::base::id::KeyId;
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::limits::network::ClientAddress;
use crate::replication::refresh::{ADDRESSES_MAX, Caller, USES_MAX, UsageBatch, Use};

/// Where no refresh goes out, uses travel at most this often.
pub const USAGE_PAUSE: DurationMs = DurationMs::from_s(60);

/// Most keys of one account whose uses wait here, beside the batch that is under way: 200 bytes
/// each, and 500 where all of [`ADDRESSES_MAX`] places are known, so 130 KB an account at most.
/// Uses of further keys are lost, and counted as lost.
pub const USES_PENDING_MAX: usize = 256;

/// One account's uses.
#[derive(Clone, Debug)]
pub struct Usage {
    pending: HashMap<KeyId, Use>,
    under_way: Option<UsageBatch>,
    /// When a batch was last handed out; at first, when counting began.
    handed_out: UnixMs,
}

impl Usage {
    /// None so far.
    pub fn new(now: UnixMs) -> Self {
        Self { pending: HashMap::new(), under_way: None, handed_out: now }
    }

    /// Counts one request. `false`: there was no room.
    pub fn count(
        &mut self,
        id: KeyId,
        is_let_through: bool,
        address: Option<ClientAddress>,
        at: UnixMs,
    ) -> bool {
        if self.pending.len() >= USES_PENDING_MAX && !self.pending.contains_key(&id) {
            return false;
        }
        let none = || Use {
            id,
            count: 0,
            denials: 0,
            last_at: at,
            addresses: Vec::new(),
            callers: Vec::new(),
        };
        let used = self.pending.entry(id).or_insert_with(none);
        let counter = if is_let_through { &mut used.count } else { &mut used.denials };
        *counter = counter.saturating_add(1);
        used.last_at = used.last_at.max(at);
        if let Some(address) = address {
            note(Caller { address, count: is_let_through.into(), last_at: at }, &mut used.callers);
        }
        true
    }

    /// The batch to send with a call: the one that is under way, else a new one with the next
    /// `sequence`.
    pub fn hand_out(
        &mut self,
        isolate: u64,
        sequence: &mut u64,
        now: UnixMs,
    ) -> Option<UsageBatch> {
        if self.under_way.is_none() && !self.pending.is_empty() {
            *sequence = sequence.saturating_add(1);
            let ids: Vec<KeyId> = self.pending.keys().take(USES_MAX).copied().collect();
            let uses = ids.iter().filter_map(|id| self.pending.remove(id)).map(told).collect();
            self.under_way = Some(UsageBatch { isolate, sequence: *sequence, uses });
        }
        self.handed_out = now;
        self.under_way.clone()
    }

    /// A call that carried the batch `sequence` was answered.
    pub fn answered(&mut self, sequence: u64) {
        if self.under_way.as_ref().is_some_and(|batch| batch.sequence == sequence) {
            self.under_way = None;
        }
    }

    /// Whether uses have waited so long that they are worth a call of their own.
    pub fn is_due(&self, now: UnixMs) -> bool {
        !self.is_empty() && now.since(self.handed_out).is_none_or(|waited| waited >= USAGE_PAUSE)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.under_way.is_none()
    }

    /// Requests that are lost if this is dropped.
    pub fn waiting(&self) -> u64 {
        let uses = self.pending.values().chain(self.under_way.iter().flat_map(|batch| &batch.uses));
        uses.fold(0_u64, |sum, used| sum.saturating_add(used.count).saturating_add(used.denials))
    }
}

/// Notes a caller, the latest first. While uses wait here, refused ones are among them, with a
/// count of 0.
fn note(caller: Caller, callers: &mut Vec<Caller>) {
    // Most keys are used from one address at a time: then there is nothing to move.
    match callers.iter().position(|known| known.address == caller.address) {
        Some(place) => callers.get_mut(..=place).unwrap_or_default().rotate_right(1),
        None => {
            callers.truncate(ADDRESSES_MAX.saturating_sub(1));
            callers.insert(0, Caller { count: 0, ..caller.clone() });
        }
    }
    if let Some(known) = callers.first_mut() {
        known.count = known.count.saturating_add(caller.count);
        if caller.count > 0 {
            known.last_at = known.last_at.max(caller.last_at);
        }
    }
}

/// Uses as the ledger is told of them.
fn told(mut used: Use) -> Use {
    used.addresses = used.callers.iter().map(|caller| caller.address).collect();
    used.callers.retain(|caller| caller.count > 0);
    used
}
