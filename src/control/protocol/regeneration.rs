//! The form of a regeneration: a key's successor with a new secret, and an overlap of both.

use serde::{Deserialize, Serialize};

/// The fields of a regeneration, as typed. Null is the same as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegenerationForm {
    /// End of the overlap, in a form of [`crate::protocol::expiry_text`]; absent: the old key ends
    /// at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<String>,
    /// Expiry of the successor, in the same forms; absent: as long a life as the old key was given
    /// at its issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// The reason why a key cannot be regenerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NotRegenerable {
    /// The key is disabled, and its successor would be active.
    #[error("the key is disabled: enable it first, or delete it")]
    Disabled,
    /// A program issued the key, and issues the next one.
    #[error("the program that issued this key issues the next one")]
    Issued,
    /// The key has a successor already.
    #[error("the key was replaced already: regenerate its successor")]
    Replaced,
}

impl NotRegenerable {
    /// Returns the stable code of the reason.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Issued => "issued",
            Self::Replaced => "replaced",
        }
    }
}
