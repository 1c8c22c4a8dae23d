//! Problems of the routes about API users.

use serde_json::Value;

/// The reason for which a route about API users refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiUserProblem {
    /// The user changed since the member saw it.
    ChangedMeanwhile {
        /// Present state of the user.
        user: Value,
        /// Name of the member who changed it.
        by: String,
        /// Time of that change, RFC 3339.
        at: String,
    },
    /// The idempotency key was already used for a creation.
    AlreadyCreated {
        /// User that it created; null if it was deleted.
        user: Value,
    },
    /// The account has reached its limit of API users.
    TooMany {
        /// Most API users of an account.
        max: u32,
    },
    /// The user is not deleted, so it cannot be restored.
    NotDeleted,
}

impl ApiUserProblem {
    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::ChangedMeanwhile { .. } => 412,
            Self::AlreadyCreated { .. } | Self::TooMany { .. } | Self::NotDeleted => 409,
        }
    }

    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ChangedMeanwhile { .. } => "changed_meanwhile",
            Self::AlreadyCreated { .. } => "already_created",
            Self::TooMany { .. } => "too_many_api_users",
            Self::NotDeleted => "not_deleted",
        }
    }

    /// Returns the title for people, the same for every occurrence.
    pub fn title(&self) -> &'static str {
        match self {
            Self::ChangedMeanwhile { .. } => "The API user has changed meanwhile",
            Self::AlreadyCreated { .. } => "This request has created an API user before",
            Self::TooMany { .. } => "The account has as many API users as it may",
            Self::NotDeleted => "The API user is not deleted",
        }
    }

    /// Returns the members that this problem adds.
    pub fn extensions(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::ChangedMeanwhile { user, by, at } => {
                vec![("user", user.clone()), ("by", by.as_str().into()), ("at", at.as_str().into())]
            }
            Self::AlreadyCreated { user } => vec![("user", user.clone())],
            Self::TooMany { max } => vec![("max", (*max).into())],
            Self::NotDeleted => Vec::new(),
        }
    }
}
