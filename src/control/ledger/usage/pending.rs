//! Reported usage that is not yet written. The object's adapter keeps this value between requests.
//!
//! It exists only in memory and is lost when the object is evicted. So no verdict and no reply may
//! depend on it, except counts.

use std::collections::BTreeMap;

use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::refresh::ServiceUses;

use crate::ledger::usage::counts::CountsByDay;
use crate::ledger::usage::service;

/// Longest time for which reports are collected before they are written.
pub const WRITE_PAUSE: DurationMs = DurationMs::from_s(60);

/// Time without a report after which the counts are written. The platform evicts an object that is
/// idle for ten seconds. A busy isolate reports every five to eight seconds, at the usual T.
pub const QUIET: DurationMs = DurationMs::from_s(8);

/// Most pending counts (one per key and day); beyond it they are written before more is added. One
/// has 500 bytes if the key is used from few places, 4 KB with all callers. So this is 4 MB, and
/// another 4 MB of the last report, of an object's 128 MB.
pub const PENDING_COUNTS_MAX: usize = 1_000;

/// Most isolates with pending counts, for the same reason: 40 bytes each.
pub const PENDING_ISOLATES_MAX: usize = 5_000;

/// The pending counts.
#[derive(Debug, Default)]
pub struct PendingCounts {
    counts: CountsByDay,
    isolates: BTreeMap<u64, LastBatch>,
    service: Option<ServiceUses>,
    /// Times of the first and the last report, Unix ms.
    span: Option<(UnixMs, UnixMs)>,
}

/// The last batch of an isolate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LastBatch {
    /// Sequence number of the batch.
    pub sequence: u64,
    /// Time of its arrival, Unix ms.
    pub at: UnixMs,
}

/// The usage of one report.
#[derive(Debug, Default)]
pub struct UsageReport {
    /// Isolate and sequence of the batch, if there was one.
    pub(super) last_batch: Option<(u64, u64)>,
    /// Counts of the report.
    pub(super) counts: CountsByDay,
    /// Uses of the service password in the batch, if there were any.
    pub(super) service: Option<ServiceUses>,
}

impl PendingCounts {
    /// Adds a report that arrived at `now`.
    pub fn add(&mut self, report: UsageReport, now: UnixMs) {
        if report.last_batch.is_none() && report.counts.is_empty() {
            return;
        }
        self.span = Some((self.span.map_or(now, |(first, _)| first), now));
        if let Some((isolate, sequence)) = report.last_batch {
            self.isolates.insert(isolate, LastBatch { sequence, at: now });
        }
        if let Some(later) = report.service {
            service::add(self.service.get_or_insert_default(), later);
        }
        for (place, day_counts) in report.counts {
            self.counts.entry(place).or_default().add(day_counts);
        }
    }

    /// Returns the sequence of an isolate's last pending batch.
    pub fn sequence(&self, isolate: u64) -> Option<u64> {
        self.isolates.get(&isolate).map(|last_batch| last_batch.sequence)
    }

    /// Returns the time to write, Unix ms; `None` if nothing is pending.
    pub fn due(&self) -> Option<UnixMs> {
        self.span
            .map(|(first, last)| first.saturating_add(WRITE_PAUSE).min(last.saturating_add(QUIET)))
    }

    /// Returns `true` if the counts must be written before more is added.
    pub fn is_full(&self) -> bool {
        self.counts.len() >= PENDING_COUNTS_MAX || self.isolates.len() >= PENDING_ISOLATES_MAX
    }

    pub(super) fn into_parts(self) -> (CountsByDay, BTreeMap<u64, LastBatch>, Option<ServiceUses>) {
        (self.counts, self.isolates, self.service)
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::DayCounts;
    use super::*;
    use claviger_core::testing::{at, key_id};

    fn report(isolate: u64, sequence: u64, day: i64) -> UsageReport {
        let key = key_id();
        let day_counts = DayCounts { uses: 2, last_used_at: Some(at(day)), ..DayCounts::default() };
        UsageReport {
            last_batch: Some((isolate, sequence)),
            counts: [((key, day), day_counts)].into(),
            service: None,
        }
    }

    #[test]
    fn it_is_due_when_it_is_quiet_and_a_minute_after_the_first_report() {
        let mut pending = PendingCounts::default();
        assert_eq!(pending.due(), None);
        pending.add(UsageReport::default(), at(1));
        assert_eq!(pending.due(), None, "nothing was reported");
        for (ms, due) in
            [(10, 8_010), (7_000, 15_000), (52_009, 60_009), (52_010, 60_010), (59_000, 60_010)]
        {
            pending.add(report(1, 1, 0), at(ms));
            assert_eq!(pending.due(), Some(at(due)));
        }
    }

    #[test]
    fn reports_add_up_by_key_and_day_and_isolates_keep_their_last() {
        let mut pending = PendingCounts::default();
        for (isolate, sequence, day) in [(1, 4, 0), (2, 9, 0), (1, 5, 1)] {
            pending.add(report(isolate, sequence, day), at(sequence as i64));
        }
        assert_eq!(
            (pending.sequence(1), pending.sequence(2), pending.sequence(3)),
            (Some(5), Some(9), None)
        );
        let (counts, isolates, _) = pending.into_parts();
        assert_eq!(counts.values().map(|day_counts| day_counts.uses).collect::<Vec<_>>(), [4, 2]);
        assert_eq!(isolates.get(&1), Some(&LastBatch { sequence: 5, at: at(5) }));
    }

    #[test]
    fn it_is_full_of_either() {
        for (isolates, days) in [(1, PENDING_COUNTS_MAX), (PENDING_ISOLATES_MAX, 1)] {
            let mut pending = PendingCounts::default();
            for place in 0..isolates.max(days) {
                assert!(!pending.is_full(), "{place}");
                pending.add(
                    report((place % isolates) as u64, place as u64, (place % days) as i64),
                    at(0),
                );
            }
            assert!(pending.is_full());
        }
    }
}
