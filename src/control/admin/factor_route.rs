//! The routes about second factors.

use claviger_core::base::id::MemberId;

/// A route about second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorRoute {
    /// Returns the state of one's own factors.
    Show,
    /// Draws the seed of an authenticator app.
    BeginTotp,
    /// Turns the authenticator app on.
    ConfirmTotp,
    /// Turns the authenticator app off.
    TurnOffTotp,
    /// Replaces the recovery codes.
    RenewRecoveryCodes,
    /// Turns off all factors of a member.
    Reset(MemberId),
    /// Answers a challenge with a second factor, which signs in.
    AnswerChallenge,
}

impl FactorRoute {
    /// Returns the methods of a path below `/v1/member/factors`, each with its route; `None` for an
    /// unknown path.
    pub fn find(path: &[&str]) -> Option<(&'static [(&'static str, Self)], &'static str)> {
        match path {
            [] => Some((&[("GET", Self::Show)], "GET, HEAD")),
            ["totp"] => {
                Some((&[("POST", Self::BeginTotp), ("DELETE", Self::TurnOffTotp)], "POST, DELETE"))
            }
            ["totp", "confirm"] => Some((&[("POST", Self::ConfirmTotp)], "POST")),
            ["recovery-codes"] => Some((&[("POST", Self::RenewRecoveryCodes)], "POST")),
            _ => None,
        }
    }
}
