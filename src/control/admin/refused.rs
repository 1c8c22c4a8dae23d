//! Remembers what the objects have refused for good or for a time, so that an isolate does not ask
//! them again: sessions that are over, set-up links that are used, address blocks without tries.
//!
//! P3: a token that was made once and is over since costs one call per isolate and [`OVER_FOR`],
//! then memory. Every isolate may forget at any time; it then asks once more.

use std::collections::HashMap;
use std::hash::Hash;

use claviger_core::base::time::{DurationMs, UnixMs};

/// Time for which a token counts as over without another question, as long as an edge's lease
/// lives without a refresh: 10 T at the default T. A token that is over stays over. Only a ledger
/// that was restored to an earlier moment may accept a session again, this much later.
pub const OVER_FOR: DurationMs = DurationMs::from_s(100);

/// Most entries. With a digest each, they take about 100 KB.
pub const ENTRIES_MAX: usize = 1_024;

/// A bounded memory of refusals.
#[derive(Debug)]
pub struct RefusalMemory<K> {
    entries: HashMap<K, HeldRefusal>,
}

/// One refusal: it holds from `at` to before `until`, both Unix ms.
#[derive(Clone, Copy, Debug)]
struct HeldRefusal {
    at: UnixMs,
    until: UnixMs,
}

impl HeldRefusal {
    /// Returns `true` if the refusal holds. It does not while the clock is behind its beginning.
    fn holds(&self, now: UnixMs) -> bool {
        self.at <= now && now < self.until
    }
}

impl<K: Eq + Hash + Clone> RefusalMemory<K> {
    /// Returns an empty memory.
    pub fn new() -> Self {
        Self { entries: HashMap::new() }
    }

    /// Notes a refusal of `key` that holds from `now` until `until`. A full memory first drops what
    /// no longer holds, then the refusal that ends first.
    pub fn note(&mut self, key: K, now: UnixMs, until: UnixMs) {
        if self.entries.len() >= ENTRIES_MAX && !self.entries.contains_key(&key) {
            self.entries.retain(|_, refusal| refusal.holds(now));
        }
        if self.entries.len() >= ENTRIES_MAX && !self.entries.contains_key(&key) {
            let first = self.entries.iter().min_by_key(|(_, refusal)| refusal.until);
            let first = first.map(|(key, _)| key.clone());
            first.map(|key| self.entries.remove(&key));
        }
        self.entries.insert(key, HeldRefusal { at: now, until });
    }

    /// Returns the end of a refusal of `key`, Unix ms; `None` if none holds at `now`.
    pub fn until(&self, key: &K, now: UnixMs) -> Option<UnixMs> {
        self.entries.get(key).filter(|refusal| refusal.holds(now)).map(|refusal| refusal.until)
    }
}

impl<K: Eq + Hash + Clone> Default for RefusalMemory<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_ms(ms)
    }

    #[test]
    fn a_refusal_holds_for_its_time_and_not_while_the_clock_is_behind() {
        let mut memory = RefusalMemory::new();
        memory.note("a", at(1_000), at(2_000));
        for (now, until) in
            [(999, None), (1_000, Some(at(2_000))), (1_999, Some(at(2_000))), (2_000, None)]
        {
            assert_eq!(memory.until(&"a", at(now)), until, "{now}");
            assert_eq!(memory.until(&"b", at(now)), None);
        }
        memory.note("a", at(2_500), at(3_000));
        assert_eq!(memory.until(&"a", at(2_500)), Some(at(3_000)));
    }

    #[test]
    fn a_full_memory_keeps_what_holds_longest_and_stays_full() {
        let mut memory = RefusalMemory::new();
        let last = i64::try_from(ENTRIES_MAX).unwrap();
        for key in 0..=last {
            memory.note(key, at(0), at(1_000 + key));
        }
        assert_eq!(memory.entries.len(), ENTRIES_MAX);
        assert_eq!(memory.until(&0, at(1)), None, "it would have ended first");
        assert_eq!(memory.until(&1, at(1)), Some(at(1_001)));
        assert_eq!(memory.until(&last, at(1)), Some(at(1_000 + last)));
        // A known key needs no room.
        memory.note(1, at(1), at(9_000));
        assert_eq!(memory.entries.len(), ENTRIES_MAX);
        assert_eq!(memory.until(&2, at(1)), Some(at(1_002)));
        // What no longer holds goes first, all of it.
        memory.note(-1, at(8_000), at(8_001));
        assert_eq!(memory.entries.len(), 2);
    }
}
