//! Defines the errors of permissions and lists of grants.

use serde::Serialize;

#[cfg(doc)]
use super::{PART_BYTES_MAX, PERMISSIONS_MAX};

/// The reason why a text is not a permission, or a list not a list of grants. `Display` is an
/// English sentence; the JSON form is `{"code": …}` with the variant's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum PermissionError {
    /// The text is longer than two parts can be.
    #[error("a permission has at most {max} characters")]
    TooLong {
        /// Longest permission, in bytes.
        max: usize,
    },
    /// The text has no colon, or more than one.
    #[error("a permission has two parts, as in invoices:read")]
    NotTwoParts,
    /// A part is empty.
    #[error("neither part of a permission is empty")]
    EmptyPart,
    /// A part is longer than [`PART_BYTES_MAX`].
    #[error("a part of a permission has at most {max} characters")]
    PartTooLong {
        /// The bound [`PART_BYTES_MAX`].
        max: usize,
    },
    /// A part has a character that is not allowed.
    #[error("{found:?} is not among the characters a-z, 0-9, '.', '_' and '-'")]
    BadCharacter {
        /// First such character.
        found: char,
    },
    /// A part begins with a character that is only allowed later.
    #[error("a part of a permission begins with a letter or digit, not with {found:?}")]
    BadStart {
        /// First character of the part.
        found: char,
    },
    /// A `*` is not a whole part, or no wildcard is allowed here.
    #[error("'*' stands for a whole part of what is granted, and for nothing else")]
    MisplacedWildcard,
    /// A wildcard would cover reserved permissions.
    #[error("permissions of claviger are granted one by one")]
    ReservedWildcard,
    /// The list has too many grants.
    #[error("{count} permissions are more than the {max} that a list holds")]
    TooMany {
        /// Number of grants found, each counted once.
        count: usize,
        /// The bound [`PERMISSIONS_MAX`].
        max: usize,
    },
    /// A list that must be in stored form is not sorted, or repeats a grant.
    #[error("a stored list of permissions is sorted, each of them once")]
    NotAsStored,
}

impl PermissionError {
    /// Returns the stable code, equal to the `code` of the JSON form.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too_long",
            Self::NotTwoParts => "not_two_parts",
            Self::EmptyPart => "empty_part",
            Self::PartTooLong { .. } => "part_too_long",
            Self::BadCharacter { .. } => "bad_character",
            Self::BadStart { .. } => "bad_start",
            Self::MisplacedWildcard => "misplaced_wildcard",
            Self::ReservedWildcard => "reserved_wildcard",
            Self::TooMany { .. } => "too_many",
            Self::NotAsStored => "not_as_stored",
        }
    }
}
