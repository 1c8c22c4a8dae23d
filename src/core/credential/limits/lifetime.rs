//! Defines a credential's expiry: an instant, or never.
//!
//! The control plane's `expiry_text` documents the forms in which people and programs write an
//! expiry. This module parses the forms that need no calendar, so that the edge can use it:
//! `never`, milliseconds from now (`30000`), and durations (`90s` `5m` `2h` `100d` `2w`).

mod error;

use serde::{Serialize, Serializer};

pub use self::error::{ExpiryError, MaxLifetimeError};
use crate::base::json::{FromJson, Json, from_json};
use crate::base::time::{CivilText, DurationMs, UnixMs};

/// Longest accepted text, in bytes: 36 for `2027-06-30 14:05:00.123456789 +09:00`, plus some room.
pub const EXPIRY_BYTES_MAX: usize = 40;

/// Latest expiry, counted from now: a hundred years of 365.25 days. A later one is a mistyped year,
/// or meant as `never`. The bound also keeps all calendar arithmetic within the years that RFC 3339
/// can write.
pub const EXPIRY_MAX: DurationMs = DurationMs::from_days(36_525);

/// Instants that a number without a unit may mean as a Unix time, in ms: September 2001 to June
/// 2128. As a duration in ms, even the first is 31 years.
const UNIX_TIMES_MS: core::ops::Range<u64> = 1_000_000_000_000..5_000_000_000_000;

/// The end of a credential. Its JSON form is `null` for never, else Unix ms. A missing field is an
/// error and does not mean never, because a missing value must not grant access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// The credential has no end.
    Never,
    /// The first instant at which the credential no longer works.
    At(UnixMs),
}

impl Expiry {
    /// Returns `true` if the credential has ended; at the instant itself it has.
    pub fn is_past(self, now: UnixMs) -> bool {
        match self {
            Self::Never => false,
            Self::At(at) => now >= at,
        }
    }

    /// Returns the instant; `None` for never.
    pub fn at(self) -> Option<UnixMs> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at),
        }
    }

    /// Returns the earlier of two ends.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, end) | (end, Self::Never) => end,
            (Self::At(a), Self::At(b)) => Self::At(a.min(b)),
        }
    }

    /// Checks that a credential that begins at `not_before` begins before it ends.
    ///
    /// # Errors
    /// [`ExpiryError::BeginsAfterEnd`] if `not_before` is not before the end.
    pub fn check_begin(self, not_before: UnixMs) -> Result<(), ExpiryError> {
        match self {
            Self::At(at) if not_before >= at => Err(ExpiryError::BeginsAfterEnd { at }),
            Self::At(_) | Self::Never => Ok(()),
        }
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.at().serialize(serializer)
    }
}

/// `null` is never; the type has no default, so an absent member is refused.
impl FromJson for Expiry {
    fn from_json(json: Json) -> Option<Self> {
        Option::from_json(json).map(|at| at.map_or(Self::Never, Self::At))
    }
}

from_json!(Expiry);

/// Parses an expiry that needs no calendar. Returns `None` for a date or a time of day, which only
/// an account's time zone turns into an instant.
///
/// # Errors
/// [`ExpiryError::Empty`] or [`ExpiryError::TooLong`] by the text's length,
/// [`ExpiryError::ZeroDuration`] for a duration of zero, [`ExpiryError::TooFar`] if the instant is
/// out of range, and the errors of [`parse_span`].
pub fn parse_without_calendar(text: &str, now: UnixMs) -> Option<Result<Expiry, ExpiryError>> {
    if let Err(error) = check_length(text) {
        return Some(Err(error));
    }
    if text == "never" {
        return Some(Ok(Expiry::Never));
    }
    if CivilText::read(text).is_some() {
        return None;
    }
    Some(parse_span(text, now).and_then(|at| check_span_end(at, now)).map(Expiry::At))
}

/// Checks the length of a text before it is parsed.
///
/// # Errors
/// [`ExpiryError::Empty`] if there is no text, [`ExpiryError::TooLong`] if it is longer than
/// [`EXPIRY_BYTES_MAX`].
pub fn check_length(text: &str) -> Result<(), ExpiryError> {
    if text.is_empty() {
        return Err(ExpiryError::Empty);
    }
    if text.len() > EXPIRY_BYTES_MAX {
        return Err(ExpiryError::TooLong { max: EXPIRY_BYTES_MAX });
    }
    Ok(())
}

/// Checks the end of a duration that begins at `now`.
///
/// # Errors
/// [`ExpiryError::ZeroDuration`] if it is `now` itself, [`ExpiryError::TooFar`] if it is beyond
/// [`EXPIRY_MAX`].
pub fn check_span_end(at: UnixMs, now: UnixMs) -> Result<UnixMs, ExpiryError> {
    if at == now { Err(ExpiryError::ZeroDuration) } else { check_end(at, now) }
}

