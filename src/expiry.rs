//! How long a credential works: until an instant, or until someone ends it.
//!
//! [`Described::parse`] reads what people and programs write for it:
//!
//! | form | means |
//! | --- | --- |
//! | `never` | no end |
//! | `2027-06-30T14:05:00Z`, `2027-06-30T14:05:00.250+09:00` | that instant (RFC 3339 §5.6) |
//! | `2027-06-30T14:05`, `2027/06/30 14:05:00` | that time in the account's zone |
//! | `2027/06/30 14:05:00 +0900`, `…+09`, `… Z` | that instant |
//! | `2027-06-30`, `2027/06/30` | until 24:00 of that day in the account's zone |
//! | `2027-07-00` | the last day of the month before: the same as `2027-06-30` |
//! | `30000` | so many milliseconds from now |
//! | `90s` `5m` `2h` `100d` `2w` | so many seconds, minutes, hours, days of 24 hours, weeks from now |
//!
//! These hold the whole of `yyyy(/|-)mm(/|-)dd[( |T)hh:mm:ss[.sss][[ ](Z|(+|-)zz[[:]zz])]]`; nothing
//! in it is ambiguous, so all of it is taken, mixed separators too. Beyond it seconds may be left out,
//! as browsers do, and there may be one to nine decimals, of which three count. A number without a
//! unit is never a date: `20270630` is five hours and a half.
//!
//! A time that a clock change skips is moved forward by the length of the gap; of a time that
//! happens twice the first is meant. A day ends when the next one begins, whenever that is.

mod error;

use jiff::civil::Date;
use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::error::{ExpiryError, SpanError};
use crate::time::{CivilText, DurationMs, UnixMs, Zone};

/// Longest text that is read, in bytes: 36 for `2027-06-30 14:05:00.123456789 +09:00`, and some room.
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
        let ms = i64::try_from(ms).map_err(|_| E::invalid_value(Unexpected::Unsigned(ms), &self))?;
        self.visit_i64(ms)
    }
}

/// How an expiry was written, as far as its sentence differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// "Works until 14:05."
    Instant,
    /// "Works through 30 June, until 24:00."
    EndOfDay,
    /// "Works until someone disables or deletes it."
    Never,
}

/// An expiry that was read, with what its sentence in the console needs. As JSON the fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Described {
    /// How it was written.
    pub form: Form,
    /// The end in milliseconds since the epoch; none for never.
    pub at_ms: Option<UnixMs>,
    /// For [`Form::EndOfDay`] the last day, as `2027-06-30`: it cannot be told from `at_ms` where a
    /// zone skips days.
    pub day: Option<String>,
    /// The zone in which it was read and is to be shown.
    pub zone: Zone,
    /// How long it lasts; none for never.
    pub from_now_ms: Option<DurationMs>,
}

impl Described {
    /// Reads an expiry in one of the forms above. What has no offset is in `zone`.
    ///
    /// # Errors
    /// Every variant of [`ExpiryError`] but [`ExpiryError::BeginsAfterEnd`].
    pub fn parse(text: &str, now: UnixMs, zone: &Zone) -> Result<Self, ExpiryError> {
        let (form, at, day) = match Moment::read(text, now, zone)? {
            Moment::Never => {
                let zone = zone.clone();
                return Ok(Self { form: Form::Never, at_ms: None, day: None, zone, from_now_ms: None });
            }
            Moment::Instant(at) => (Form::Instant, at, None),
            Moment::Day(day) => (Form::EndOfDay, end_of(day, zone, now)?, Some(day.to_string())),
        };
        if at <= now {
            return Err(ExpiryError::InThePast { at });
        }
        let at = check_not_too_far(at, now)?;
        Ok(Self { form, at_ms: Some(at), day, zone: zone.clone(), from_now_ms: at.since(now) })
    }

    /// The expiry itself, as records hold it.
    pub fn expiry(&self) -> Expiry {
        self.at_ms.map_or(Expiry::Never, Expiry::At)
    }
}

/// Reads when a credential begins to work, in the forms of an expiry without `never`. A date means
/// the beginning of that day. The past is allowed: today's date has begun already.
///
/// # Errors
/// Every variant of [`ExpiryError`] but [`ExpiryError::InThePast`] and
/// [`ExpiryError::BeginsAfterEnd`]; [`Expiry::check_begin`] answers the latter.
pub fn parse_not_before(text: &str, now: UnixMs, zone: &Zone) -> Result<UnixMs, ExpiryError> {
    let at = match Moment::read(text, now, zone)? {
        Moment::Never => return Err(ExpiryError::NotATime),
        Moment::Instant(at) => at,
        Moment::Day(day) => zone.start_of(day).ok_or(too_far(now))?,
    };
    check_not_too_far(at, now)
}

/// What a text says, before it is an end or a beginning.
enum Moment {
    Never,
    Instant(UnixMs),
    Day(Date),
}

impl Moment {
    fn read(text: &str, now: UnixMs, zone: &Zone) -> Result<Self, ExpiryError> {
        if text.is_empty() {
            return Err(ExpiryError::Empty);
        }
        if text.len() > EXPIRY_BYTES_MAX {
            return Err(ExpiryError::TooLong { max: EXPIRY_BYTES_MAX });
        }
        if text == "never" {
            return Ok(Self::Never);
        }
        match CivilText::read(text) {
            Some(civil) => Self::from_civil(civil, now, zone),
            None => read_duration(text, now).map(Self::Instant),
        }
    }

    fn from_civil(civil: CivilText, now: UnixMs, zone: &Zone) -> Result<Self, ExpiryError> {
        let date = civil.date_with_day_zero().ok_or(ExpiryError::NoSuchDay)?;
        let Some(time) = civil.time() else { return Ok(Self::Day(date)) };
        let local = date.to_datetime(time.ok_or(ExpiryError::NoSuchTime)?);
        let timestamp = match civil.offset() {
            Some(offset) => offset.ok_or(ExpiryError::NoSuchTime)?.to_timestamp(local),
            None => zone.rules().to_timestamp(local),
        };
        // Four digits of a year only leave the library's range in the last days of 9999.
        timestamp.map(|at| Self::Instant(at.into())).map_err(|_| too_far(now))
    }
}

/// Reads a number of milliseconds, or a number with one of the units, as an instant after `now`.
fn read_duration(text: &str, now: UnixMs) -> Result<UnixMs, ExpiryError> {
    let span = read_span(text).ok_or(ExpiryError::NotATime)?;
    span.and_then(|span| now.checked_add(span)).ok_or(too_far(now))
}

/// Reads a number of milliseconds, or a number with one of the units. `None`: it is neither; `Some(None)`: it is too large.
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

/// Reads how long something may last: `never` (without a bound, `None`), or a span in one of the forms above.
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

/// The end of a day in a zone: the beginning of the next.
fn end_of(day: Date, zone: &Zone, now: UnixMs) -> Result<UnixMs, ExpiryError> {
    day.tomorrow().ok().and_then(|next| zone.start_of(next)).ok_or(too_far(now))
}

fn check_not_too_far(at: UnixMs, now: UnixMs) -> Result<UnixMs, ExpiryError> {
    if at > now.saturating_add(EXPIRY_MAX) { Err(too_far(now)) } else { Ok(at) }
}

fn too_far(now: UnixMs) -> ExpiryError {
    ExpiryError::TooFar { max: now.saturating_add(EXPIRY_MAX) }
}

#[cfg(test)]
mod tests;
