//! Defines the outcomes of a verification, in order of precedence, with their stable codes and
//! statuses.

use serde::{Serialize, Serializer};

use crate::base::json::{FromJson, Json, from_json};

/// The reason for a denial. The order of the variants is the order of precedence: if several
/// reasons apply, the first is the answer.
///
/// From `Disabled` on, only a caller with the right secret or a verifier learns the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Denial {
    /// The request has no credential in any place that the rule names.
    Missing,
    /// The string cannot be a credential of this deployment, as its form alone shows.
    Malformed,
    /// Claviger never made the credential, or it is deleted, or the secret is wrong: one answer for
    /// all three.
    Unknown,
    /// A member disabled the credential, or its issuer.
    Disabled,
    /// A member locked the API user.
    Locked,
    /// The operator suspended the account.
    AccountSuspended,
    /// The account demands MFA, and the credential's member has none.
    MfaOff,
    /// The credential is not valid yet.
    NotYetValid,
    /// The credential has expired.
    Expired,
    /// The caller's address is in none of the credential's networks.
    NetworkDenied,
    /// The credential is not valid for this interface.
    InterfaceDenied,
    /// The credential lacks the permission that the request needs.
    PermissionDenied,
    /// The caller has tried too many wrong secrets.
    RateLimited,
    /// No answer is possible, because the ledger or the store that decides it is out of reach.
    Unavailable,
}

impl Denial {
    /// All reasons, in order of precedence.
    pub const ALL: [Self; 14] = [
        Self::Missing,
        Self::Malformed,
        Self::Unknown,
        Self::Disabled,
        Self::Locked,
        Self::AccountSuspended,
        Self::MfaOff,
        Self::NotYetValid,
        Self::Expired,
        Self::NetworkDenied,
        Self::InterfaceDenied,
        Self::PermissionDenied,
        Self::RateLimited,
        Self::Unavailable,
    ];

    /// Returns the stable code used in problem documents and verdicts.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Disabled => "disabled",
            Self::Locked => "locked",
            Self::AccountSuspended => "account_suspended",
            Self::MfaOff => "mfa_off",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::NetworkDenied => "network_denied",
            Self::InterfaceDenied => "interface_denied",
            Self::PermissionDenied => "permission_denied",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
        }
    }

    /// Returns the HTTP status (RFC 9110 §15.5.2, §15.5.4). It is 401 for a caller that is unknown
    /// or no longer accepted, and 403 for a known caller without the right. It is 429 for too
    /// many tries (RFC 6585 §4), and 503 if no answer is possible.
    pub fn status(self) -> u16 {
        match self {
            Self::Missing
            | Self::Malformed
            | Self::Unknown
            | Self::Disabled
            | Self::Locked
            | Self::AccountSuspended
            | Self::MfaOff
            | Self::NotYetValid
            | Self::Expired => 401,
            Self::NetworkDenied | Self::InterfaceDenied | Self::PermissionDenied => 403,
            Self::RateLimited => 429,
            Self::Unavailable => 503,
        }
    }

    /// Returns `true` if only a caller with the right secret gets this denial. Only then does the
    /// request count as a use of the key.
    pub fn is_of_a_known_key(self) -> bool {
        match self {
            Self::Missing
            | Self::Malformed
            | Self::Unknown
            | Self::RateLimited
            | Self::Unavailable => false,
            Self::Disabled
            | Self::Locked
            | Self::AccountSuspended
            | Self::MfaOff
            | Self::NotYetValid
            | Self::Expired
            | Self::NetworkDenied
            | Self::InterfaceDenied
            | Self::PermissionDenied => true,
        }
    }

    /// Returns one line for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Missing => "This API wants a key",
            Self::Malformed => "The credential is not a key of this deployment",
            Self::Unknown => "The key is not known",
            Self::Disabled => "The key is disabled",
            Self::Locked => "The API user is locked",
            Self::AccountSuspended => "The account is suspended",
            Self::MfaOff => "The member of this key has turned MFA off",
            Self::NotYetValid => "The key is not valid yet",
            Self::Expired => "The key has expired",
            Self::NetworkDenied => "The key may not be used from this address",
            Self::InterfaceDenied => "The key is not for this interface",
            Self::PermissionDenied => "The key lacks the permission for this request",
            Self::RateLimited => "Too many wrong secrets were tried",
            Self::Unavailable => "No answer can be given at the moment",
        }
    }
}

impl Serialize for Denial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl FromJson for Denial {
    fn from_json(json: Json) -> Option<Self> {
        let code = json.into_text()?;
        Self::ALL.into_iter().find(|denial| denial.code() == code)
    }
}

from_json!(Denial);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_pinned() {
        let codes: Vec<_> = Denial::ALL.map(Denial::code).into();
        assert_eq!(
            codes.join(" "),
            "missing malformed unknown disabled locked account_suspended mfa_off not_yet_valid expired network_denied \
             interface_denied permission_denied rate_limited unavailable"
        );
    }

    #[test]
    fn the_json_form_is_the_code() {
        for denial in Denial::ALL {
            let json = serde_json::to_string(&denial).unwrap();
            assert_eq!(json, format!("\"{}\"", denial.code()));
            assert_eq!(serde_json::from_str::<Denial>(&json).unwrap(), denial);
        }
        assert!(serde_json::from_str::<Denial>("\"\"").is_err());
    }

    #[test]
    fn statuses_are_pinned_and_each_title_is_its_own() {
        let statuses = Denial::ALL.map(Denial::status);
        assert_eq!(
            statuses,
            [401, 401, 401, 401, 401, 401, 401, 401, 401, 403, 403, 403, 429, 503]
        );
        let titles: std::collections::BTreeSet<_> = Denial::ALL.map(Denial::title).into();
        assert!(titles.len() == Denial::ALL.len() && titles.iter().all(|title| title.len() > 10));
    }

    #[test]
    fn a_denial_is_a_use_of_the_key_exactly_if_the_secret_was_right() {
        use Denial::{Malformed, Missing, RateLimited, Unavailable, Unknown};
        let unknown = [Missing, Malformed, Unknown, RateLimited, Unavailable];
        for denial in Denial::ALL {
            assert_eq!(denial.is_of_a_known_key(), !unknown.contains(&denial), "{denial:?}");
        }
    }

    #[test]
    fn the_list_is_in_order_of_precedence() {
        assert!(Denial::ALL.is_sorted());
    }
}
