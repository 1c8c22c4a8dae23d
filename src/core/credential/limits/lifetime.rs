//! The end of a credential: an instant, or until someone ends it.
//!
//! People and programs write an end in the forms that the control plane's `expiry_text` documents.
//! Those that need no calendar are read here, so that the edge can: `never`, milliseconds from now
//! (`30000`), and spans (`90s` `5m` `2h` `100d` `2w`).

mod error;

use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::error::{ExpiryError, SpanError};
use crate::base::time::{CivilText, DurationMs, UnixMs};

/// Longest text that is read, in bytes: 36 for `2027-06-30 14:05:00.123456789 +09:00`, and some
/// room.
pub const EXPIRY_BYTES_MAX: usize = 40;

/// Latest end, counted from now: a hundred years of 365.25 days. Longer than any key is used, so
/// that beyond it stands a mistyped year, or someone who means `never`; and short enough that no
/// calendar arithmetic leaves the years that RFC 3339 can write.
pub const EXPIRY_MAX: DurationMs = DurationMs::from_days(36_525);

/// When a credential ends. As JSON `null` for never, else the number of milliseconds since the
/// epoch. A field that is missing is refused, not read as never: absence must not give power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// No end.
    Never,
    /// The first instant at which it no longer works.
    At(UnixMs),
}

impl Expiry {
    /// Whether it has ended: at its instant it has.
    pub fn is_past(self, now: UnixMs) -> bool {
        match self {
            Self::Never => false,
            Self::At(at) => now >= at,
        }
    }

    /// The instant; `None` for never.
    pub fn at(self) -> Option<UnixMs> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at),
        }
    }

    /// The earlier of two ends.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, end) | (end, Self::Never) => end,
            (Self::At(a), Self::At(b)) => Self::At(a.min(b)),
        }
    }

    /// Checks that a credential that begins at `not_before` begins at all.
    ///
    /// # Errors
    /// [`ExpiryError::BeginsAfterEnd`].
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

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `Option` would read a missing field as none; `deserialize_any` refuses it.
        deserializer.deserialize_any(ExpiryVisitor)
    }
}

struct ExpiryVisitor;

impl Visitor<'_> for ExpiryVisitor {
    type Value = Expiry;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("null or a number of milliseconds")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Expiry, E> {
        Ok(Expiry::Never)
    }

    fn visit_i64<E: serde::de::Error>(self, ms: i64) -> Result<Expiry, E> {
        Ok(Expiry::At(UnixMs::from_ms(ms)))
    }

    fn visit_u64<E: serde::de::Error>(self, ms: u64) -> Result<Expiry, E> {
        let ms =
            i64::try_from(ms).map_err(|_| E::invalid_value(Unexpected::Unsigned(ms), &self))?;
        self.visit_i64(ms)
    }
}

/// Reads an end that needs no calendar; `None` for a date or a time of day, which an account's zone
/// makes an instant of.
///
/// # Errors
/// [`ExpiryError::Empty`], [`ExpiryError::TooLong`], [`ExpiryError::NotATime`],
/// [`ExpiryError::InThePast`], [`ExpiryError::TooFar`].
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
    Some(parse_span(text, now).and_then(|at| check_end(at, now)).map(Expiry::At))
}

/// Checks that there is a text, and no more of it than any form has.
///
/// # Errors
/// [`ExpiryError::Empty`], [`ExpiryError::TooLong`].
pub fn check_length(text: &str) -> Result<(), ExpiryError> {
    if text.is_empty() {
        return Err(ExpiryError::Empty);
    }
    if text.len() > EXPIRY_BYTES_MAX {
        return Err(ExpiryError::TooLong { max: EXPIRY_BYTES_MAX });
    }
    Ok(())
}

/// Checks that an end lies after `now` and within [`EXPIRY_MAX`].
///
/// # Errors
/// [`ExpiryError::InThePast`], [`ExpiryError::TooFar`].
pub fn check_end(at: UnixMs, now: UnixMs) -> Result<UnixMs, ExpiryError> {
    if at <= now {
        return Err(ExpiryError::InThePast { at });
    }
    check_not_too_far(at, now)
}

/// Reads a number of milliseconds, or a number with one of the units, as an instant after `now`.
///
/// # Errors
/// [`ExpiryError::NotATime`], [`ExpiryError::TooFar`].
pub fn parse_span(text: &str, now: UnixMs) -> Result<UnixMs, ExpiryError> {
    let span = read_span(text).ok_or(ExpiryError::NotATime)?;
    span.and_then(|span| now.checked_add(span)).ok_or(too_far(now))
}

/// Reads a number of milliseconds, or a number with one of the units. `None`: it is neither;
/// `Some(None)`: it is too large.
fn read_span(text: &str) -> Option<Option<DurationMs>> {
    let (number, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let is_padded = number.len() > 1 && number.starts_with('0');
    let unit = match unit {
        "" => DurationMs::from_ms(1),
        "s" => DurationMs::from_s(1),
        "m" => DurationMs::from_s(60),
        "h" => DurationMs::from_s(60 * 60),
        "d" => DurationMs::from_days(1),
        "w" => DurationMs::from_days(7),
        _ => return None,
    };
    if number.is_empty() || is_padded {
        return None;
    }
    // Only digits are left, so a failure means that the number is too large.
    let times: Option<u64> = number.parse().ok();
    Some(times.and_then(|times| unit.checked_mul(times)))
}

/// Reads how long something may last: `never` (without a bound, `None`), or a span in one of the
/// forms above.
///
/// # Errors
/// [`SpanError`].
pub fn parse_longest(text: &str) -> Result<Option<DurationMs>, SpanError> {
    if text == "never" {
        return Ok(None);
    }
    if text.len() > EXPIRY_BYTES_MAX {
        return Err(SpanError::NotASpan);
    }
    match read_span(text).ok_or(SpanError::NotASpan)? {
        Some(span) if span.as_ms() == 0 => Err(SpanError::NotASpan),
        Some(span) if span <= EXPIRY_MAX => Ok(Some(span)),
        _ => Err(SpanError::TooLong { max_ms: EXPIRY_MAX }),
    }
}

/// Checks that an instant is no further away than [`EXPIRY_MAX`].
///
/// # Errors
/// [`ExpiryError::TooFar`].
pub fn check_not_too_far(at: UnixMs, now: UnixMs) -> Result<UnixMs, ExpiryError> {
    if at > now.saturating_add(EXPIRY_MAX) { Err(too_far(now)) } else { Ok(at) }
}

/// The refusal of an instant that is further away than [`EXPIRY_MAX`].
pub fn too_far(now: UnixMs) -> ExpiryError {
    ExpiryError::TooFar { max: now.saturating_add(EXPIRY_MAX) }
}

#[cfg(test)]
mod tests;
