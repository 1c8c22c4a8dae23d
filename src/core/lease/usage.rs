//! Counts the uses of an account's keys until a refresh has carried them to the ledger.
//!
//! Delivery is at-least-once: the isolate keeps a batch and resends it, with the same number and
//! content, until the ledger answers a call with it. The sequence number is the idempotency key, so
//! the ledger counts a batch once.
//!
//! Usage rides on refreshes. While requests arrive, it gets a call by itself after [`USAGE_PAUSE`].
//! When they stop, a timer sends the rest: the isolate starts one with a counted request, at most
//! one in [`TIMER_SPACING`] and account, and only the newest sends.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::base::id::KeyId;
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::limits::network::ClientAddress;
use crate::replication::refresh::{ADDRESSES_MAX, Caller, RefusedUses, USES_MAX, UsageBatch, Use};

/// Longest time that usage waits for a refresh to carry it; then it gets a call by itself.
pub const USAGE_PAUSE: DurationMs = DurationMs::from_s(60);

/// Delay of the timer that sends usage once requests have stopped. The platform ends the background
/// work of a request 30 s after the response, which leaves 10 s for the call.
pub const FLUSH_DELAY: DurationMs = DurationMs::from_s(20);

/// Shortest time between the starts of two timers of an account. A timer that fires while a newer
/// one runs leaves the usage to it.
const TIMER_SPACING: DurationMs = DurationMs::from_s(10);

/// Age of the newest timer from which on it must be the one that fires. Any older timer fires when
/// the newest has at most [`FLUSH_DELAY`] less [`TIMER_SPACING`].
const NEWEST_FIRES: DurationMs = DurationMs::from_s(15);

/// Maximum number of keys per account with pending usage, in addition to the batch in flight. An
/// entry takes 220 bytes, 850 with all [`ADDRESSES_MAX`] addresses and all reasons of refusals, so
/// 220 KB per account at most. Beyond this number, usage of further keys is lost, and counted as
/// lost.
pub const USES_PENDING_MAX: usize = 256;

/// The usage counts of one account.
#[derive(Clone, Debug)]
pub struct Usage {
    pending: HashMap<KeyId, Use>,
    under_way: Option<UsageBatch>,
    /// Time at which a batch was last handed out, or at which counting began.
    handed_out: UnixMs,
    /// Time at which the newest timer was started.
    timer: Option<UnixMs>,
}

impl Usage {
    /// Returns empty counts.
    pub fn new(now: UnixMs) -> Self {
        Self { pending: HashMap::new(), under_way: None, handed_out: now, timer: None }
    }

    /// Counts one request; `outcome` is the code of the reason if it was refused. Returns `false`
    /// if there was no room.
    pub fn count(
        &mut self,
        id: KeyId,
        outcome: Result<(), &'static str>,
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
            refusals: Vec::new(),
        };
        let used = self.pending.entry(id).or_insert_with(none);
        match outcome {
            Ok(()) => {
                used.last_at = if used.count == 0 { at } else { used.last_at.max(at) };
                used.count = used.count.saturating_add(1);
            }
            Err(reason) => {
                if used.count == 0 {
                    used.last_at = used.last_at.max(at);
                }
                used.denials = used.denials.saturating_add(1);
                count_refusal(reason, at, &mut used.refusals);
            }
        }
        if let Some(address) = address {
            note(Caller { address, count: outcome.is_ok().into(), last_at: at }, &mut used.callers);
        }
        true
    }

    /// Returns the batch to send with a call: the one in flight, or a new one with the next
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
            let uses = ids.iter().filter_map(|id| self.pending.remove(id)).map(reported).collect();
            self.under_way = Some(UsageBatch { isolate, sequence: *sequence, uses });
        }
        self.handed_out = now;
        self.under_way.clone()
    }

    /// Drops the batch `sequence`, because the ledger answered a call that carried it.
    pub fn answered(&mut self, sequence: u64) {
        if self.under_way.as_ref().is_some_and(|batch| batch.sequence == sequence) {
            self.under_way = None;
        }
    }

    /// Returns `true` if usage has waited for [`USAGE_PAUSE`], so that it needs a call by itself.
    pub fn is_due(&self, now: UnixMs) -> bool {
        !self.is_empty() && now.since(self.handed_out).is_none_or(|waited| waited >= USAGE_PAUSE)
    }

    /// Returns `true` if the caller must start a timer of [`FLUSH_DELAY`], and marks it as started.
    pub fn start_timer(&mut self, now: UnixMs) -> bool {
        let is_due = self.is_timer_older(TIMER_SPACING, now);
        if is_due {
            self.timer = Some(now);
        }
        is_due
    }

    /// Forgets the timer, after the clock stepped back.
    pub fn forget_timer(&mut self) {
        self.timer = None;
    }

    /// Returns `true` if a timer that fires now must send usage: some waits, and no newer timer
    /// runs.
    pub fn must_flush(&self, now: UnixMs) -> bool {
        !self.is_empty() && self.is_timer_older(NEWEST_FIRES, now)
    }

    fn is_timer_older(&self, than: DurationMs, now: UnixMs) -> bool {
        self.timer.is_none_or(|at| now.since(at).is_none_or(|age| age >= than))
    }

    /// Returns `true` if no usage waits.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.under_way.is_none()
    }

    /// Returns the number of requests that are lost if these counts are dropped.
    pub fn waiting(&self) -> u64 {
        let uses = self.pending.values().chain(self.under_way.iter().flat_map(|batch| &batch.uses));
        uses.fold(0_u64, |sum, used| sum.saturating_add(used.count).saturating_add(used.denials))
    }
}

/// Counts a refusal under its reason. Reasons are few, so a list is small and fast enough.
fn count_refusal(reason: &'static str, at: UnixMs, refusals: &mut Vec<RefusedUses>) {
    match refusals.iter_mut().find(|known| known.reason == reason) {
        Some(known) => {
            known.count = known.count.saturating_add(1);
            known.last_at = known.last_at.max(at);
        }
        None => {
            refusals.push(RefusedUses { reason: Cow::Borrowed(reason), count: 1, last_at: at });
        }
    }
}

/// Records a caller, and moves it to the front. While usage waits here, the list also holds refused
/// callers, with a count of 0.
fn note(caller: Caller, callers: &mut Vec<Caller>) {
    // Most keys are used from one address at a time, so usually nothing moves.
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

/// Converts a use into the form for the ledger, without the callers that were only refused.
fn reported(mut used: Use) -> Use {
    used.addresses = used.callers.iter().map(|caller| caller.address).collect();
    used.callers.retain(|caller| caller.count > 0);
    used
}
