//! Defines instants and durations as values. There is no `now` here: the caller passes it in.

mod civil;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::base::json::from_json;

pub use self::civil::CivilText;

/// Longest accepted RFC 3339 text, in bytes: 10 for the date, 1 for the separator, 8 for the time,
/// 10 for nine decimals, 6 for the offset.
pub const RFC3339_BYTES_MAX: usize = 35;

/// The reason why a text is not an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum TimeError {
    /// The text is not a date-time of RFC 3339 §5.6.
    #[error("write a date and time as in 2027-06-30T14:05:00Z")]
    NotRfc3339,
    /// The calendar has no such day, or the clock no such time.
    #[error("there is no such day or time")]
    NoSuchInstant,
}

impl TimeError {
    /// Returns the stable code, equal to the `code` of the JSON form.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotRfc3339 => "not_rfc3339",
            Self::NoSuchInstant => "no_such_instant",
        }
    }
}

/// An instant: milliseconds since 1970-01-01T00:00:00Z, without leap seconds. Its JSON form is that
/// number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UnixMs(i64);

from_json!(UnixMs(_));

impl UnixMs {
    /// Creates an instant from milliseconds since the epoch.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Returns the milliseconds since the epoch.
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// Returns the instant `span` later; `None` beyond the range of the type.
    pub const fn checked_add(self, span: DurationMs) -> Option<Self> {
        match self.0.checked_add_unsigned(span.0) {
            Some(ms) => Some(Self(ms)),
            None => None,
        }
    }

    /// Returns the instant `span` later, or the last instant of the type.
    pub const fn saturating_add(self, span: DurationMs) -> Self {
        Self(self.0.saturating_add_unsigned(span.0))
    }

    /// Returns the instant `span` earlier, or the first instant of the type.
    pub const fn saturating_sub(self, span: DurationMs) -> Self {
        Self(self.0.saturating_sub_unsigned(span.0))
    }

    /// Returns the time since `earlier`; `None` if this instant is before it.
    pub const fn since(self, earlier: Self) -> Option<DurationMs> {
        if self.0 < earlier.0 { None } else { Some(DurationMs(self.0.abs_diff(earlier.0))) }
    }

    /// Formats the instant in UTC as RFC 3339 §5.6, always with three decimals:
    /// `2027-06-30T15:00:00.250Z`. So texts sort like instants, and clients may rely on one form.
    /// Returns `None` outside the years 0 to 9999.
    pub fn to_rfc3339(self) -> Option<String> {
        let timestamp = Timestamp::from_millisecond(self.0).ok()?;
        let year = TimeZone::UTC.to_datetime(timestamp).year();
        (year >= 0).then(|| format!("{timestamp:.3}"))
    }

    /// Parses a date-time of RFC 3339 §5.6, in capitals. It truncates to milliseconds, and reads
    /// `-00:00` as UTC.
    ///
    /// # Errors
    /// [`TimeError::NotRfc3339`] if the text has another form. [`TimeError::NoSuchInstant`] if
    /// there is no such day or time, or for the leap second 60, which Unix time does not count.
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimeError> {
        if text.len() > RFC3339_BYTES_MAX {
            return Err(TimeError::NotRfc3339);
        }
        let civil =
            CivilText::read(text).filter(CivilText::is_rfc3339).ok_or(TimeError::NotRfc3339)?;
        let instant = || {
            let at = civil.date()?.to_datetime(civil.time()??);
            civil.offset()??.to_timestamp(at).ok()
        };
        instant().map(Self::from).ok_or(TimeError::NoSuchInstant)
    }
}

impl From<Timestamp> for UnixMs {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp.as_millisecond())
    }
}

/// A duration in milliseconds. Its JSON form is that number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct DurationMs(u64);

from_json!(DurationMs(_));

impl DurationMs {
    /// Creates a duration from milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Creates a duration from seconds, or the longest of the type.
    pub const fn from_s(s: u64) -> Self {
        Self(s.saturating_mul(1000))
    }

    /// Creates a duration from days of 24 hours, or the longest of the type.
    pub const fn from_days(days: u64) -> Self {
        Self::from_s(days.saturating_mul(24 * 60 * 60))
    }

