//! Parses the time range of an activity query.

use claviger_core::base::time::{CivilText, DurationMs, TimeError, UnixMs};
use jiff::civil::Date;

use crate::protocol::zone::Zone;

/// The reason for which a text is not a valid time for the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeRangeError {
    /// The text has neither the form of a date nor of an instant.
    #[error("write a date as in 2027-06-30, or a time as in 2027-06-30T14:05:00Z")]
    NotATime,
    /// The calendar has no such day, or the clock no such time.
    #[error("there is no such day or time")]
    NoSuchTime,
}

impl TimeRangeError {
    /// Returns the stable code for clients.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotATime => "not_a_time",
            Self::NoSuchTime => "no_such_time",
        }
    }
}

/// Parses the first instant of the range: an instant of RFC 3339, or the beginning of a day in
/// `zone`.
///
/// # Errors
/// [`TimeRangeError`] if the text is neither.
pub fn begin(text: &str, zone: &Zone) -> Result<UnixMs, TimeRangeError> {
    match day(text)? {
        Some(day) => zone.start_of(day).ok_or(TimeRangeError::NoSuchTime),
        None => instant(text),
    }
}

/// Parses the end of the range, exclusive: just after an instant of RFC 3339, or the end of a day
/// in `zone`.
///
/// # Errors
/// [`TimeRangeError`] if the text is neither.
pub fn end(text: &str, zone: &Zone) -> Result<UnixMs, TimeRangeError> {
    match day(text)? {
        Some(day) => day
            .tomorrow()
            .ok()
            .and_then(|next| zone.start_of(next))
            .ok_or(TimeRangeError::NoSuchTime),
        None => Ok(instant(text)?.saturating_add(DurationMs::from_ms(1))),
    }
}

/// Parses a day; `None` if the text contains a time.
fn day(text: &str) -> Result<Option<Date>, TimeRangeError> {
    let civil = CivilText::read(text).ok_or(TimeRangeError::NotATime)?;
    match civil.time() {
        Some(_) => Ok(None),
        None => civil.date().ok_or(TimeRangeError::NoSuchTime).map(Some),
    }
}

fn instant(text: &str) -> Result<UnixMs, TimeRangeError> {
    UnixMs::parse_rfc3339(text).map_err(|error| match error {
        TimeError::NoSuchInstant => TimeRangeError::NoSuchTime,
        TimeError::NotRfc3339 => TimeRangeError::NotATime,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_the_account_s_and_instants_are_everybody_s() {
        let text_of = |read: Result<UnixMs, TimeRangeError>| {
            read.map(|at| at.to_rfc3339().unwrap()).map_err(TimeRangeError::code)
        };
        for (zone, text, from, to) in [
            (
                "Asia/Tokyo",
                "2026-11-22",
                Ok("2026-11-21T15:00:00.000Z"),
                Ok("2026-11-22T15:00:00.000Z"),
            ),
            ("UTC", "2026/11/22", Ok("2026-11-22T00:00:00.000Z"), Ok("2026-11-23T00:00:00.000Z")),
            // A day of 23 hours.
            (
                "Europe/Berlin",
                "2026-03-29",
                Ok("2026-03-28T23:00:00.000Z"),
                Ok("2026-03-29T22:00:00.000Z"),
            ),
            (
                "Asia/Tokyo",
                "2026-11-22T10:00:00Z",
                Ok("2026-11-22T10:00:00.000Z"),
                Ok("2026-11-22T10:00:00.001Z"),
            ),
            (
                "UTC",
                "2026-11-22T10:00:00+09:00",
                Ok("2026-11-22T01:00:00.000Z"),
                Ok("2026-11-22T01:00:00.001Z"),
            ),
            ("UTC", "2026-11-31", Err("no_such_time"), Err("no_such_time")),
            ("UTC", "2026-11-00", Err("no_such_time"), Err("no_such_time")),
            ("UTC", "2026-11-22T25:00:00Z", Err("no_such_time"), Err("no_such_time")),
            ("UTC", "2026-11-22T10:00", Err("not_a_time"), Err("not_a_time")),
            ("UTC", "2026-11-22T10:00:00 09:00", Err("not_a_time"), Err("not_a_time")),
            ("UTC", "90d", Err("not_a_time"), Err("not_a_time")),
            ("UTC", "", Err("not_a_time"), Err("not_a_time")),
        ] {
            let zone = Zone::parse(zone).unwrap();
            let owned = |expected: Result<&str, &'static str>| expected.map(str::to_owned);
            assert_eq!(text_of(begin(text, &zone)), owned(from), "from {text}");
            assert_eq!(text_of(end(text, &zone)), owned(to), "to {text}");
        }
    }
}
