//! The forms in which people and programs write the beginning and end of a credential.
//! [`Described::parse`] reads an end:
//!
//! | form | means |
//! | --- | --- |
//! | `never` | no end |
//! | `2027-06-30T14:05:00Z`, `2027-06-30T14:05:00.250+09:00` | that instant (RFC 3339 §5.6) |
//! | `2027-06-30T14:05`, `2027/06/30 14:05:00` | that time in the account's zone |
//! | `2027/06/30 14:05:00 +0900`, `…+09`, `… Z` | that instant |
//! | `2027-06-30`, `2027/06/30` | until 24:00 of that day in the account's zone |
//! | `2027-07-00` | the last day of the month before: the same as `2027-06-30` |
//! | `30000` | that number of milliseconds from now |
//! | `90s` `5m` `2h` `100d` `2w` | that number of seconds, minutes, hours, days of 24 hours, weeks from now |
//!
//! These forms cover all of `yyyy(/|-)mm(/|-)dd[( |T)hh:mm:ss[.sss][[ ](Z|(+|-)zz[[:]zz])]]`.
//! Nothing in it is ambiguous, so all of it is accepted, mixed separators too. Two forms go beyond
//! it. Seconds may be left out, as browsers do. A fraction has one to nine decimals, of which three
//! count. Numbers may be padded: `00030000` is `30000`.
//!
//! A number without a unit is never a time. People and programs nevertheless send Unix times and
//! dates without separators. As durations those would be some hours, weeks or decades, so the
//! control plane refuses them by name. The issuance API reads every number as milliseconds, as its
//! interface says, and refuses only what can be nothing but a Unix time.
//!
//! A time that a clock change skips moves forward by the length of the gap. Of a time that occurs
//! twice, the first is used. A day ends when the next one begins, whenever that is.

use claviger_core::base::time::{CivilText, DurationMs, UnixMs};
use claviger_core::credential::limits::lifetime::{
    Expiry, ExpiryError, MaxLifetimeError, check_end, check_length, check_not_too_far,
    check_span_end, parse_longest, parse_span, too_far,
};
use jiff::civil::Date;
use serde::Serialize;

use crate::protocol::zone::Zone;

/// The form of an expiry, which selects its sentence in the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryKind {
    /// "Works until 14:05."
    Instant,
    /// "Works through 30 June, until 24:00."
    EndOfDay,
    /// "Works until someone disables or deletes it."
    Never,
}

/// A parsed expiry with the facts that its sentence in the console needs. Its JSON form has the
/// same fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Described {
    /// Form in which it was written.
    pub form: ExpiryKind,
    /// End, Unix ms; `None` for never.
    pub at_ms: Option<UnixMs>,
    /// Last day of a [`ExpiryKind::EndOfDay`], as `2027-06-30`. It cannot be derived from `at_ms`
    /// where a zone skips days.
    pub day: Option<String>,
    /// Zone in which it was read and is displayed.
    pub zone: Zone,
    /// Time until the end, in milliseconds; `None` for never.
    pub from_now_ms: Option<DurationMs>,
}

impl Described {
    /// Parses an expiry in one of the forms above. A time without an offset is in `zone`.
    ///
    /// # Errors
    /// Every variant of [`ExpiryError`] but [`ExpiryError::BeginsAfterEnd`].
    pub fn parse(text: &str, now: UnixMs, zone: &Zone) -> Result<Self, ExpiryError> {
        let moment = Moment::read(text, now, zone)?;
        if let Moment::After(at) = moment {
            check_span_end(at, now)?;
        }
        let (form, at, day) = match moment {
            Moment::Never => {
                let zone = zone.clone();
                return Ok(Self {
                    form: ExpiryKind::Never,
                    at_ms: None,
                    day: None,
                    zone,
                    from_now_ms: None,
                });
            }
            Moment::Instant(at) | Moment::After(at) => (ExpiryKind::Instant, at, None),
            Moment::Day(day) => {
                (ExpiryKind::EndOfDay, end_of(day, zone, now)?, Some(day.to_string()))
            }
        };
        let at = check_end(at, now)?;
        Ok(Self { form, at_ms: Some(at), day, zone: zone.clone(), from_now_ms: at.since(now) })
    }

    /// Returns the expiry in the form that records use.
    pub fn expiry(&self) -> Expiry {
        self.at_ms.map_or(Expiry::Never, Expiry::At)
    }
}

