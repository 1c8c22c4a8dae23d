//! Budgets of tries: so many within a window that begins with its first try. Pure arithmetic.

use claviger_core::base::time::{DurationMs, UnixMs};

/// How many tries are looked at within a window. Around the border of two windows there may be
/// twice as many.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Most tries.
    pub tries_max: u32,
    /// Length of the window.
    pub window: DurationMs,
}

/// A window that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first try.
    pub since: UnixMs,
    /// Tries in it.
    pub tries: u32,
}

impl Budget {
    /// Counts one more try.
    ///
    /// # Errors
    /// When the next one will be looked at, when the budget is spent.
    pub fn count(&self, window: Option<Window>, now: UnixMs) -> Result<Window, UnixMs> {
        match window.filter(|window| now < self.end(window)) {
            None => Ok(Window { since: now, tries: 1 }),
            Some(window) if window.tries < self.tries_max => {
                Ok(Window { tries: window.tries.saturating_add(1), ..window })
            }
            Some(window) => Err(self.end(&window)),
        }
    }

    /// When a window is over.
    pub fn end(&self, window: &Window) -> UnixMs {
        window.since.saturating_add(self.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_its_budget_and_not_one_more() {
        let budget = Budget { tries_max: 3, window: DurationMs::from_s(60) };
        let at = UnixMs::from_ms;
        let mut window = None;
        for tries in 1..=3 {
            window = Some(budget.count(window, at(1_000 * tries)).unwrap());
            assert_eq!(
                window,
                Some(Window { since: at(1_000), tries: u32::try_from(tries).unwrap() })
            );
        }
        assert_eq!(budget.count(window, at(60_999)), Err(at(61_000)));
        assert_eq!(
            budget.count(window, at(0)),
            Err(at(61_000)),
            "a clock that goes back opens nothing"
        );
        assert_eq!(budget.count(window, at(61_000)), Ok(Window { since: at(61_000), tries: 1 }));
    }
}
