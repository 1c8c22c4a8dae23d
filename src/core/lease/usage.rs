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
use crate::replication::refresh::{
    ADDRESSES_MAX, Caller, RefusedUses, ServiceUses, USES_MAX, UsageBatch, Use,
};

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
    service: Option<ServiceUses>,
    under_way: Option<UsageBatch>,
    /// Time at which a batch was last handed out, or at which counting began.
    handed_out: UnixMs,
    /// Time at which the newest timer was started.
    timer: Option<UnixMs>,
}

impl Usage {
    /// Returns empty counts.
    pub fn new(now: UnixMs) -> Self {
        Self {
            pending: HashMap::new(),
            service: None,
            under_way: None,
            handed_out: now,
            timer: None,
        }
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

    /// Counts one request with the account's service ID; `is_right` is `true` if its password was
    /// right.
    pub fn count_service(&mut self, is_right: bool, address: Option<ClientAddress>, at: UnixMs) {
        let used = self.service.get_or_insert_default();
        let caller = address.map(|address| Caller { address, count: 1, last_at: at });
        if is_right {
            used.count = used.count.saturating_add(1);
            used.last_at = used.last_at.max(Some(at));
            caller.into_iter().for_each(|caller| note(caller, &mut used.callers));
        } else {
            used.refused = used.refused.saturating_add(1);
            caller.into_iter().for_each(|caller| note(caller, &mut used.refused_from));
        }
    }

    /// Returns the batch to send with a call: the one in flight, or a new one with the next
    /// `sequence`.
    pub fn hand_out(
        &mut self,
        isolate: u64,
        sequence: &mut u64,
        now: UnixMs,
    ) -> Option<UsageBatch> {
        if self.under_way.is_none() && (!self.pending.is_empty() || self.service.is_some()) {
            *sequence = sequence.saturating_add(1);
            let ids: Vec<KeyId> = self.pending.keys().take(USES_MAX).copied().collect();
            let uses = ids.iter().filter_map(|id| self.pending.remove(id)).map(reported).collect();
            let service = self.service.take();
            self.under_way = Some(UsageBatch { isolate, sequence: *sequence, uses, service });
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
        self.pending.is_empty() && self.service.is_none() && self.under_way.is_none()
    }

    /// Returns the number of requests that are lost if these counts are dropped.
    pub fn waiting(&self) -> u64 {
        let uses = self.pending.values().chain(self.under_way.iter().flat_map(|batch| &batch.uses));
        let keys = uses
            .fold(0_u64, |sum, used| sum.saturating_add(used.count).saturating_add(used.denials));
        let handed_out = self.under_way.iter().flat_map(|batch| &batch.service);
        self.service
            .iter()
            .chain(handed_out)
            .fold(keys, |sum, used| sum.saturating_add(used.count).saturating_add(used.refused))
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
    if let Some(known) = callers.first_mut().filter(|_| caller.count > 0) {
        let is_first = known.count == 0;
        known.last_at = if is_first { caller.last_at } else { known.last_at.max(caller.last_at) };
        known.count = known.count.saturating_add(caller.count);
    }
}

/// Converts a use into the form for the ledger, without the callers that were only refused.
fn reported(mut used: Use) -> Use {
    used.addresses = used.callers.iter().map(|caller| caller.address).collect();
    used.callers.retain(|caller| caller.count > 0);
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, key_id};

    const DENIED: Result<(), &str> = Err("expired");

    fn address() -> ClientAddress {
        ClientAddress::parse("203.0.113.7").unwrap()
    }

    fn count(usage: &mut Usage, outcome: Result<(), &'static str>, ms: i64) {
        assert!(usage.count(key_id(), outcome, Some(address()), at(ms)));
    }

    fn counts(usage: &UsageBatch) -> Vec<(u64, u64)> {
        usage.uses.iter().map(|used| (used.count, used.denials)).collect()
    }

    /// Requests may be counted in another order than that of their times.
    #[test]
    fn the_last_time_is_that_of_the_latest_use_and_before_the_first_use_of_the_latest_refusal() {
        for (requests, last_at, caller_at) in [
            (&[(Ok(()), 3), (Ok(()), 1)][..], 3, Some(3)),
            (&[(Ok(()), 1), (Ok(()), 3)], 3, Some(3)),
            (&[(DENIED, 9), (DENIED, 4)], 9, None),
            (&[(DENIED, 4), (DENIED, 9)], 9, None),
            (&[(Ok(()), 3), (DENIED, 9)], 3, Some(3)),
            (&[(DENIED, 9), (Ok(()), 3)], 3, Some(3)),
            (&[(DENIED, 9), (Ok(()), 3), (DENIED, 8), (Ok(()), 2)], 3, Some(3)),
        ] {
            let mut usage = Usage::new(at(0));
            requests.iter().for_each(|(outcome, ms)| count(&mut usage, *outcome, *ms));
            let batch = usage.hand_out(1, &mut 0, at(10)).unwrap();
            let [used] = &batch.uses[..] else { panic!() };
            let callers: Vec<_> = used.callers.iter().map(|caller| caller.last_at).collect();
            let expected: Vec<_> = caller_at.into_iter().map(at).collect();
            assert_eq!((used.last_at, callers), (at(last_at), expected), "{requests:?}");
            assert_eq!(used.addresses, [address()], "{requests:?}");
            let refused = requests.iter().filter(|(outcome, _)| outcome.is_err());
            let last_refused = refused.map(|(_, ms)| at(*ms)).max();
            assert_eq!(used.refusals.first().map(|refused| refused.last_at), last_refused);
        }
    }

    #[test]
    fn the_service_password_is_counted_apart_with_its_callers() {
        let mut usage = Usage::new(at(0));
        let from = |last: u8| ClientAddress::parse(&format!("203.0.113.{last}"));
        usage.count_service(true, from(1), at(5));
        usage.count_service(true, from(1), at(3));
        usage.count_service(false, None, at(9));
        (0..20).for_each(|last| usage.count_service(false, from(last), at(10)));
        assert_eq!(usage.waiting(), 23);
        let batch = usage.hand_out(1, &mut 0, at(20)).unwrap();
        let service = batch.service.clone().unwrap();
        assert_eq!((service.count, service.last_at, service.refused), (2, Some(at(5)), 21));
        assert_eq!(
            service.callers,
            [Caller { address: from(1).unwrap(), count: 2, last_at: at(5) }]
        );
        assert_eq!(service.refused_from.len(), ADDRESSES_MAX);
        assert_eq!(service.refused_from[0].address, from(19).unwrap());
        assert!(batch.uses.is_empty() && !usage.is_empty());
        assert_eq!(usage.waiting(), 23, "until it is answered");
        usage.answered(1);
        assert!(usage.is_empty());
    }

    #[test]
    fn an_answer_to_an_earlier_batch_does_not_acknowledge_the_present_one() {
        let (mut usage, mut sequence) = (Usage::new(at(0)), 0);
        count(&mut usage, Ok(()), 1);
        let first = usage.hand_out(1, &mut sequence, at(2)).unwrap();
        usage.answered(first.sequence);
        count(&mut usage, DENIED, 3);
        let second = usage.hand_out(1, &mut sequence, at(4)).unwrap();
        assert_eq!((second.sequence, counts(&second)), (2, vec![(0, 1)]));
        // Two calls carried the first batch, and the second of them is answered only now.
        usage.answered(first.sequence);
        assert_eq!(usage.waiting(), 1);
        assert_eq!(usage.hand_out(1, &mut sequence, at(5)), Some(second.clone()));
        usage.answered(second.sequence);
        assert!(usage.is_empty() && usage.hand_out(1, &mut sequence, at(6)).is_none());
        assert_eq!(sequence, 2, "an empty batch takes no number");
    }

    #[test]
    fn usage_is_due_a_pause_after_the_last_call_that_could_carry_it() {
        let mut usage = Usage::new(at(0));
        assert!(!usage.is_due(at(60_000)), "nothing waits");
        assert_eq!(usage.hand_out(1, &mut 0, at(1_000)), None);
        count(&mut usage, Ok(()), 2_000);
        assert!(!usage.is_due(at(60_999)) && usage.is_due(at(61_000)));
        usage.hand_out(1, &mut 0, at(61_000));
        assert!(!usage.is_due(at(120_999)) && usage.is_due(at(121_000)), "it was not answered");
        assert!(usage.is_due(at(60_999)), "the clock stepped back");
    }

    #[test]
    fn a_timer_starts_ten_seconds_after_the_one_before_and_sends_if_none_is_newer() {
        let mut usage = Usage::new(at(0));
        assert!(!usage.must_flush(at(0)), "nothing waits");
        count(&mut usage, Ok(()), 0);
        assert!(usage.must_flush(at(0)), "no timer runs");
        assert!(usage.start_timer(at(0)));
        assert!(!usage.start_timer(at(9_999)) && usage.start_timer(at(10_000)));
        assert!(!usage.must_flush(at(24_999)) && usage.must_flush(at(25_000)));
    }

    #[test]
    fn a_batch_takes_as_many_keys_as_may_wait() {
        let mut usage = Usage::new(at(0));
        for number in 0..=USES_PENDING_MAX {
            let id = KeyId::parse(&format!("a1B2c3D4{number:0>10}")).unwrap();
            assert_eq!(usage.count(id, Ok(()), None, at(1)), number < USES_PENDING_MAX);
        }
        assert_eq!(usage.hand_out(1, &mut 0, at(2)).unwrap().uses.len(), USES_PENDING_MAX);
        assert_eq!(USES_PENDING_MAX, USES_MAX);
    }
}
