//! Filters of a list of keys: by status, issuer, expiry and last use.

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::time::DurationMs;
use serde::{Deserialize, Serialize};

use crate::protocol::key_status::Status;

/// Longest period of a filter, in days: ten years.
const DAYS_MAX: u32 = 3_650;

/// Selects keys. Every condition that is present must hold; the default selects all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFilter {
    /// Statuses, of which a key has one; empty selects all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<Status>,
    /// Issuer of the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<IssuerFilter>,
    /// Expiry of the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<ExpiryFilter>,
    /// Last use of the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<UseFilter>,
}

impl KeyFilter {
    /// Returns `true` if it selects all keys.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// Parses a list of statuses, as in `active,disabled`; `None` if one is unknown or none is given.
pub fn parse_statuses(text: &str) -> Option<Vec<Status>> {
    let mut statuses = Vec::new();
    for name in text.split(',') {
        let status = Status::ALL.into_iter().find(|status| status.as_str() == name)?;
        if !statuses.contains(&status) {
            statuses.push(status);
        }
    }
    Some(statuses)
}

/// Selects keys by their issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuerFilter {
    /// Issued by any member.
    Members,
    /// Issued by any key.
    Keys,
    /// Issued with the service password.
    Service,
    /// Issued by this member.
    Member(MemberId),
    /// Issued by this key.
    Key(KeyId),
}

impl IssuerFilter {
    /// Parses `members`, `keys`, `service`, a member's ID or a key's ID.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "members" => Some(Self::Members),
            "keys" => Some(Self::Keys),
            "service" => Some(Self::Service),
            id => KeyId::parse(id).map(Self::Key).or_else(|| MemberId::parse(id).map(Self::Member)),
        }
    }
}

/// Selects keys by their expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryFilter {
    /// Unlimited keys.
    Never,
    /// Keys that expire within this time.
    Within(DurationMs),
}

impl ExpiryFilter {
    /// Parses `never`, or days as in `30d`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "never" { Some(Self::Never) } else { days(text).map(Self::Within) }
    }
}

/// Selects keys by their last use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseFilter {
    /// Keys that were never used.
    Never,
    /// Keys that were used within this time.
    Within(DurationMs),
    /// Keys that were issued before this time and not used since.
    NotWithin(DurationMs),
}

impl UseFilter {
    /// Parses `never`, days as in `30d`, or `not-30d`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("not-") {
            _ if text == "never" => Some(Self::Never),
            Some(rest) => days(rest).map(Self::NotWithin),
            None => days(text).map(Self::Within),
        }
    }
}

/// Parses `1d` to `3650d`, without leading zeros.
fn days(text: &str) -> Option<DurationMs> {
    let digits = text.strip_suffix('d')?;
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    let count: u32 =
        digits.parse().ok().filter(|count| is_plain && (1..=DAYS_MAX).contains(count))?;
    Some(DurationMs::from_days(count.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use claviger_core::testing::key_id;

    #[test]
    fn filters_are_read_as_documented_and_nothing_else_is() {
        let day = DurationMs::from_days;
        assert_eq!(parse_statuses("ended,active,ended"), Some(vec![Status::Ended, Status::Active]));
        for bad in ["", "Active", "active,", "active, disabled", "gone"] {
            assert_eq!(parse_statuses(bad), None, "{bad}");
        }
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        for (text, expected) in [
            ("never", Some(UseFilter::Never)),
            ("30d", Some(UseFilter::Within(day(30)))),
            ("not-3650d", Some(UseFilter::NotWithin(day(3650)))),
            ("1d", Some(UseFilter::Within(day(1)))),
            ("not-never", None),
            ("0d", None),
            ("3651d", None),
            ("030d", None),
            ("+3d", None),
            ("30", None),
            ("", None),
        ] {
            assert_eq!(UseFilter::parse(text), expected, "{text}");
        }
        assert_eq!(ExpiryFilter::parse("never"), Some(ExpiryFilter::Never));
        assert_eq!(ExpiryFilter::parse("7d"), Some(ExpiryFilter::Within(day(7))));
        assert_eq!(ExpiryFilter::parse("not-7d"), None);
        let id = key_id();
        assert_eq!(IssuerFilter::parse(id.as_str()), Some(IssuerFilter::Key(id)));
        assert_eq!(IssuerFilter::parse("service"), Some(IssuerFilter::Service));
        let member = MemberId::parse("0123456789a").unwrap();
        assert_eq!(IssuerFilter::parse("0123456789a"), Some(IssuerFilter::Member(member)));
        assert_eq!(IssuerFilter::parse("me"), None);
    }
}
