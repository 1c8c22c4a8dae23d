//! Uses that were reported and are not written yet: a value that the object's adapter keeps from
//! one request to the next.
//!
//! It is memory, and goes when the object does. Nothing else may rest on it: no verdict, no answer
//! but counts.

use std::collections::BTreeMap;

use claviger_core::base::time::{DurationMs, UnixMs};

use crate::ledger::usage::counts::Tallies;

/// How long reports are gathered at most before they are written.
pub const WRITE_PAUSE: DurationMs = DurationMs::from_s(60);

/// After how long without a report what was gathered is written. The platform takes an object out
/// of memory that nobody has called for ten seconds, and a busy isolate reports every five to
/// eight, at the usual T.
pub const QUIET: DurationMs = DurationMs::from_s(8);

/// Most keys and days that wait; then they are written before more is taken in. One of a key that
/// is used from few places has 500 bytes, one with all the callers that are kept 4 KB: so 4 MB, and
/// another of the last report, of an object's 128 MB.
pub const TALLIES_MAX: usize = 1_000;

/// Most isolates that wait, likewise: 40 bytes each.
pub const TOLD_MAX: usize = 5_000;

/// What waits.
#[derive(Debug, Default)]
pub struct Fold {
    tallies: Tallies,
    isolates: BTreeMap<u64, Told>,
    /// When the first of it came, and when the last.
    span: Option<(UnixMs, UnixMs)>,
}

/// The last batch of an isolate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Its number.
    pub sequence: u64,
    /// When it came.
    pub at: UnixMs,
}

/// What one report adds.
#[derive(Debug, Default)]
pub struct News {
    /// Isolate and sequence of the batch, if there was one.
    pub(super) told: Option<(u64, u64)>,
    /// What it counts.
    pub(super) tallies: Tallies,
}

impl Fold {
    /// Adds what came at `now`.
    pub fn add(&mut self, news: News, now: UnixMs) {
        if news.told.is_none() && news.tallies.is_empty() {
            return;
        }
        self.span = Some((self.span.map_or(now, |(first, _)| first), now));
        if let Some((isolate, sequence)) = news.told {
            self.isolates.insert(isolate, Told { sequence, at: now });
        }
        for (place, tally) in news.tallies {
            self.tallies.entry(place).or_default().add(tally);
        }
    }

    /// The sequence of the last batch of an isolate that is in here.
    pub fn sequence(&self, isolate: u64) -> Option<u64> {
        self.isolates.get(&isolate).map(|told| told.sequence)
    }

    /// When it is to be written; `None`: there is nothing.
    pub fn due(&self) -> Option<UnixMs> {
        self.span
            .map(|(first, last)| first.saturating_add(WRITE_PAUSE).min(last.saturating_add(QUIET)))
    }

    /// Whether it must be written before more is added.
    pub fn is_full(&self) -> bool {
        self.tallies.len() >= TALLIES_MAX || self.isolates.len() >= TOLD_MAX
    }

    pub(super) fn into_parts(self) -> (Tallies, BTreeMap<u64, Told>) {
        (self.tallies, self.isolates)
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::Tally;
    use super::*;
    use claviger_core::base::id::KeyId;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_ms(ms)
    }

    fn news(isolate: u64, sequence: u64, day: i64) -> News {
        let key = KeyId::parse("a1B2c3D47Hq0p2Zx9K").unwrap();
        let tally = Tally { uses: 2, last_used_at: Some(at(day)), ..Tally::default() };
        News { told: Some((isolate, sequence)), tallies: [((key, day), tally)].into() }
    }

    #[test]
    fn it_is_due_when_it_is_quiet_and_a_minute_after_the_first_report() {
        let mut fold = Fold::default();
        assert_eq!(fold.due(), None);
        fold.add(News::default(), at(1));
        assert_eq!(fold.due(), None, "nothing was told");
        for (ms, due) in
            [(10, 8_010), (7_000, 15_000), (52_009, 60_009), (52_010, 60_010), (59_000, 60_010)]
        {
            fold.add(news(1, 1, 0), at(ms));
            assert_eq!(fold.due(), Some(at(due)));
        }
    }

    #[test]
    fn reports_add_up_by_key_and_day_and_isolates_keep_their_last() {
        let mut fold = Fold::default();
        for (isolate, sequence, day) in [(1, 4, 0), (2, 9, 0), (1, 5, 1)] {
            fold.add(news(isolate, sequence, day), at(sequence as i64));
        }
        assert_eq!(
            (fold.sequence(1), fold.sequence(2), fold.sequence(3)),
            (Some(5), Some(9), None)
        );
        let (tallies, isolates) = fold.into_parts();
        assert_eq!(tallies.values().map(|tally| tally.uses).collect::<Vec<_>>(), [4, 2]);
        assert_eq!(isolates.get(&1), Some(&Told { sequence: 5, at: at(5) }));
    }

    #[test]
    fn it_is_full_of_either() {
        for (isolates, days) in [(1, TALLIES_MAX), (TOLD_MAX, 1)] {
            let mut fold = Fold::default();
            for place in 0..isolates.max(days) {
                assert!(!fold.is_full(), "{place}");
                fold.add(
                    news((place % isolates) as u64, place as u64, (place % days) as i64),
                    at(0),
                );
            }
            assert!(fold.is_full());
        }
    }
}
