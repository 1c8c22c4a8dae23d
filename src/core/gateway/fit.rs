//! Stores whether the edge fits the admin Worker: see [`crate::replication::link`].

use crate::base::time::{DurationMs, UnixMs};

/// Time for which an edge refuses everything after the admin Worker reported a misfit. Then it asks
/// again, because a deployment may have repaired it.
const MISFIT_PAUSE: DurationMs = DurationMs::from_s(5);

/// Time before an edge asks again after a call without an answer. Meanwhile it decides with its own
/// keys.
const UNANSWERED_PAUSE: DurationMs = DurationMs::from_s(1);

/// Time for which a question counts as in flight. The request that asks may be cancelled, so after
/// this time the next one asks again.
const ASKING_LIFE: DurationMs = DurationMs::from_s(1);

/// The result of the last check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// The edge has not asked yet.
    Unknown,
    /// One request has been asking since this time. Meanwhile other requests are decided without
    /// the answer, as the last result allows.
    Asking(UnixMs, BeforeAsking),
    /// The edge got no answer, and does not ask again before this time.
    Unanswered(UnixMs),
    /// Both Workers fit.
    Fits,
    /// The Workers do not fit, and the edge refuses everything before this time.
    Misfits(UnixMs),
}

/// The result of the check before the one that is in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BeforeAsking {
    /// There was none. The edge cannot tell a made-up key from one that it cannot check.
    Nothing,
    /// The admin Worker did not answer. The edge decides with its own keys.
    Unanswered,
    /// The Workers did not fit. The edge refuses everything.
    Misfit,
}

impl Fit {
    /// Returns `true` if the edge must refuse everything.
    pub(super) fn refuses(self, now: UnixMs) -> bool {
        // A time that lies further ahead is from before the clock was set back.
        let is_soon = |until: UnixMs| until.since(now).is_some_and(|wait| wait <= MISFIT_PAUSE);
        match self {
            Self::Misfits(until) => now < until && is_soon(until),
            Self::Asking(since, BeforeAsking::Misfit) => is_in_flight(since, now),
            _ => false,
        }
    }

    /// Returns `true` if the edge must ask the admin Worker before it decides about any request.
    /// That is so at the end of the pause after a misfit.
    pub(super) fn must_ask(self, now: UnixMs) -> bool {
        matches!(self, Self::Misfits(_) | Self::Asking(_, BeforeAsking::Misfit))
            && !self.refuses(now)
    }

    /// Returns `true` if the edge must ask the admin Worker before it refuses a credential by its
    /// tag. If the edge has other keys than the admin Worker, every tag seems wrong.
    pub(super) fn must_confirm(self, now: UnixMs) -> bool {
        match self {
            Self::Fits => false,
            Self::Unknown => true,
            Self::Asking(since, _) => !is_in_flight(since, now),
            // A time that lies further ahead is from before the clock was set back.
            Self::Unanswered(until) => {
                now >= until || until.since(now).is_some_and(|wait| wait > UNANSWERED_PAUSE)
            }
            Self::Misfits(until) => now >= until,
        }
    }

    /// Returns `true` if the edge must not call a credential made up, and must not ask either:
    /// another request is asking, or the edge refuses everything.
    pub(super) fn is_unsure(self, now: UnixMs) -> bool {
        let is_first = |since| is_in_flight(since, now);
        matches!(self, Self::Asking(since, BeforeAsking::Nothing) if is_first(since))
            || self.refuses(now)
    }

    /// Records that a request now asks the admin Worker.
    pub(super) fn asking(self, now: UnixMs) -> Self {
        match self {
            Self::Fits => Self::Fits,
            Self::Unknown => Self::Asking(now, BeforeAsking::Nothing),
            Self::Asking(_, before) => Self::Asking(now, before),
            Self::Unanswered(_) => Self::Asking(now, BeforeAsking::Unanswered),
            Self::Misfits(_) => Self::Asking(now, BeforeAsking::Misfit),
        }
    }

