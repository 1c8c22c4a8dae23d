//! T of promise P1 for one account, with its previous value.

use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::config::terms::Bound;
use claviger_core::replication::refresh::FRESHNESS_MS;

/// T, and the previous T that leases may still use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountFreshness {
    /// T, in milliseconds.
    pub ms: u32,
    /// T before its last change, in milliseconds.
    pub before_ms: u32,
    /// Time until which a lease may still use that, Unix ms.
    pub before_until: UnixMs,
}

impl AccountFreshness {
    /// T of a new account.
    pub const NEW: Self = Self { ms: FRESHNESS_MS, before_ms: 0, before_until: UnixMs::from_ms(0) };

    /// Returns the longest T that any lease may use at `now`, in milliseconds.
    pub fn in_force_ms(&self, now: UnixMs) -> u32 {
        if now < self.before_until { self.ms.max(self.before_ms) } else { self.ms }
    }

    /// Returns the state after T was set to `ms`. A lease that was refreshed before uses the old T
    /// until that has passed.
    #[must_use]
    pub fn set(&self, ms: u32, now: UnixMs) -> Self {
        let before_ms = self.in_force_ms(now);
        Self {
            ms,
            before_ms,
            before_until: now.saturating_add(DurationMs::from_ms(before_ms.into())),
        }
    }

    /// Returns the time from which a change committed at `now` holds everywhere.
    pub fn bound(&self, now: UnixMs) -> Bound {
        let in_force_ms = self.in_force_ms(now);
        let at = now.saturating_add(DurationMs::from_ms(in_force_ms.into()));
        Bound { at, within_s: in_force_ms.div_ceil(1_000), is_eventual: false }
    }

    /// Returns T in seconds, rounded up.
    pub fn s(&self) -> u32 {
        self.ms.div_ceil(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use claviger_core::testing::at;

    #[test]
    fn a_lower_t_is_in_force_when_the_old_one_is_over_and_a_higher_one_at_once() {
        let long = AccountFreshness { ms: 60_000, ..AccountFreshness::NEW };
        let lowered = long.set(1_500, at(0));
        for (now, in_force_ms) in [(0, 60_000), (59_999, 60_000), (60_000, 1_500)] {
            assert_eq!(lowered.in_force_ms(at(now)), in_force_ms, "{now}");
        }
        assert_eq!(
            lowered.bound(at(60_000)),
            Bound { at: at(61_500), within_s: 2, is_eventual: false }
        );

        let twice = lowered.set(0, at(5_000));
        assert_eq!(twice.in_force_ms(at(64_999)), 60_000, "leases of the first T may still live");
        assert_eq!(twice.in_force_ms(at(65_000)), 0);
        let raised = AccountFreshness::NEW.set(60_000, at(0));
        assert_eq!(raised.in_force_ms(at(0)), 60_000);
    }
}
