//! Why permissions are refused.

use serde::Serialize;

#[cfg(doc)]
use super::{PART_BYTES_MAX, PERMISSIONS_MAX};

/// Why a text is no permission, or a list no list of grants. Display is an English sentence; as
/// JSON it is `{"code": …}` and the variant's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum PermissionError {
    /// Longer than two parts can be.
    #[error("a permission has at most {max} characters")]
    TooLong {
        /// The longest permission, in bytes.
        max: usize,
    },
    /// No colon, or more than one.
    #[error("a permission has two parts, as in invoices:read")]
    NotTwoParts,
    /// Nothing before or after the colon.
    #[error("neither part of a permission is empty")]
    EmptyPart,
    /// A part is longer than [`PART_BYTES_MAX`].
    #[error("a part of a permission has at most {max} characters")]
    PartTooLong {
        /// [`PART_BYTES_MAX`].
        max: usize,
    },
    /// A character that no part has.
    #[error("{found:?} is not among the characters a-z, 0-9, '.', '_' and '-'")]
    BadCharacter {
        /// The first such character.
        found: char,
    },
    /// A part begins with a character that it may have only later.
    #[error("a part of a permission begins with a letter or digit, not with {found:?}")]
    BadStart {
        /// The character.
        found: char,
    },
    /// A `*` beside other characters, or where no wildcard may be.
    #[error("'*' stands for a whole part of what is granted, and for nothing else")]
    MisplacedWildcard,
    /// A wildcard over Claviger's own powers.
    #[error("permissions of claviger are granted one by one")]
    ReservedWildcard,
    /// More grants than a list holds.
    #[error("{count} permissions are more than the {max} that a list holds")]
    TooMany {
        /// Grants found, each counted once.
        count: usize,
        /// [`PERMISSIONS_MAX`].
        max: usize,
    },
    /// A list that should be in stored form is not sorted, or repeats a grant.
    #[error("a stored list of permissions is sorted, each of them once")]
    NotAsStored,
}

impl PermissionError {
    /// The stable code, equal to the `code` of the JSON form.
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
