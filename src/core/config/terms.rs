//! The terms on which a deployment holds leases, and what they come to for a bound.

use serde::{Deserialize, Serialize};

use crate::base::time::{DurationMs, UnixMs};

/// Why terms are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// The source of leases is none of the two.
    #[error("FRESHNESS must be bounded (the default) or eventual")]
    Freshness,
    /// The handling of an outage is none of the two.
    #[error("OUTAGE must be deny (the default), or grace:<seconds> with 1 to {GRACE_S_MAX}")]
    Outage,
}

/// Longest grace, in seconds: a day.
pub const GRACE_S_MAX: u64 = 86_400;

/// What a request gets whose lease is older than T while the ledger is out of reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outage {
    /// 503.
    #[default]
    Deny,
    /// A verdict from the lease there is, if it is at most so much older than T, and has not ended
    /// (after ten T); else from the lease document in KV, for so long after the first call that
    /// failed.
    Grace(DurationMs),
}

impl Outage {
    /// How much older than T a lease may be.
    pub fn grace(self) -> Option<DurationMs> {
        match self {
            Self::Deny => None,
            Self::Grace(more) => Some(more),
        }
    }

    /// Reads `deny` or `grace:<seconds>`, the number in digits without leading zeros.
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

/// Where leases come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// From the ledger: within T.
    #[default]
    Bounded,
    /// From the documents that ledgers publish to KV: as late as KV is, and mostly without a call
    /// to a ledger.
    Eventual,
}

impl Freshness {
    /// As the setting and the session document spell it.
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

/// On what terms a deployment holds leases. By default within T, and not at all while a ledger is
/// out of reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Where leases come from.
    pub freshness: Freshness,
    /// What holds while a ledger is out of reach.
    pub outage: Outage,
}

impl Terms {
    /// Parses the variables `FRESHNESS` and `OUTAGE`.
    ///
    /// # Errors
    /// [`TermsError::Freshness`], [`TermsError::Outage`].
    pub fn parse(freshness: Option<&str>, outage: Option<&str>) -> Result<Self, TermsError> {
        let freshness = freshness.map_or(Some(Freshness::Bounded), Freshness::parse);
        let outage = outage.map_or(Some(Outage::Deny), Outage::parse);
        Ok(Self {
            freshness: freshness.ok_or(TermsError::Freshness)?,
            outage: outage.ok_or(TermsError::Outage)?,
        })
    }

    /// What T and the grace come to, in seconds. With T = 0 every request asks, so that there is no
    /// grace.
    pub fn within_s(self, freshness_s: u32) -> u32 {
        match self.outage.grace() {
            Some(grace) if freshness_s > 0 => freshness_s
                .saturating_add(u32::try_from(grace.as_ms().div_euclid(1_000)).unwrap_or(u32::MAX)),
            _ => freshness_s,
        }
    }

    /// What a bound that goes by T comes to.
    #[must_use]
    pub fn bound(self, bound: Bound) -> Bound {
        let within_s = self.within_s(bound.within_s);
        let more = DurationMs::from_s(within_s.saturating_sub(bound.within_s).into());
        let is_eventual = self.freshness == Freshness::Eventual;
        Bound { at: bound.at.saturating_add(more), within_s, is_eventual }
    }

    /// Whether isolates may need what ledgers publish to KV.
    pub fn wants_documents(self) -> bool {
        self.freshness == Freshness::Eventual || self.outage.grace().is_some()
    }
}

/// From when a change that takes power away holds everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The instant.
    pub at: UnixMs,
    /// So many seconds after the change: T, and the grace of an outage.
    pub within_s: u32,
    /// Nobody can say: most places have it within a minute.
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