/// Checks that an end lies after `now` and within [`EXPIRY_MAX`].
///
/// # Errors
/// [`ExpiryError::InThePast`] if it is not after `now`, [`ExpiryError::TooFar`] if it is beyond
/// [`EXPIRY_MAX`].
pub fn check_end(at: UnixMs, now: UnixMs) -> Result<UnixMs, ExpiryError> {
    if at <= now {
        return Err(ExpiryError::InThePast { at });
    }
    check_not_too_far(at, now)
}

/// Parses a number of milliseconds, or a number with a unit, as an instant after `now`.
///
/// # Errors
/// [`ExpiryError::NotATime`] or [`ExpiryError::BlankForPlus`] if the text has neither form,
/// [`ExpiryError::LooksLikeUnixTime`] for a number that can only be one, [`ExpiryError::TooFar`] if
/// the number is too large.
pub fn parse_span(text: &str, now: UnixMs) -> Result<UnixMs, ExpiryError> {
    if let Some(at) = unix_time(text) {
        return Err(ExpiryError::LooksLikeUnixTime { at });
    }
    let span = read_span(text).ok_or_else(|| {
        if lacks_plus(text) { ExpiryError::BlankForPlus } else { ExpiryError::NotATime }
    })?;
    span.and_then(|span| now.checked_add(span)).ok_or(too_far(now))
}

/// Returns the instant of a number that can only be a Unix time, in milliseconds, microseconds or
/// nanoseconds. A Unix time in seconds could also be some weeks in milliseconds.
pub fn unix_time(text: &str) -> Option<UnixMs> {
    let number: u64 = text.parse().ok()?;
    let instants = [1, 1_000, 1_000_000].iter().filter_map(|unit| number.checked_div(*unit));
    let ms = instants.into_iter().find(|ms| UNIX_TIMES_MS.contains(ms))?;
    ms.try_into().ok().map(UnixMs::from_ms)
}

/// Returns `true` if a text becomes a date-time once its last blank is a plus. Form decoding makes
/// a blank of the plus before an offset.
fn lacks_plus(text: &str) -> bool {
    text.rsplit_once(' ')
        .is_some_and(|(time, offset)| CivilText::read(&[time, "+", offset].concat()).is_some())
}

/// Parses a number of milliseconds, or a number with a unit. Clients pad numbers, so leading zeros
/// do not count. Returns `None` if the text has neither form, and `Some(None)` if the number is too
/// large.
fn read_span(text: &str) -> Option<Option<DurationMs>> {
    let (number, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let unit = match unit {
        "" => DurationMs::from_ms(1),
        "s" => DurationMs::from_s(1),
        "m" => DurationMs::from_s(60),
        "h" => DurationMs::from_s(60 * 60),
        "d" => DurationMs::from_days(1),
        "w" => DurationMs::from_days(7),
        _ => return None,
    };
    if number.is_empty() {
        return None;
    }
    // The number consists of digits only, so a failure means that it is too large.
    let times: Option<u64> = number.parse().ok();
    Some(times.and_then(|times| unit.checked_mul(times)))
}

/// Parses a longest life: `never` (returned as `None`), or a duration in one of the forms above.
///
/// # Errors
/// [`MaxLifetimeError::NotASpan`] if the text has neither form or is zero,
/// [`MaxLifetimeError::LooksLikeUnixTime`] for a number that can only be one,
/// [`MaxLifetimeError::TooLong`] if it is beyond [`EXPIRY_MAX`].
pub fn parse_longest(text: &str) -> Result<Option<DurationMs>, MaxLifetimeError> {
    if text == "never" {
        return Ok(None);
    }
    if text.len() > EXPIRY_BYTES_MAX {
        return Err(MaxLifetimeError::NotASpan);
    }
    if unix_time(text).is_some() {
        return Err(MaxLifetimeError::LooksLikeUnixTime);
    }
    match read_span(text).ok_or(MaxLifetimeError::NotASpan)? {
        Some(span) if span.as_ms() == 0 => Err(MaxLifetimeError::NotASpan),
        Some(span) if span <= EXPIRY_MAX => Ok(Some(span)),
        _ => Err(MaxLifetimeError::TooLong { max_ms: EXPIRY_MAX }),
    }
}

/// Checks that an instant is at most [`EXPIRY_MAX`] after `now`.
///
/// # Errors
/// [`ExpiryError::TooFar`] if it is later.
pub fn check_not_too_far(at: UnixMs, now: UnixMs) -> Result<UnixMs, ExpiryError> {
    if at > now.saturating_add(EXPIRY_MAX) { Err(too_far(now)) } else { Ok(at) }
}

/// Returns the error for an instant that is more than [`EXPIRY_MAX`] after `now`.
pub fn too_far(now: UnixMs) -> ExpiryError {
    ExpiryError::TooFar { max: now.saturating_add(EXPIRY_MAX) }
}

#[cfg(test)]
mod tests;
