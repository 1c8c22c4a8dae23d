//! The problems of the account's networks.

use serde_json::Value;

/// The reason for which the account's networks refuse a request, or a change of them is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworksProblem {
    /// They do not open the console to the caller's address.
    Denied,
    /// They changed since the member saw them.
    ChangedMeanwhile {
        /// Present list with its revision.
        list: Value,
    },
    /// The change removes an entry, which needs the sign-in password.
    PasswordRequired,
    /// The change would close the console to the address that asks for it.
    WouldLockYouOut,
}

impl NetworksProblem {
    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Denied | Self::PasswordRequired => 403,
            Self::ChangedMeanwhile { .. } => 412,
            Self::WouldLockYouOut => 409,
        }
    }

    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied => "network_denied",
            Self::ChangedMeanwhile { .. } => "changed_meanwhile",
            Self::PasswordRequired => "password_required",
            Self::WouldLockYouOut => "would_lock_you_out",
        }
    }

    /// Returns the title for people, the same for every occurrence.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Denied => "The account does not allow the console from this address",
            Self::ChangedMeanwhile { .. } => "The account's networks have changed meanwhile",
            Self::PasswordRequired => "Deleting an entry needs your password",
            Self::WouldLockYouOut => "This change would close the console to your address",
        }
    }

    /// Returns the present list, if the problem is a conflict.
    pub fn present(&self) -> Option<Value> {
        match self {
            Self::ChangedMeanwhile { list } => Some(list.clone()),
            Self::Denied | Self::PasswordRequired | Self::WouldLockYouOut => None,
        }
    }
}
