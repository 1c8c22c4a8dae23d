//! Defines the errors of expiry texts.

use serde::Serialize;

use crate::base::json::{FromJson, Json, from_json};
use crate::base::time::{DurationMs, UnixMs};

#[cfg(doc)]
use super::{EXPIRY_BYTES_MAX, EXPIRY_MAX};

/// The reason why a text is not an expiry. `Display` is an English sentence. The JSON form is
/// `{"code": …}` with the variant's fields, from which the console makes other languages. Instants
/// are Unix ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ExpiryError {
    /// The text is empty.
    #[error("say how long it should work")]
    Empty,
    /// The text is longer than any form.
    #[error("a time has at most {max} characters")]
    TooLong {
        /// The bound [`EXPIRY_BYTES_MAX`].
        max: usize,
    },
    /// The text has none of the forms.
    #[error(
        "write a date as in 2027-06-30, a time as in 2027-06-30T14:05:00Z, a duration as in 90s, 5m, 2h, 100d, 2w, or never"
    )]
    NotATime,
    /// The form is right, but the calendar has no such day.
    #[error("the calendar has no such day")]
    NoSuchDay,
    /// A number without a unit is a Unix time, as people and programs write one.
    #[error(
        "this looks like a Unix time: write {}, or a duration with its unit, as in 30d",
        at.to_rfc3339().unwrap_or_default()
    )]
    LooksLikeUnixTime {
        /// Instant that the number means as a Unix time, Unix ms.
        at: UnixMs,
    },
    /// A number without a unit is a date without separators.
    #[error("this looks like a date: write it as in 2027-06-30, or a duration with its unit")]
    LooksLikeDate,
    /// The text would be a date-time if the blank before its offset were a plus.
    #[error(
        "the + before the offset has arrived as a blank: write %2B for it in a form, or a time in UTC with Z"
    )]
    BlankForPlus,
    /// The form is right, but no clock shows that time.
    #[error(
        "a time of day runs from 00:00:00 to 23:59:59; for the end of a day, leave the time out"
    )]
    NoSuchTime,
    /// The form is right, but the offset is beyond ±23:59, or its minutes are beyond 59.
    #[error("an offset from UTC runs from -23:59 to +23:59, with minutes from 00 to 59")]
    NoSuchOffset,
    /// The duration is zero.
    #[error("a duration is longer than zero")]
    ZeroDuration,
    /// The end is not after now.
    #[error("this is in the past")]
    InThePast {
        /// Instant that the text means, Unix ms.
        at: UnixMs,
    },
    /// The end is later than [`EXPIRY_MAX`] from now.
    #[error("this is more than 100 years away")]
    TooFar {
        /// Latest allowed end, Unix ms.
        max: UnixMs,
    },
    /// The beginning is not before the end.
    #[error("it would begin only when it has ended")]
    BeginsAfterEnd {
        /// End of the credential, Unix ms.
        at: UnixMs,
    },
}

impl FromJson for ExpiryError {
    fn from_json(json: Json) -> Option<Self> {
        let mut members = json.into_members()?;
        Some(match members.take("code")?.into_text()?.as_str() {
            "empty" => Self::Empty,
            "too_long" => Self::TooLong { max: members.required::<u64>("max")?.try_into().ok()? },
            "looks_like_unix_time" => Self::LooksLikeUnixTime { at: members.required("at")? },
            "looks_like_date" => Self::LooksLikeDate,
            "blank_for_plus" => Self::BlankForPlus,
            "no_such_day" => Self::NoSuchDay,
            "no_such_time" => Self::NoSuchTime,
            "no_such_offset" => Self::NoSuchOffset,
            "zero_duration" => Self::ZeroDuration,
            "in_the_past" => Self::InThePast { at: members.required("at")? },
            "too_far" => Self::TooFar { max: members.required("max")? },
            "begins_after_end" => Self::BeginsAfterEnd { at: members.required("at")? },
            // `not_a_time`, or the reason of a ledger of a later release, which has no code here.
            _ => Self::NotATime,
        })
    }
}

from_json!(ExpiryError);

impl ExpiryError {
    /// Returns the stable code, equal to the `code` of the JSON form.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::NotATime => "not_a_time",
            Self::LooksLikeUnixTime { .. } => "looks_like_unix_time",
            Self::LooksLikeDate => "looks_like_date",
            Self::BlankForPlus => "blank_for_plus",
            Self::NoSuchDay => "no_such_day",
            Self::NoSuchTime => "no_such_time",
            Self::NoSuchOffset => "no_such_offset",
            Self::ZeroDuration => "zero_duration",
            Self::InThePast { .. } => "in_the_past",
            Self::TooFar { .. } => "too_far",
            Self::BeginsAfterEnd { .. } => "begins_after_end",
        }
    }
}

/// The reason why a text is not a longest life. `Display` and JSON are like those of
/// [`ExpiryError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum MaxLifetimeError {
    /// The text is neither `never` nor a duration above zero.
    #[error("write never, or a duration as in 90s, 5m, 24h, 100d, 2w")]
    NotASpan,
    /// A number without a unit is a Unix time or a date, which is no duration.
    #[error("this looks like a time: write a duration with its unit, as in 24h, or never")]
    LooksLikeUnixTime,
    /// The duration is beyond [`EXPIRY_MAX`].
    #[error("this is more than 100 years")]
    TooLong {
        /// Longest allowed duration, in milliseconds.
        max_ms: DurationMs,
    },
}

impl MaxLifetimeError {
    /// Returns the stable code, equal to the `code` of the JSON form.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotASpan => "not_a_span",
            Self::LooksLikeUnixTime => "looks_like_unix_time",
            Self::TooLong { .. } => "too_long",
        }
    }
}
