//! Defines the request and response bodies of a batch verification (`POST /v1/verify`).

use crate::base::http::json_body::read_object;
use crate::base::http::problem::RequestProblem;
use crate::base::json::{Json, Members};
use crate::base::secret::SecretText;
use crate::base::time::UnixMs;
use crate::credential::limits::Interface;
use crate::credential::limits::network::ClientAddress;
use crate::credential::limits::permission::Permission;
use crate::gateway::batch_verify::{CheckRequest, Subject};
use crate::gateway::check::Evidence;
use crate::lease::call::{Basis, Source};
use crate::verify::verdict::Denial;
use crate::verify::verification::Valid;

/// Largest body, in bytes. A hundred credentials with addresses and permissions need 30 KiB.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Most credentials in one verification.
pub const CHECKS_MAX: usize = 100;

/// One credential to verify, or one key by its ID.
#[derive(Debug)]
pub struct CheckBody {
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

impl CheckBody {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`RequestProblem::MalformedBody`] if a member is unknown or has a wrong type.
    fn read(json: Json) -> Result<Self, RequestProblem> {
        let mut members = json.into_members().ok_or_else(|| malformed("a check is an object"))?;
        let wrong = |name: &str| malformed(&[name, " has a wrong type"].concat());
        let check = Self {
            credential: members.optional("credential").ok_or_else(|| wrong("credential"))?,
            access_key: members.optional("access_key").ok_or_else(|| wrong("access_key"))?,
            access_secret: members
                .optional("access_secret")
                .ok_or_else(|| wrong("access_secret"))?,
            key_id: members.optional("key_id").ok_or_else(|| wrong("key_id"))?,
            address: members.optional("address").ok_or_else(|| wrong("address"))?,
            permission: members.optional("permission").ok_or_else(|| wrong("permission"))?,
            interface: members.optional("interface").ok_or_else(|| wrong("interface"))?,
        };
        refuse_others(&members)?;
        Ok(check)
    }

    /// Converts the body into a check.
    ///
    /// # Errors
    /// [`RequestProblem::MalformedBody`] if the subject is missing or given in several forms, or if
    /// a value is malformed.
    pub fn into_request(self) -> Result<CheckRequest, RequestProblem> {
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
        Ok(CheckRequest { subject, address, interface, permission })
    }
}

fn malformed(detail: &str) -> RequestProblem {
    RequestProblem::MalformedBody { detail: detail.into() }
}

/// Refuses an object with a member that nothing has taken. The error names it if the name is short
/// and plain.
fn refuse_others(members: &Members) -> Result<(), RequestProblem> {
    let Some(name) = members.left_over() else { return Ok(()) };
    let is_plain =
        name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let name = if is_plain { name } else { "of another name" };
    Err(malformed(&["unknown member ", name].concat()))
}

/// The body of `POST /v1/verify`: one check or several.
#[derive(Debug)]
pub enum Verify {
    /// A single check, as the body itself.
    One(Box<CheckBody>),
    /// Several checks, in the member `checks`.
    Several(Vec<CheckBody>),
}

impl Verify {
    /// Parses either form.
    ///
    /// # Errors
    /// [`RequestProblem::MalformedBody`] if the body is malformed, or has more than [`CHECKS_MAX`]
    /// checks.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestProblem> {
        let mut members = read_object(bytes)?;
        let Some(checks) = members.take("checks") else {
            return CheckBody::read(members.into()).map(|check| Self::One(Box::new(check)));
        };
        refuse_others(&members)?;
        let checks = checks.into_list().ok_or_else(|| malformed("checks is an array"))?;
        if checks.len() > CHECKS_MAX {
            return Err(RequestProblem::MalformedBody {
                detail: format!("at most {CHECKS_MAX} checks"),
            });
        }
        checks.into_iter().map(CheckBody::read).collect::<Result<_, _>>().map(Self::Several)
    }
}

