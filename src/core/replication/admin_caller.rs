//! Defines the program that calls the admin API, as the edge names it to the admin Worker and the
//! admin Worker to a ledger.
//!
//! The edge has checked that the program has the secret. It says so in a header that no client can
//! send, because the edge removes every header of this form. The ledger checks everything else
//! again: the state, the limits and the rights as they are when it executes the command.

use core::fmt;

use serde::{Serialize, Serializer};

use crate::base::id::KeyId;
use crate::base::json::{FromJson, Json, from_json};
use crate::credential::api_user::ApiSecretVersion;

/// Header with the caller, from the edge to the admin Worker.
pub const CALLER_HEADER: &str = "claviger-caller";

/// A program that has proven its secret to the edge. Its text is its JSON form, and the value of
/// [`CALLER_HEADER`]: `key <id>` or `user <id> <version>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminCaller {
    /// A key.
    Key(KeyId),
    /// An API user.
    User {
        /// ID of the user.
        id: KeyId,
        /// Version of the secret that it presented.
        secret: ApiSecretVersion,
    },
}

impl AdminCaller {
    /// Parses the text; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (kind, id) = (words.next()?, KeyId::parse(words.next()?)?);
        let caller = match kind {
            "key" => Self::Key(id),
            "user" => Self::User { id, secret: ApiSecretVersion(words.next()?.parse().ok()?) },
            _ => return None,
        };
        // One spelling each, so that nothing else is accepted.
        (words.next().is_none() && caller.to_string() == text).then_some(caller)
    }

    /// Returns the ID of the key or user.
    pub fn id(self) -> KeyId {
        match self {
            Self::Key(id) | Self::User { id, .. } => id,
        }
    }
}

impl fmt::Display for AdminCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key {id}"),
            Self::User { id, secret } => write!(f, "user {id} {}", secret.0),
        }
    }
}

impl Serialize for AdminCaller {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromJson for AdminCaller {
    fn from_json(json: Json) -> Option<Self> {
        Self::parse(&json.into_text()?)
    }
}

from_json!(AdminCaller);

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "a1B2c3D47Hq0p2Zx9K";

    #[test]
    fn the_text_is_pinned() {
        let id = KeyId::parse(ID).unwrap();
        for (caller, text) in [
            (AdminCaller::Key(id), format!("key {ID}")),
            (AdminCaller::User { id, secret: ApiSecretVersion(3) }, format!("user {ID} 3")),
        ] {
            assert_eq!(caller.to_string(), text);
            assert_eq!(AdminCaller::parse(&text), Some(caller));
            assert_eq!(caller.id(), id);
            let json = serde_json::to_string(&caller).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<AdminCaller>(&json).unwrap(), caller);
        }
    }

    #[test]
    fn no_other_text_names_a_caller() {
        for text in [
            "",
            "key",
            "key ",
            "Key {}",
            "key  {}",
            " key {}",
            "key {} ",
            "key {} 3",
            "user {}",
            "user {} ",
            "user {} x",
            "user {} 03",
            "user {} +3",
            "user {} 3 4",
            "key {}, key {}",
            "member {}",
            "key {}0",
        ] {
            assert_eq!(AdminCaller::parse(&text.replace("{}", ID)), None, "{text}");
        }
    }
}
