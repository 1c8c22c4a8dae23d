//! Rate limits of the programs that call the admin API: one for reads and one for writes, each for
//! every program by itself.
//!
//! The windows are in memory, and end with it. A program whose ledger was evicted begins new ones,
//! which the platform does only after a pause without requests.

use std::collections::BTreeMap;

use claviger_core::base::id::KeyId;
use claviger_core::base::time::{DurationMs, UnixMs};

use crate::objects::rate_limit::{FixedWindow, Window};

/// Length of a window.
const WINDOW: DurationMs = DurationMs::from_s(60);

/// Reads within a window. A tool that compares 600 keys one by one is done within a minute, and the
/// list shows the 20,000 keys of the largest account in fewer pages. At some 5 ms each, they take a
/// twentieth of the ledger's time.
pub const READS: FixedWindow = FixedWindow { tries_max: 600, window: WINDOW };

/// Writes within a window. Each one is a put to KV, and KV takes one per key and second. The
/// journal's 10,000 rows then reach back at least an hour.
pub const WRITES: FixedWindow = FixedWindow { tries_max: 120, window: WINDOW };

/// Programs beyond which windows that are over are dropped.
const KEPT_MAX: usize = 1_000;

/// The windows of programs.
#[derive(Debug, Default)]
pub struct TokenRates(BTreeMap<(KeyId, bool), Window>);

impl TokenRates {
    /// Counts a request of a program.
    ///
    /// # Errors
    /// The time of the next accepted request, if the limit is reached. The request is not counted.
    pub fn count(&mut self, program: KeyId, is_write: bool, now: UnixMs) -> Result<(), UnixMs> {
        let limit = if is_write { WRITES } else { READS };
        if self.0.len() >= KEPT_MAX {
            self.0.retain(|_, window| now < limit.end(window));
        }
        let present = self.0.get(&(program, is_write)).copied();
        self.0.insert((program, is_write), limit.count(present, now)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_ms(ms)
    }

    fn id(last: char) -> KeyId {
        KeyId::parse(&format!("a1B2c3D47Hq0p2Zx9{last}")).unwrap()
    }

    #[test]
    fn each_program_has_its_own_limits_for_reads_and_writes() {
        let mut rates = TokenRates::default();
        for (is_write, limit) in [(false, READS), (true, WRITES)] {
            for _ in 0..limit.tries_max {
                assert_eq!(rates.count(id('K'), is_write, at(0)), Ok(()));
            }
            assert_eq!(rates.count(id('K'), is_write, at(59_999)), Err(at(60_000)));
            assert_eq!(rates.count(id('L'), is_write, at(59_999)), Ok(()));
            assert_eq!(rates.count(id('K'), is_write, at(60_000)), Ok(()));
        }
    }

    #[test]
    fn windows_that_are_over_take_no_memory_for_long() {
        let mut rates = TokenRates::default();
        let all = || ('0'..='9').chain('A'..='Z').chain('a'..='z');
        for (a, b) in all().flat_map(|a| all().map(move |b| (a, b))).take(1_500) {
            let program = KeyId::parse(&format!("a1B2c3D47Hq0p2Zx{a}{b}")).unwrap();
            assert_eq!(rates.count(program, true, at(0)), Ok(()));
        }
        assert_eq!(rates.0.len(), 1_500, "those that count stay");
        assert_eq!(rates.count(id('K'), true, at(60_000)), Ok(()));
        assert_eq!(rates.0.len(), 1);
    }
}