    /// Returns the duration in milliseconds.
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// Returns the duration multiplied by `times`; `None` beyond the range of the type.
    pub const fn checked_mul(self, times: u64) -> Option<Self> {
        match self.0.checked_mul(times) {
            Some(ms) => Some(Self(ms)),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc3339_instants() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Ok(0)),
            ("1969-12-31T23:59:59.999Z", Ok(-1)),
            ("1969-12-31T23:59:59.9999Z", Ok(-1)),
            ("2027-06-30T15:00:00Z", Ok(1_814_367_600_000)),
            ("2027-07-01T00:00:00+09:00", Ok(1_814_367_600_000)),
            ("2027-06-30T15:00:00-00:00", Ok(1_814_367_600_000)),
            ("2027-06-30T15:00:00+23:59", Ok(1_814_281_260_000)),
            ("2027-06-30T15:00:00-23:59", Ok(1_814_453_940_000)),
            ("2027-06-30T15:00:00.123456789+09:00", Ok(1_814_335_200_123)),
            ("2027-06-30T15:00:00.5Z", Ok(1_814_367_600_500)),
            ("2027-06-30T15:00:00.123456789Z", Ok(1_814_367_600_123)),
            ("2028-02-29T00:00:00Z", Ok(1_835_395_200_000)),
            ("2027-02-29T00:00:00Z", Err(TimeError::NoSuchInstant)),
            ("2027-06-00T00:00:00Z", Err(TimeError::NoSuchInstant)),
            ("2027-13-01T00:00:00Z", Err(TimeError::NoSuchInstant)),
            ("2027-06-30T24:00:00Z", Err(TimeError::NoSuchInstant)),
            ("2027-06-30T23:59:60Z", Err(TimeError::NoSuchInstant)),
            ("2027-06-30T15:00:00+24:00", Err(TimeError::NoSuchInstant)),
            ("2027-06-30T15:00:00+09:60", Err(TimeError::NoSuchInstant)),
            ("2027-06-30T15:00:00", Err(TimeError::NotRfc3339)),
            ("2027-06-30T15:00Z", Err(TimeError::NotRfc3339)),
            ("2027-06-30", Err(TimeError::NotRfc3339)),
            ("2027/06/30T15:00:00Z", Err(TimeError::NotRfc3339)),
            ("2027-06-30 15:00:00Z", Err(TimeError::NotRfc3339)),
            ("2027-06-30t15:00:00z", Err(TimeError::NotRfc3339)),
            ("2027-06-30T15:00:00 Z", Err(TimeError::NotRfc3339)),
            ("2027-06-30T15:00:00+0900", Err(TimeError::NotRfc3339)),
            ("2027-06-30T15:00:00+09", Err(TimeError::NotRfc3339)),
            ("2027-06-30T15:00:00.Z", Err(TimeError::NotRfc3339)),
            ("2027-06-30T15:00:00,5Z", Err(TimeError::NotRfc3339)),
            ("2027-06-30T15:00:00.1234567891Z", Err(TimeError::NotRfc3339)),
            ("2027-06-30T15:00:00Z[Asia/Tokyo]", Err(TimeError::NotRfc3339)),
            ("+002027-06-30T15:00:00Z", Err(TimeError::NotRfc3339)),
            (" 2027-06-30T15:00:00Z", Err(TimeError::NotRfc3339)),
            ("２027-06-30T15:00:00Z", Err(TimeError::NotRfc3339)),
            ("", Err(TimeError::NotRfc3339)),
        ] {
            assert_eq!(UnixMs::parse_rfc3339(text).map(UnixMs::as_ms), expected, "{text}");
        }
    }

    #[test]
    fn rfc3339_text() {
        for (ms, expected) in [
            (0, Some("1970-01-01T00:00:00.000Z")),
            (1_814_367_600_000, Some("2027-06-30T15:00:00.000Z")),
            (1_814_367_600_250, Some("2027-06-30T15:00:00.250Z")),
            (-62_167_219_200_000, Some("0000-01-01T00:00:00.000Z")),
            (-62_167_219_200_001, None),
            (i64::MIN, None),
            (i64::MAX, None),
        ] {
            assert_eq!(UnixMs::from_ms(ms).to_rfc3339().as_deref(), expected, "{ms}");
        }
    }

    #[test]
    fn arithmetic_stays_in_range() {
        let (first, last) = (UnixMs::from_ms(i64::MIN), UnixMs::from_ms(i64::MAX));
        let (tick, longest) = (DurationMs::from_ms(1), DurationMs::from_ms(u64::MAX));
        assert_eq!(last.checked_add(tick), None);
        assert_eq!(last.saturating_add(tick), last);
        assert_eq!(first.saturating_sub(tick), first);
        assert_eq!(first.checked_add(longest), Some(last));
        assert_eq!(last.since(first), Some(longest));
        assert_eq!(first.since(last), None);
        assert_eq!(last.since(last), Some(DurationMs::default()));
        assert_eq!(longest.checked_mul(2), None);
        assert_eq!(DurationMs::from_s(u64::MAX), longest);
        assert_eq!(DurationMs::from_days(2).as_ms(), 172_800_000);
    }

    #[test]
    fn codes() {
        for error in [TimeError::NotRfc3339, TimeError::NoSuchInstant] {
            assert_eq!(serde_json::to_value(error).unwrap()["code"], error.code());
        }
    }

    proptest! {
        #[test]
        fn text_reads_back(ms in -62_167_219_200_000_i64..=253_402_207_200_000) {
            let text = UnixMs::from_ms(ms).to_rfc3339().unwrap();
            prop_assert_eq!(UnixMs::parse_rfc3339(&text).unwrap().as_ms(), ms);
        }

        #[test]
        fn reads_what_the_library_reads(text in "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-5][0-9](\\.[0-9]{1,3})?(Z|[+-][01][0-9]:[0-5][0-9])") {
            let ours = UnixMs::parse_rfc3339(&text).ok();
            prop_assert_eq!(ours, text.parse::<Timestamp>().ok().map(UnixMs::from));
        }
    }
}
