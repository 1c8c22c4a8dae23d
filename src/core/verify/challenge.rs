//! Writes the `WWW-Authenticate` header of a denial.

use crate::credential::limits::permission::Permission;
use crate::verify::verdict::Denial;

/// Returns the challenge of a denial (RFC 6750 §3); `None` if the credential was not checked.
/// Without a credential it has no error attribute (§3.1). `scope` names the missing permission, and
/// only for a caller with the right secret.
pub fn challenge(denial: Denial, realm: &str, demanded: Option<&Permission>) -> Option<String> {
    let attributes = match denial {
        Denial::Missing => String::new(),
        Denial::Malformed
        | Denial::Unknown
        | Denial::Disabled
        | Denial::Locked
        | Denial::AccountSuspended
        | Denial::MfaOff
        | Denial::NotYetValid
        | Denial::Expired => ", error=\"invalid_token\"".into(),
        Denial::PermissionDenied => match demanded {
            Some(permission) => format!(", error=\"insufficient_scope\", scope=\"{permission}\""),
            None => ", error=\"insufficient_scope\"".into(),
        },
        Denial::NetworkDenied | Denial::InterfaceDenied => ", error=\"insufficient_scope\"".into(),
        Denial::RateLimited | Denial::Unavailable => return None,
    };
    Some(format!("Bearer realm=\"{realm}\"{attributes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_follow_rfc_6750() {
        let permission: Permission = "demo:read".parse().unwrap();
        for (denial, expected) in [
            (Denial::Missing, Some("Bearer realm=\"a\"")),
            (Denial::Unknown, Some("Bearer realm=\"a\", error=\"invalid_token\"")),
            (Denial::AccountSuspended, Some("Bearer realm=\"a\", error=\"invalid_token\"")),
            (Denial::Expired, Some("Bearer realm=\"a\", error=\"invalid_token\"")),
            (Denial::NetworkDenied, Some("Bearer realm=\"a\", error=\"insufficient_scope\"")),
            (
                Denial::PermissionDenied,
                Some("Bearer realm=\"a\", error=\"insufficient_scope\", scope=\"demo:read\""),
            ),
            (Denial::Unavailable, None),
        ] {
            assert_eq!(
                challenge(denial, "a", Some(&permission)).as_deref(),
                expected,
                "{denial:?}"
            );
        }
    }
}
