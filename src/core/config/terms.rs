//! Defines the terms under which a deployment holds leases, and computes the revocation bound that
//! results.

use serde::{Deserialize, Serialize};

use crate::base::time::{DurationMs, UnixMs};

/// The reason why terms are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// `FRESHNESS` is neither `bounded` nor `eventual`.
    #[error("FRESHNESS must be bounded (the default) or eventual")]
    Freshness,
    /// `OUTAGE` is neither `deny` nor a valid `grace:<seconds>`.
    #[error("OUTAGE must be deny (the default), or grace:<seconds> with 1 to {GRACE_S_MAX}")]
    Outage,
}

/// Longest grace, in seconds: a day.
pub const GRACE_S_MAX: u64 = 86_400;

/// The edge's answer to a request whose lease is older than T while the ledger is out of reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outage {
    /// The edge answers 503.
    #[default]
    Deny,
    /// The edge answers from the existing lease, if that is at most this much older than T and has
    /// not ended (after ten T). Otherwise it answers from the lease document in KV, for this long
    /// after the first failed call.
    Grace(DurationMs),
}

impl Outage {
    /// Returns the time by which a lease may be older than T; `None` for none.
    pub fn grace(self) -> Option<DurationMs> {
        match self {
            Self::Deny => None,
            Self::Grace(more) => Some(more),
        }
    }

    /// Parses `deny` or `grace:<seconds>`, with a number without leading zeros.
    fn parse(text: &str) -> Option<Self> {
        if text == "deny" {
            return Some(Self::Deny);
        }
        let digits = text.strip_prefix("grace:")?;
        let seconds: u64 = digits.parse().ok()?;
        let is_canonical = seconds.to_string() == digits && (1..=GRACE_S_MAX).contains(&seconds);
        is_canonical.then(|| Self::Grace(DurationMs::from_s(seconds)))
    }
}

/// The source of leases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// Leases come from the ledger, so a change takes effect within T.
    #[default]
    Bounded,
    /// Leases come from the documents that ledgers publish to KV. They are as late as KV, and
    /// mostly need no call to a ledger.
    Eventual,
}

impl Freshness {
    /// Returns the spelling in the setting and in the session document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounded => "bounded",
            Self::Eventual => "eventual",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Bounded, Self::Eventual].into_iter().find(|freshness| freshness.as_str() == text)
    }
}

/// The terms under which a deployment holds leases. By default a lease is usable for T, and not
/// longer while the ledger is out of reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Source of leases.
    pub freshness: Freshness,
    /// Answer while a ledger is out of reach.
    pub outage: Outage,
}

impl Terms {
    /// Parses the variables `FRESHNESS` and `OUTAGE`.
    ///
    /// # Errors
    /// [`TermsError::Freshness`] or [`TermsError::Outage`] if the variable is malformed.
    pub fn parse(freshness: Option<&str>, outage: Option<&str>) -> Result<Self, TermsError> {
        let freshness = freshness.map_or(Some(Freshness::Bounded), Freshness::parse);
        let outage = outage.map_or(Some(Outage::Deny), Outage::parse);
        Ok(Self {
            freshness: freshness.ok_or(TermsError::Freshness)?,
            outage: outage.ok_or(TermsError::Outage)?,
        })
    }

    /// Returns T plus the grace, in seconds. With T = 0 every request asks the ledger, so there is
    /// no grace.
    pub fn within_s(self, freshness_s: u32) -> u32 {
        match self.outage.grace() {
            Some(grace) if freshness_s > 0 => freshness_s
                .saturating_add(u32::try_from(grace.as_ms().div_euclid(1_000)).unwrap_or(u32::MAX)),
            _ => freshness_s,
        }
    }

    /// Extends a bound that only accounts for T by the deployment's terms.
    #[must_use]
    pub fn bound(self, bound: Bound) -> Bound {
        let within_s = self.within_s(bound.within_s);
        let more = DurationMs::from_s(within_s.saturating_sub(bound.within_s).into());
        let is_eventual = self.freshness == Freshness::Eventual;
        Bound { at: bound.at.saturating_add(more), within_s, is_eventual }
    }

    /// Returns `true` if isolates may need the documents that ledgers publish to KV.
    pub fn wants_documents(self) -> bool {
        self.freshness == Freshness::Eventual || self.outage.grace().is_some()
    }
}

/// The time from which a change that takes access away holds everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Time at which the change holds, Unix ms.
    pub at: UnixMs,
    /// Seconds after the change: T plus the grace of an outage.
    pub within_s: u32,
    /// `true` if the time is not guaranteed; most places have the change within a minute.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub is_eventual: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_and_outage_with_near_misses() {
        let grace = |s| Ok(Outage::Grace(DurationMs::from_s(s)));
        for (text, expected) in [
            ("deny", Ok(Outage::Deny)),
            ("grace:1", grace(1)),
            ("grace:86400", grace(86_400)),
            ("grace:86401", Err(TermsError::Outage)),
            ("grace:0", Err(TermsError::Outage)),
            ("grace:060", Err(TermsError::Outage)),
            ("grace:+60", Err(TermsError::Outage)),
            ("grace:60s", Err(TermsError::Outage)),
            ("grace:", Err(TermsError::Outage)),
            ("grace", Err(TermsError::Outage)),
            ("Deny", Err(TermsError::Outage)),
            ("", Err(TermsError::Outage)),
        ] {
            assert_eq!(
                Terms::parse(None, Some(text)).map(|terms| terms.outage),
                expected,
                "{text}"
            );
        }
        for (text, expected) in [
            ("bounded", Ok(Freshness::Bounded)),
            ("eventual", Ok(Freshness::Eventual)),
            ("Eventual", Err(TermsError::Freshness)),
            ("Bounded", Err(TermsError::Freshness)),
            ("", Err(TermsError::Freshness)),
        ] {
            assert_eq!(
                Terms::parse(Some(text), None).map(|terms| terms.freshness),
                expected,
                "{text}"
            );
        }
        assert_eq!(
            Terms::parse(None, None).unwrap(),
            Terms { freshness: Freshness::Bounded, outage: Outage::Deny }
        );
        let at = UnixMs::from_ms;
        let bound = |ms, within_s, is_eventual| Bound { at: at(ms), within_s, is_eventual };
        for (freshness, outage, within_s, expected) in [
            ("bounded", "deny", 10, bound(10_000, 10, false)),
            ("bounded", "grace:60", 10, bound(70_000, 70, false)),
            ("bounded", "grace:60", 0, bound(10_000, 0, false)),
            ("eventual", "deny", 10, bound(10_000, 10, true)),
        ] {
            let terms = Terms::parse(Some(freshness), Some(outage)).unwrap();
            assert_eq!(
                terms.bound(bound(10_000, within_s, false)),
                expected,
                "{freshness}, {outage}"
            );
        }
        for (freshness, outage, wants) in [
            (None, None, false),
            (Some("eventual"), None, true),
            (Some("bounded"), Some("deny"), false),
            (Some("bounded"), Some("grace:1"), true),
        ] {
            assert_eq!(Terms::parse(freshness, outage).unwrap().wants_documents(), wants);
        }
    }
}
