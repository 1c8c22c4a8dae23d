//! Properties of a member that several messages carry.

use serde::{Deserialize, Serialize};

/// Version of a person's password. The name object counts it up with each change; the member's row
/// of each ledger follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretVersion(pub u32);

/// Version of a person's address: the number of its changes. The member's row of each ledger
/// follows to a higher one, so that late news of an earlier address changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressVersion(pub u32);

impl AddressVersion {
    /// Returns `true` for a person who never changed the address.
    pub fn is_first(&self) -> bool {
        self.0 == 0
    }
}

/// The role of a member in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Has all rights, including the grant of `claviger:*`.
    Owner,
    /// Reads and changes keys.
    Admin,
    /// Reads keys and activity only.
    Viewer,
}

impl Role {
    /// Returns the name of the role.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Viewer => "viewer",
        }
    }

    /// Parses the name of a role.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Owner, Self::Admin, Self::Viewer].into_iter().find(|role| role.as_str() == name)
    }
}

/// A language of the console and of mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English, tag `en`.
    En,
    /// Japanese, tag `ja`.
    Ja,
}

impl Language {
    /// Returns the language tag (BCP 47).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    /// Parses a language tag.
    pub fn parse(tag: &str) -> Option<Self> {
        [Self::En, Self::Ja].into_iter().find(|language| language.as_str() == tag)
    }
}
