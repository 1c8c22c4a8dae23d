//! Outcomes of a verification, in order of precedence, with their stable codes and statuses.

use serde::{Deserialize, Serialize};

/// Why a request is refused. The order of the variants is the order of precedence: of several
/// reasons the first is the answer.
///
/// From `Disabled` on, a reason is told only to who presented the right secret, or to a verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// No credential in any place where one is looked for.
    Missing,
    /// A string that cannot be a credential of this deployment, whoever looks at it.
    Malformed,
    /// Never made, deleted, or a wrong secret: one answer for all three.
    Unknown,
    /// Switched off by a member.
    Disabled,
    /// The operator has suspended its account.
    AccountSuspended,
    /// Its time has not come yet.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// The caller's address is in none of its networks.
    NetworkDenied,
    /// It is not for this interface.
    InterfaceDenied,
    /// It does not hold the permission that the request needs.
    PermissionDenied,
    /// No answer can be given: what decides it is out of reach.
    Unavailable,
}

impl Denial {
    /// Every reason, in order of precedence.
    pub const ALL: [Self; 11] = [
        Self::Missing,
        Self::Malformed,
        Self::Unknown,
        Self::Disabled,
        Self::AccountSuspended,
        Self::NotYetValid,
        Self::Expired,
        Self::NetworkDenied,
        Self::InterfaceDenied,
        Self::PermissionDenied,
        Self::Unavailable,
    ];

    /// The stable code, as in problem documents and verdicts.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Disabled => "disabled",
            Self::AccountSuspended => "account_suspended",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::NetworkDenied => "network_denied",
            Self::InterfaceDenied => "interface_denied",
            Self::PermissionDenied => "permission_denied",
            Self::Unavailable => "unavailable",
        }
    }

    /// The HTTP status: 401 for who is not known or no longer let in, 403 for a known caller in the
    /// wrong place (RFC 9110 §15.5.2, §15.5.4), 503 when nobody can tell.
    pub fn status(self) -> u16 {
        match self {
            Self::Missing
            | Self::Malformed
            | Self::Unknown
            | Self::Disabled
            | Self::AccountSuspended
            | Self::NotYetValid
            | Self::Expired => 401,
            Self::NetworkDenied | Self::InterfaceDenied | Self::PermissionDenied => 403,
            Self::Unavailable => 503,
        }
    }

    /// Whether it was said to somebody whose secret was right: only then is it news of the key, and
    /// a use of it.
    pub fn is_of_a_known_key(self) -> bool {
        match self {
            Self::Missing | Self::Malformed | Self::Unknown | Self::Unavailable => false,
            Self::Disabled
            | Self::AccountSuspended
            | Self::NotYetValid
            | Self::Expired
            | Self::NetworkDenied
            | Self::InterfaceDenied
            | Self::PermissionDenied => true,
        }
    }

    /// One line for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Missing => "This API wants a key",
            Self::Malformed => "The credential is not a key of this deployment",
            Self::Unknown => "The key is not known",
            Self::Disabled => "The key is disabled",
            Self::AccountSuspended => "The account is suspended",
            Self::NotYetValid => "The key is not valid yet",
            Self::Expired => "The key has expired",
            Self::NetworkDenied => "The key may not be used from this address",
            Self::InterfaceDenied => "The key is not for this interface",
            Self::PermissionDenied => "The key lacks the permission for this request",
            Self::Unavailable => "No answer can be given at the moment",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_pinned_and_agree_with_what_is_serialised() {
        for denial in Denial::ALL {
            assert_eq!(serde_json::to_string(&denial).unwrap(), format!("\"{}\"", denial.code()));
        }
        let codes: Vec<_> = Denial::ALL.map(Denial::code).into();
        assert_eq!(
            codes.join(" "),
            "missing malformed unknown disabled account_suspended not_yet_valid expired network_denied interface_denied \
             permission_denied unavailable"
        );
    }

    #[test]
    fn the_list_is_in_order_of_precedence() {
        assert!(Denial::ALL.is_sorted());
    }
}
