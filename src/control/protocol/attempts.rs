//! Refused attempts at a secret, as a name object and the edge report them to a ledger.
//!
//! An attacker decides how many attempts there are. So they are reported by powers of ten: the
//! first attempt from a network within an hour, the tenth, the hundredth, and so on.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::account::Email;

/// The kind of attempt that was refused. The names are stored and must not change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptKind {
    /// A wrong password, typed to sign in, to join an account or to open one.
    #[default]
    SignIn,
    /// A wrong password, typed by a signed-in member to prove their identity.
    StepUp,
    /// A wrong code, typed to reset a password.
    ResetCode,
    /// A wrong service password.
    Service,
}

impl AttemptKind {
    /// Returns the stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::StepUp => "step_up",
            Self::ResetCode => "reset_code",
            Self::Service => "service",
        }
    }

    /// Returns `true` for the kind that a message has by default.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub fn is_sign_in(&self) -> bool {
        *self == Self::SignIn
    }

    /// Parses a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::SignIn, Self::StepUp, Self::ResetCode, Self::Service]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// Refused attempts from one network, within an hour that begins with the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedAttempts {
    /// Kind of the attempts.
    pub kind: AttemptKind,
    /// Network of the attempts, a /24 or a /64. `None` if the platform reported no address, or if
    /// the attempts come from further networks than those that are counted one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Number of attempts in the hour so far.
    pub count: u64,
    /// Time of the last of them, Unix ms.
    pub at: UnixMs,
}

/// Refused attempts at the password of a member, for the ledger of one membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptsNews {
    /// ID of the member.
    pub member: MemberId,
    /// Address of the person; it must still be the member's.
    pub email: Email,
    /// The attempts, the earliest report first.
    pub attempts: Vec<RefusedAttempts>,
}

/// Returns `true` if a count that rises from `before` to `after` reaches or passes a power of ten.
pub fn reaches_power_of_ten(before: u64, after: u64) -> bool {
    before < after && before.checked_ilog10() != after.checked_ilog10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_the_tenth_and_the_hundredth_are_reported() {
        let reported: Vec<u64> =
            (1..=1_000).filter(|count| reaches_power_of_ten(count - 1, *count)).collect();
        assert_eq!(reported, [1, 10, 100, 1_000]);
        assert!(reaches_power_of_ten(3, 250) && !reaches_power_of_ten(10, 99));
        assert!(!reaches_power_of_ten(5, 5) && reaches_power_of_ten(u64::MAX / 100, u64::MAX));
    }

    #[test]
    fn kinds_read_back() {
        for kind in
            [AttemptKind::SignIn, AttemptKind::StepUp, AttemptKind::ResetCode, AttemptKind::Service]
        {
            assert_eq!(AttemptKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(AttemptKind::parse("Sign_in"), None);
    }
}
