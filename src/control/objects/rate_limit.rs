//! A fixed-window rate limit: a number of tries within a window that begins with its first try.
//! Pure arithmetic.

use claviger_core::base::time::{DurationMs, UnixMs};

/// The limit of tries per window. Around the border of two windows, twice as many may pass.
#[derive(Clone, Copy, Debug)]
pub struct FixedWindow {
    /// Most tries within one window.
    pub tries_max: u32,
    /// Length of the window, in milliseconds.
    pub window: DurationMs,
}

/// A window that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Time of the first try, Unix ms.
    pub since: UnixMs,
    /// Tries so far.
    pub tries: u32,
}

impl FixedWindow {
    /// Counts one more try.
    ///
    /// # Errors
    /// The time of the next accepted try, if the limit is reached.
    pub fn count(&self, window: Option<Window>, now: UnixMs) -> Result<Window, UnixMs> {
        match window.filter(|window| now < self.end(window)) {
            None => Ok(Window { since: now, tries: 1 }),
            Some(window) if window.tries < self.tries_max => {
                Ok(Window { tries: window.tries.saturating_add(1), ..window })
            }
            Some(window) => Err(self.end(&window)),
        }
    }

    /// Returns the end of a window, Unix ms.
    pub fn end(&self, window: &Window) -> UnixMs {
        window.since.saturating_add(self.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_its_budget_and_not_one_more() {
        let limit = FixedWindow { tries_max: 3, window: DurationMs::from_s(60) };
        let at = UnixMs::from_ms;
        let mut window = None;
        for tries in 1..=3 {
            window = Some(limit.count(window, at(1_000 * tries)).unwrap());
            assert_eq!(
                window,
                Some(Window { since: at(1_000), tries: u32::try_from(tries).unwrap() })
            );
        }
        assert_eq!(limit.count(window, at(60_999)), Err(at(61_000)));
        assert_eq!(
            limit.count(window, at(0)),
            Err(at(61_000)),
            "a clock that goes back opens nothing"
        );
        assert_eq!(limit.count(window, at(61_000)), Ok(Window { since: at(61_000), tries: 1 }));
    }
}