/// Writes a verdict for a verifier. A key of an account that the verifier may not see is `unknown`.
pub fn verdict(verdict: &Result<Valid, Denial>, evidence: Option<Evidence>) -> Json {
    let evidence = evidence.map_or(Json::Null, |evidence| {
        let source = match evidence.source {
            Source::Memory => "memory",
            Source::Kv => "kv",
            Source::Ledger => "ledger",
        };
        let mut members = vec![
            ("source", source.into()),
            ("age_ms", evidence.age_ms.into()),
            ("revision", evidence.revision.map_or(Json::Null, |revision| revision.0.into())),
        ];
        if evidence.is_stale {
            members.push(("stale", Json::Bool(true)));
        }
        if evidence.basis == Basis::Document {
            members.push(("lease", "document".into()));
        }
        Json::object(members)
    });
    match verdict {
        Ok(valid) => {
            let permissions = valid.permissions.iter().map(|grant| Json::Text(grant.to_string()));
            Json::object([
                ("verdict", "valid".into()),
                ("account", valid.key.account().as_str().into()),
                ("key", Json::Text(valid.key.to_string())),
                ("permissions", Json::List(permissions.collect())),
                ("expires_at", valid.expires.at().map_or(Json::Null, |at| Json::Text(text(at)))),
                ("evidence", evidence),
            ])
        }
        Err(denial) => Json::object([("verdict", denial.code().into()), ("evidence", evidence)]),
    }
}

/// Formats a time as RFC 3339 in UTC. The ledger stores only times that have such a text.
fn text(at: UnixMs) -> String {
    at.to_rfc3339().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::AnyKeyId;
    use crate::credential::limits::lifetime::Expiry;

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
    fn an_unknown_member_is_named_if_its_name_is_short_and_plain() {
        let longest = "a".repeat(40);
        for (name, named) in [
            ("perm1ssion_", "perm1ssion_"),
            (&*longest, &*longest),
            (&*format!("{longest}a"), "of another name"),
            ("a-b", "of another name"),
            ("é", "of another name"),
        ] {
            let expected = malformed(&format!("unknown member {named}"));
            for json in [
                format!(r#"{{"key_id":"a","{name}":1}}"#),
                format!(r#"{{"checks":[],"{name}":1}}"#),
            ] {
                assert_eq!(Verify::parse(json.as_bytes()).unwrap_err(), expected, "{json}");
            }
        }
    }

    #[test]
    fn a_valid_key_is_described_with_its_effective_end() {
        let key = AnyKeyId::Key(crate::testing::key_id());
        let permissions = crate::testing::limits().permissions;
        for (expires, text) in [
            (Expiry::Never, "null"),
            (Expiry::At(UnixMs::from_ms(1_800_000_000_250)), r#""2027-01-15T08:00:00.250Z""#),
        ] {
            let permissions = permissions.clone();
            let (not_before, issuer, issued_at) = (None, None, None);
            let user = None;
            let valid = Valid { key, permissions, expires, not_before, issuer, issued_at, user };
            let written = serde_json::to_string(&verdict(&Ok(valid), None)).unwrap();
            let begin = r#"{"verdict":"valid","account":"a1B2c3D4","key":"a1B2c3D47Hq0p2Zx9K""#;
            let end =
                format!(r#""permissions":["demo:read"],"expires_at":{text},"evidence":null}}"#);
            assert_eq!(written, format!("{begin},{end}"));
        }
    }

    #[test]
    fn an_array_is_no_check() {
        assert!(Verify::parse(br#"{"checks":[["x",null,null,null,null,null]]}"#).is_err());
        assert!(Verify::parse(br#"[[]]"#).is_err());
    }

    #[test]
    fn a_check_keeps_what_its_body_says() {
        for (json, address, interface, permission) in [
            (r#"{"key_id":"a"}"#, None, Interface::Http, None),
            (r#"{"key_id":"a","interface":"http"}"#, None, Interface::Http, None),
            (r#"{"key_id":"a","interface":"smtp"}"#, None, Interface::Smtp, None),
            (
                r#"{"key_id":"a","address":"::FFFF:10.1.2.3"}"#,
                Some("10.1.2.3"),
                Interface::Http,
                None,
            ),
            (r#"{"key_id":"a","permission":"a:b"}"#, None, Interface::Http, Some("a:b")),
        ] {
            let body = CheckBody::read(Json::parse(json).unwrap()).unwrap();
            let request = body.into_request().unwrap();
            assert_eq!(request.address, address.and_then(ClientAddress::parse), "{json}");
            assert_eq!(request.interface, interface, "{json}");
            let found = request.permission.map(|permission| permission.to_string());
            assert_eq!(found.as_deref(), permission, "{json}");
        }
    }

    #[test]
    fn a_check_is_about_exactly_one_thing() {
        let check = |json: &str| {
            CheckBody::read(Json::parse(json).unwrap()).unwrap().into_request().map(|request| {
                match request.subject {
                    Subject::Credential(text) => format!("credential {}", text.expose()),
                    Subject::KeyId(text) => format!("ID {text}"),
                }
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
