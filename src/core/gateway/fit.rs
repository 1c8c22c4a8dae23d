//! Stores whether the edge fits the admin Worker: see [`crate::replication::link`].

use crate::base::time::{DurationMs, UnixMs};

/// Time for which an edge refuses everything after the admin Worker reported a misfit. Then it asks
/// again, because a deployment may have repaired it.
const MISFIT_PAUSE: DurationMs = DurationMs::from_s(5);

/// Time before an edge asks again after a call without an answer. Meanwhile it decides with its own
/// keys.
const UNANSWERED_PAUSE: DurationMs = DurationMs::from_s(1);

/// The result of the last check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// The edge has not asked yet.
    Unknown,
    /// The edge got no answer, and does not ask again before this time.
    Unanswered(UnixMs),
    /// Both Workers fit.
    Fits,
    /// The Workers do not fit, and the edge refuses everything before this time.
    Misfits(UnixMs),
}

impl Fit {
    /// Returns `true` if the edge must refuse everything.
    pub(super) fn refuses(self, now: UnixMs) -> bool {
        // A time that lies further ahead is from before the clock was set back.
        let is_soon = |until: UnixMs| until.since(now).is_some_and(|wait| wait <= MISFIT_PAUSE);
        matches!(self, Self::Misfits(until) if now < until && is_soon(until))
    }

    /// Returns `true` if the edge must ask the admin Worker before it decides about any request.
    /// That is so at the end of the pause after a misfit.
    pub(super) fn must_ask(self, now: UnixMs) -> bool {
        matches!(self, Self::Misfits(_)) && !self.refuses(now)
    }

    /// Returns `true` if the edge must ask the admin Worker before it refuses a credential by its
    /// tag. If the edge has other keys than the admin Worker, every tag seems wrong.
    pub(super) fn must_confirm(self, now: UnixMs) -> bool {
        match self {
            Self::Fits => false,
            Self::Unknown => true,
            Self::Unanswered(until) | Self::Misfits(until) => now >= until,
        }
    }

    /// Records the admin Worker's answer that both fit.
    pub(super) fn fits() -> Self {
        Self::Fits
    }

    /// Records the admin Worker's answer that they do not fit.
    pub(super) fn misfits(now: UnixMs) -> Self {
        Self::Misfits(now.saturating_add(MISFIT_PAUSE))
    }

    /// Records that the admin Worker did not answer. An earlier answer stays.
    pub(super) fn unanswered(self, now: UnixMs) -> Self {
        match self {
            Self::Fits => Self::Fits,
            Self::Misfits(_) => Self::misfits(now),
            Self::Unknown | Self::Unanswered(_) => {
                Self::Unanswered(now.saturating_add(UNANSWERED_PAUSE))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn a_misfit_refuses_for_a_while_and_is_asked_about_again() {
        let misfit = Fit::misfits(at(0));
        assert!(misfit.refuses(at(0)) && misfit.refuses(at(4_999)) && !misfit.refuses(at(5_000)));
        assert!(!misfit.must_confirm(at(4_999)) && misfit.must_confirm(at(5_000)));
        assert!(!misfit.must_ask(at(4_999)) && misfit.must_ask(at(5_000)));
        assert!(
            !misfit.refuses(at(-60_000)) && misfit.must_ask(at(-60_000)),
            "the clock went back"
        );
        assert_eq!(misfit.unanswered(at(5_000)), Fit::misfits(at(5_000)));
        assert!(!Fit::Unknown.must_ask(at(0)) && !Fit::Fits.must_ask(at(0)));
        assert!(!Fit::Unknown.refuses(at(0)) && Fit::Unknown.must_confirm(at(0)));
        assert!(!Fit::fits().must_confirm(at(0)));
    }

    #[test]
    fn who_gets_no_answer_asks_once_a_second_and_forgets_no_fit() {
        let unanswered = Fit::Unknown.unanswered(at(0));
        assert!(
            !unanswered.refuses(at(0))
                && !unanswered.must_confirm(at(999))
                && unanswered.must_confirm(at(1_000))
        );
        assert_eq!(Fit::Fits.unanswered(at(0)), Fit::Fits);
    }
}
