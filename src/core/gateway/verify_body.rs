//! Defines the request and response bodies of a batch verification (`POST /v1/verify`).

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::http::json_body::{Object, parse};
use crate::base::http::problem::RequestProblem;
use crate::base::secret::SecretText;
use crate::base::time::UnixMs;
use crate::credential::limits::Interface;
use crate::credential::limits::network::ClientAddress;
use crate::credential::limits::permission::Permission;
use crate::gateway::batch_verify::{Asked, Subject};
use crate::gateway::gateway::Evidence;
use crate::lease::call::{Basis, Source};
use crate::verify::verdict::Denial;
use crate::verify::verification::Valid;

/// Path of the route, on the console host.
pub const PATH: &str = "/v1/verify";

/// Largest body, in bytes. A hundred credentials with addresses and permissions need 30 KiB.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Most credentials in one verification.
pub const CHECKS_MAX: usize = 100;

/// One credential to verify, or one key by its ID.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Whole credential, in its one-string form.
    pub credential: Option<SecretText>,
    /// First half of a credential in pair form; the second half is `access_secret`.
    pub access_key: Option<String>,
    /// Second half of a credential in pair form.
    pub access_secret: Option<SecretText>,
    /// ID of a key, instead of a credential.
    pub key_id: Option<String>,
    /// IP address of the client that presented the credential to the verifier.
    pub address: Option<String>,
    /// Permission that the key must hold, as `resource:action`.
    pub permission: Option<String>,
    /// Interface by which the credential arrived; `http` if absent.
    pub interface: Option<Interface>,
}

impl Check {
    /// Converts the body into a check.
    ///
    /// # Errors
    /// [`RequestProblem::MalformedBody`] if the subject is missing or given in several forms, or if
    /// a value is malformed.
    pub fn into_asked(self) -> Result<Asked, RequestProblem> {
        let malformed = |detail: &str| RequestProblem::MalformedBody { detail: detail.into() };
        let subject = match (self.credential, self.access_key, self.access_secret, self.key_id) {
            (Some(credential), None, None, None) => Subject::Credential(credential),
            (None, Some(key), Some(secret), None) => {
                Subject::Credential(SecretText::new([&key, secret.expose()].concat()))
            }
            (None, None, None, Some(id)) => Subject::KeyId(id),
            _ => {
                return Err(malformed(
                    "give credential, or access_key and access_secret, or key_id",
                ));
            }
        };
        let permission = self.permission.map(|text| text.parse::<Permission>()).transpose();
        let permission = permission.map_err(|_| malformed("permission must be resource:action"))?;
        let address = match self.address {
            None => None,
            Some(text) => {
                let parsed = ClientAddress::parse(&text);
                Some(parsed.ok_or_else(|| malformed("address must be an IP address"))?)
            }
        };
        let interface = self.interface.unwrap_or(Interface::Http);
        Ok(Asked { subject, address, interface, permission })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checks {
    checks: Vec<Object<Check>>,
}

/// The body of `POST /v1/verify`: one check or several.
#[derive(Debug)]
pub enum Verify {
    /// A single check, as the body itself.
    One(Box<Check>),
    /// Several checks, in the member `checks`.
    Several(Vec<Check>),
}

impl Verify {
    /// Parses either form.
    ///
    /// # Errors
    /// [`RequestProblem::MalformedBody`] if the body is malformed, or has more than [`CHECKS_MAX`]
    /// checks.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestProblem> {
        // Only the second form has the member `checks`. Testing for it first keeps error texts
        // about the form that the verifier meant.
        let several = core::str::from_utf8(bytes)
            .ok()
            .and_then(|text| serde_json::from_str::<serde_json::Map<String, Value>>(text).ok())
            .is_some_and(|members| members.contains_key("checks"));
        if !several {
            return parse(bytes).map(|check| Self::One(Box::new(check)));
        }
        let Checks { checks } = parse(bytes)?;
        if checks.len() > CHECKS_MAX {
            return Err(RequestProblem::MalformedBody {
                detail: format!("at most {CHECKS_MAX} checks"),
            });
        }
        Ok(Self::Several(checks.into_iter().map(|Object(check)| check).collect()))
    }
}

/// Writes a verdict for a verifier. A key of an account that the verifier may not see is `unknown`.
pub fn verdict(verdict: &Result<Valid, Denial>, evidence: Option<Evidence>) -> Value {
    let evidence = evidence.map(|evidence| {
        let source = match evidence.source {
            Source::Memory => "memory",
            Source::Kv => "kv",
            Source::Ledger => "ledger",
        };
        let mut members =
            json!({ "source": source, "age_ms": evidence.age_ms, "revision": evidence.revision });
        if let Some(members) = members.as_object_mut() {
            if evidence.is_stale {
                members.insert("stale".into(), true.into());
            }
            if evidence.basis == Basis::Document {
                members.insert("lease".into(), "document".into());
            }
        }
        members
    });
    match verdict {
        Ok(valid) => json!({
            "verdict": "valid",
            "account": valid.key.account(),
            "key": valid.key,
            "permissions": valid.permissions,
            "expires_at": valid.expires.at().map(text),
            "evidence": evidence,
        }),
        Err(denial) => json!({ "verdict": denial.code(), "evidence": evidence }),
    }
}

/// Formats a time as RFC 3339 in UTC. The ledger stores only times that have such a text.
fn text(at: UnixMs) -> String {
    at.to_rfc3339().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_up_to_a_hundred_checks() {
        assert!(matches!(Verify::parse(br#"{"credential":"x"}"#), Ok(Verify::One(_))));
        let many = |count: usize| {
            format!(r#"{{"checks":[{}]}}"#, vec![r#"{"credential":"x"}"#; count].join(","))
        };
        assert!(
            matches!(Verify::parse(many(100).as_bytes()), Ok(Verify::Several(checks)) if checks.len() == 100)
        );
        assert!(Verify::parse(many(101).as_bytes()).is_err());
        assert!(Verify::parse(br#"{"checks":[],"credential":"x"}"#).is_err());
    }

    #[test]
    fn an_array_is_no_check() {
        assert!(Verify::parse(br#"{"checks":[["x",null,null,null,null,null]]}"#).is_err());
        assert!(Verify::parse(br#"[[]]"#).is_err());
    }

    #[test]
    fn a_check_is_about_exactly_one_thing() {
        let check = |json: &str| {
            parse::<Check>(json.as_bytes()).unwrap().into_asked().map(|asked| match asked.subject {
                Subject::Credential(text) => format!("credential {}", text.expose()),
                Subject::KeyId(text) => format!("ID {text}"),
            })
        };
        assert_eq!(check(r#"{"credential":"x"}"#), Ok("credential x".into()));
        assert_eq!(
            check(r#"{"access_key":"clv_a","access_secret":"b"}"#),
            Ok("credential clv_ab".into())
        );
        assert_eq!(check(r#"{"key_id":"a"}"#), Ok("ID a".into()));
        for bad in [
            "{}",
            r#"{"credential":"x","access_key":"a","access_secret":"b"}"#,
            r#"{"access_key":"a"}"#,
            r#"{"access_secret":"a"}"#,
            r#"{"credential":"x","key_id":"a"}"#,
            r#"{"access_key":"a","access_secret":"b","key_id":"a"}"#,
            r#"{"access_key":"a","key_id":"a"}"#,
            r#"{"key_id":"a","address":"x"}"#,
            r#"{"key_id":"a","permission":"x"}"#,
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