/// Parses the time at which a credential becomes valid, in the same forms except `never`. A date
/// means the beginning of that day. The past is allowed: today's date has already begun.
///
/// # Errors
/// Every variant of [`ExpiryError`] but [`ExpiryError::InThePast`], [`ExpiryError::ZeroDuration`]
/// and [`ExpiryError::BeginsAfterEnd`]; [`Expiry::check_begin`] returns the latter.
pub fn parse_not_before(text: &str, now: UnixMs, zone: &Zone) -> Result<UnixMs, ExpiryError> {
    let at = match Moment::read(text, now, zone)? {
        Moment::Never => return Err(ExpiryError::NotATime),
        Moment::Instant(at) | Moment::After(at) => at,
        Moment::Day(day) => zone.start_of(day).ok_or(too_far(now))?,
    };
    check_not_too_far(at, now)
}

/// The time that a text states. The caller takes a day's beginning or its end.
enum Moment {
    Never,
    Instant(UnixMs),
    /// The end of a duration that begins now.
    After(UnixMs),
    Day(Date),
}

impl Moment {
    fn read(text: &str, now: UnixMs, zone: &Zone) -> Result<Self, ExpiryError> {
        check_length(text)?;
        if text == "never" {
            return Ok(Self::Never);
        }
        match CivilText::read(text) {
            Some(civil) => Self::from_civil(civil, now, zone),
            None => match misread_number(text) {
                Some(error) => Err(error),
                None => parse_span(text, now).map(Self::After),
            },
        }
    }

    fn from_civil(civil: CivilText, now: UnixMs, zone: &Zone) -> Result<Self, ExpiryError> {
        let date = civil.date_with_day_zero().ok_or(ExpiryError::NoSuchDay)?;
        let Some(time) = civil.time() else { return Ok(Self::Day(date)) };
        let local = date.to_datetime(time.ok_or(ExpiryError::NoSuchTime)?);
        let timestamp = match civil.offset() {
            Some(offset) => offset.ok_or(ExpiryError::NoSuchOffset)?.to_timestamp(local),
            None => zone.rules().to_timestamp(local),
        };
        // A four-digit year leaves the library's range only in the last days of 9999.
        timestamp.map(|at| Self::Instant(at.into())).map_err(|_| too_far(now))
    }
}

/// Parses a longest life, like [`parse_longest`], and also refuses numbers that look like a time.
///
/// # Errors
/// Every variant of [`MaxLifetimeError`].
pub fn parse_typed_longest(text: &str) -> Result<Option<DurationMs>, MaxLifetimeError> {
    match misread_number(text) {
        Some(_) => Err(MaxLifetimeError::LooksLikeUnixTime),
        None => parse_longest(text),
    }
}

/// Unix times that a number of seconds may mean, from September 2001 to June 2128. As milliseconds
/// they would be 11 to 58 days.
const UNIX_TIMES_S: core::ops::Range<i64> = 1_000_000_000..5_000_000_000;

/// Years of dates that a number may mean.
const YEARS: core::ops::Range<i16> = 2000..2200;

/// Returns the error of a number without a unit that looks like a Unix time in seconds, or like a
/// date without separators: `20270630`, `202706301405`, `20270630140500`.
fn misread_number(text: &str) -> Option<ExpiryError> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = text.parse::<i64>().ok().filter(|seconds| UNIX_TIMES_S.contains(seconds));
    if let Some(ms) = seconds.and_then(|seconds| seconds.checked_mul(1000)) {
        return Some(ExpiryError::LooksLikeUnixTime { at: UnixMs::from_ms(ms) });
    }
    let part = |range| text.get(range);
    let mut written = [part(0..4)?, part(4..6)?, part(6..8)?].join("-");
    match text.len() {
        8 => {}
        12 => written.push_str(&format!("T{}:{}", part(8..10)?, part(10..12)?)),
        14 => {
            let time = [part(8..10)?, part(10..12)?, part(12..14)?].join(":");
            written.push_str(&format!("T{time}"));
        }
        _ => return None,
    }
    let date = CivilText::read(&written)?.date_with_day_zero()?;
    YEARS.contains(&date.year()).then_some(ExpiryError::LooksLikeDate)
}

/// Returns the end of a day in a zone: the beginning of the next day.
fn end_of(day: Date, zone: &Zone, now: UnixMs) -> Result<UnixMs, ExpiryError> {
    day.tomorrow().ok().and_then(|next| zone.start_of(next)).ok_or(too_far(now))
}

#[cfg(test)]
mod tests;
