//! Why an expiry is refused.

use serde::{Deserialize, Serialize};

use crate::base::time::{DurationMs, UnixMs};

#[cfg(doc)]
use super::{EXPIRY_BYTES_MAX, EXPIRY_MAX};

/// Why a text is no expiry. Display is an English sentence; as JSON it is `{"code": …}` and the
/// variant's fields, from which other languages are made. Instants are numbers of milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ExpiryError {
    /// There is no text.
    #[error("say how long it should work")]
    Empty,
    /// The text is longer than any form.
    #[error("a time has at most {max} characters")]
    TooLong {
        /// [`EXPIRY_BYTES_MAX`].
        max: usize,
    },
    /// The text has none of the forms.
    #[error(
        "write a date as in 2027-06-30, a time as in 2027-06-30T14:05:00Z, or a duration as in 90s, 5m, 2h, 100d, 2w"
    )]
    NotATime,
    /// The form is right, but the calendar has no such day.
    #[error("the calendar has no such day")]
    NoSuchDay,
    /// The form is right, but no clock shows that time, or the offset is beyond ±23:59.
    #[error(
        "a time of day runs from 00:00:00 to 23:59:59; for the end of a day, leave the time out"
    )]
    NoSuchTime,
    /// The end is not after now.
    #[error("this is in the past")]
    InThePast {
        /// The instant that was read.
        at: UnixMs,
    },
    /// The end is beyond [`EXPIRY_MAX`].
    #[error("this is more than 100 years away")]
    TooFar {
        /// The latest end.
        max: UnixMs,
    },
    /// The beginning is not before the end.
    #[error("it would begin only when it has ended")]
    BeginsAfterEnd {
        /// The end.
        at: UnixMs,
    },
}

impl ExpiryError {
    /// The stable code, equal to the `code` of the JSON form.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::NotATime => "not_a_time",
            Self::NoSuchDay => "no_such_day",
            Self::NoSuchTime => "no_such_time",
            Self::InThePast { .. } => "in_the_past",
            Self::TooFar { .. } => "too_far",
            Self::BeginsAfterEnd { .. } => "begins_after_end",
        }
    }
}

/// Why a text is no bound on how long something may last. Display and JSON as [`ExpiryError`]'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum SpanError {
    /// The text is neither `never` nor a span above zero.
    #[error("write never, or a duration as in 90s, 5m, 24h, 100d, 2w")]
    NotASpan,
    /// The span is beyond [`EXPIRY_MAX`].
    #[error("this is more than 100 years")]
    TooLong {
        /// The longest span.
        max_ms: DurationMs,
    },
}

impl SpanError {
    /// The stable code, equal to the `code` of the JSON form.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotASpan => "not_a_span",
            Self::TooLong { .. } => "too_long",
        }
    }
}
