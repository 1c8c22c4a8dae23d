//! The bodies of a batch verification (`POST /v1/verify`): what a verifier asks, and what it is
//! answered.

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

/// Path of the route, on the console's host.
pub const PATH: &str = "/v1/verify";

/// Largest body, in bytes: a hundred credentials with addresses and permissions need 30 KiB.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Most credentials in one verification.
pub const CHECKS_MAX: usize = 100;

/// One credential to verify, or one key by its ID.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The whole credential.
    pub credential: Option<SecretText>,
    /// Its first half.
    pub access_key: Option<String>,
    /// Its second half.
    pub access_secret: Option<SecretText>,
    /// In place of a credential: a key's ID.
    pub key_id: Option<String>,
    /// Where the caller's caller is.
    pub address: Option<String>,
    /// What it needs to hold.
    pub permission: Option<String>,
    /// How it came; `http` if left out.
    pub interface: Option<Interface>,
}

impl Check {
    /// What is asked.
    ///
    /// # Errors
    /// [`RequestProblem::MalformedBody`] when it is not said of what, or in several forms, or when
    /// a value is not of its form.
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

/// `POST /v1/verify`: one or several.
#[derive(Debug)]
pub enum Verify {
    /// One.
    One(Box<Check>),
    /// Several.
    Several(Vec<Check>),
}

impl Verify {
    /// Parses either form.
    ///
    /// # Errors
    /// [`RequestProblem::MalformedBody`], also for more than [`CHECKS_MAX`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestProblem> {
        // Told apart by the one member that only the second has, so that errors speak of the form
        // that was meant.
        let several = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes)
            .is_ok_and(|members| members.contains_key("checks"));
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

/// A verdict for a verifier. A key of an account that the verifier may not see is `unknown`.
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

/// RFC 3339 in UTC. What the ledger stores lies within the years that have such a text.
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
