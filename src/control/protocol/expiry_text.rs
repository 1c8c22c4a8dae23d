//! The forms in which people and programs write when a credential begins and ends.
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
//! | `30000` | so many milliseconds from now |
//! | `90s` `5m` `2h` `100d` `2w` | so many seconds, minutes, hours, days of 24 hours, weeks from now |
//!
//! These hold the whole of `yyyy(/|-)mm(/|-)dd[( |T)hh:mm:ss[.sss][[ ](Z|(+|-)zz[[:]zz])]]`;
//! nothing in it is ambiguous, so all of it is taken, mixed separators too. Beyond it seconds may
//! be left out, as browsers do, and there may be one to nine decimals, of which three count. A
//! number without a unit is never a date: `20270630` is five hours and a half.
//!
//! A time that a clock change skips is moved forward by the length of the gap; of a time that
//! happens twice the first is meant. A day ends when the next one begins, whenever that is.

use claviger_core::base::time::{CivilText, DurationMs, UnixMs};
use claviger_core::credential::limits::lifetime::{
    Expiry, ExpiryError, check_end, check_length, check_not_too_far, parse_span, too_far,
};
use jiff::civil::Date;
use serde::Serialize;

use crate::protocol::zone::Zone;

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
                return Ok(Self {
                    form: Form::Never,
                    at_ms: None,
                    day: None,
                    zone,
                    from_now_ms: None,
                });
            }
            Moment::Instant(at) => (Form::Instant, at, None),
            Moment::Day(day) => (Form::EndOfDay, end_of(day, zone, now)?, Some(day.to_string())),
        };
        let at = check_end(at, now)?;
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
        check_length(text)?;
        if text == "never" {
            return Ok(Self::Never);
        }
        match CivilText::read(text) {
            Some(civil) => Self::from_civil(civil, now, zone),
            None => parse_span(text, now).map(Self::Instant),
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

/// The end of a day in a zone: the beginning of the next.
fn end_of(day: Date, zone: &Zone, now: UnixMs) -> Result<UnixMs, ExpiryError> {
    day.tomorrow().ok().and_then(|next| zone.start_of(next)).ok_or(too_far(now))
}

#[cfg(test)]
mod tests;
