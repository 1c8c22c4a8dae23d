//! The edge's knowledge of whether it fits the admin Worker: see [`crate::replication::link`].

use crate::base::time::{DurationMs, UnixMs};

/// How long an edge refuses everything after it was told that it does not fit. Then it asks again:
/// a deployment may have mended it.
const MISFIT_PAUSE: DurationMs = DurationMs::from_s(5);

/// How long an edge does not ask again that was not answered. Meanwhile it decides by what it has.
const UNANSWERED_PAUSE: DurationMs = DurationMs::from_s(1);

/// What an edge knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Nobody has said.
    Unknown,
    /// Nobody has said, and asking is of no use before this time.
    Unanswered(UnixMs),
    /// Both fit.
    Fits,
    /// They do not, and everything is refused before this time.
    Misfits(UnixMs),
}

impl Fit {
    /// Returns `true` if the edge must refuse everything.
    pub(super) fn refuses(self, now: UnixMs) -> bool {
        matches!(self, Self::Misfits(until) if now < until)
    }

    /// Returns `true` if the admin Worker is to be asked before a credential is called made up:
    /// with other keys than the admin Worker's, every credential seems to be.
    pub(super) fn wants_word(self, now: UnixMs) -> bool {
        match self {
            Self::Fits => false,
            Self::Unknown => true,
            Self::Unanswered(until) | Self::Misfits(until) => now >= until,
        }
    }

    /// The admin Worker's side answered: both fit.
    pub(super) fn fits() -> Self {
        Self::Fits
    }

    /// The admin Worker's side answered: they do not fit.
    pub(super) fn misfits(now: UnixMs) -> Self {
        Self::Misfits(now.saturating_add(MISFIT_PAUSE))
    }

    /// The admin Worker's side did not answer.
    pub(super) fn unanswered(self, now: UnixMs) -> Self {
        match self {
            Self::Fits => Self::Fits,
            Self::Unknown | Self::Unanswered(_) | Self::Misfits(_) => {
                Self::Unanswered(now.saturating_add(UNANSWERED_PAUSE))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_ms(ms)
    }

    #[test]
    fn a_misfit_refuses_for_a_while_and_is_asked_about_again() {
        let misfit = Fit::misfits(at(0));
        assert!(misfit.refuses(at(0)) && misfit.refuses(at(4_999)) && !misfit.refuses(at(5_000)));
        assert!(!misfit.wants_word(at(4_999)) && misfit.wants_word(at(5_000)));
        assert!(!Fit::Unknown.refuses(at(0)) && Fit::Unknown.wants_word(at(0)));
        assert!(!Fit::fits().wants_word(at(0)));
    }

    #[test]
    fn who_gets_no_answer_asks_once_a_second_and_forgets_no_fit() {
        let unanswered = Fit::Unknown.unanswered(at(0));
        assert!(
            !unanswered.refuses(at(0))
                && !unanswered.wants_word(at(999))
                && unanswered.wants_word(at(1_000))
        );
        assert_eq!(Fit::Fits.unanswered(at(0)), Fit::Fits);
    }
}
