//! The routes about passkeys.

use claviger_core::base::id::TokenId;

/// A route about passkeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyRoute {
    /// Draws the challenge of a sign-in by a passkey alone.
    SignInOptions,
    /// Signs in by a passkey alone.
    SignIn,
    /// Draws the challenge of a fresh proof of identity.
    StepUpOptions,
    /// Draws the challenge of a new passkey.
    Begin,
    /// Adds a passkey.
    Add,
    /// Renames a passkey.
    Rename(TokenId),
    /// Removes a passkey.
    Remove(TokenId),
}

impl PasskeyRoute {
    /// Returns the methods of a path below `/v1/member/factors/passkeys`, each with its route;
    /// `None` for an unknown path.
    pub fn find(path: &[&str]) -> Option<(Vec<(&'static str, Self)>, &'static str)> {
        match path {
            [] => Some((vec![("POST", Self::Add)], "POST")),
            ["options"] => Some((vec![("POST", Self::Begin)], "POST")),
            [id] => {
                let id = TokenId::parse(id)?;
                let routes = vec![("PATCH", Self::Rename(id)), ("DELETE", Self::Remove(id))];
                Some((routes, "PATCH, DELETE"))
            }
            _ => None,
        }
    }
}