    /// Records an answer that both fit, to a question of the time `asked`. An answer to a question
    /// from before a misfit may come from an object that runs an older version, and changes
    /// nothing.
    pub(super) fn fits(self, asked: UnixMs) -> Self {
        match self {
            Self::Misfits(until) if asked < until.saturating_sub(MISFIT_PAUSE) => self,
            _ => Self::Fits,
        }
    }

    /// Records the admin Worker's answer that they do not fit.
    pub(super) fn misfits(now: UnixMs) -> Self {
        Self::Misfits(now.saturating_add(MISFIT_PAUSE))
    }

    /// Records that the admin Worker did not answer. A fit stays; a misfit stays too, and its pause
    /// starts again.
    pub(super) fn unanswered(self, now: UnixMs) -> Self {
        match self {
            Self::Fits => Self::Fits,
            Self::Misfits(_) | Self::Asking(_, BeforeAsking::Misfit) => Self::misfits(now),
            Self::Unknown | Self::Unanswered(_) | Self::Asking(..) => {
                Self::Unanswered(now.saturating_add(UNANSWERED_PAUSE))
            }
        }
    }
}

/// Returns `true` if a question of this time counts as in flight. After a step back of the clock it
/// does not.
fn is_in_flight(since: UnixMs, now: UnixMs) -> bool {
    now.since(since).is_some_and(|age| age < ASKING_LIFE)
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
        assert!(!Fit::Unknown.fits(at(0)).must_confirm(at(0)));
    }

    #[test]
    fn an_answer_to_a_question_from_before_a_misfit_changes_nothing() {
        let misfit = Fit::misfits(at(1_000));
        assert_eq!(misfit.fits(at(999)), misfit);
        assert_eq!(misfit.fits(at(1_000)), Fit::Fits);
        assert_eq!(misfit.asking(at(6_000)).fits(at(6_000)), Fit::Fits);
    }

    #[test]
    fn a_clock_that_goes_back_leads_to_a_question() {
        let unanswered = Fit::Unknown.unanswered(at(60_000));
        assert!(!unanswered.must_confirm(at(60_500)) && unanswered.must_confirm(at(61_000)));
        assert!(unanswered.must_confirm(at(0)));
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

    #[test]
    fn one_request_asks_and_the_others_do_not() {
        let asking = Fit::Unknown.asking(at(0));
        for ms in [0, 999] {
            assert!(!asking.must_confirm(at(ms)) && asking.is_unsure(at(ms)), "{ms}");
            assert!(!asking.refuses(at(ms)) && !asking.must_ask(at(ms)), "{ms}");
        }
        for ms in [1_000, -1] {
            assert!(asking.must_confirm(at(ms)) && !asking.is_unsure(at(ms)), "{ms}");
        }
        assert_eq!(asking.unanswered(at(2_000)), Fit::Unknown.unanswered(at(2_000)));
        assert_eq!(Fit::Fits.asking(at(0)), Fit::Fits);
    }

    #[test]
    fn while_one_request_asks_the_others_are_decided_as_before() {
        // Without an answer before: with the edge's own keys.
        let again = Fit::Unknown.unanswered(at(0)).asking(at(1_000));
        assert!(!again.must_confirm(at(1_999)) && !again.is_unsure(at(1_999)));
        assert!(again.must_confirm(at(2_000)));
        // After a misfit: refused.
        let again = Fit::misfits(at(0)).asking(at(5_000));
        assert!(
            again.refuses(at(5_999)) && !again.must_ask(at(5_999)) && again.is_unsure(at(5_999))
        );
        assert!(!again.refuses(at(6_000)) && again.must_ask(at(6_000)));
        assert_eq!(again.unanswered(at(7_000)), Fit::misfits(at(7_000)));
        // The next request that asks inherits what was known before the first.
        let twice = again.asking(at(6_000));
        assert!(twice.refuses(at(6_999)) && twice.is_unsure(at(6_999)));
        let twice = Fit::Unknown.asking(at(0)).asking(at(1_000));
        assert!(twice.is_unsure(at(1_999)) && !twice.refuses(at(1_999)));
    }
}
