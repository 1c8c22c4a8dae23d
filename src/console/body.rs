//! Bodies that the console's routes take: bounded, JSON, of known members.

use core::fmt;
use core::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::checks::{Asked, Subject};
use crate::config::Config;
use crate::id::{AccountId, SealedId};
use crate::issuer::Issuer;
use crate::network::ClientAddress;
use crate::permission::Permission;
use crate::problem::Problem;
use crate::protocol::Command;
use crate::record::Interface;
use crate::sealed::{Claims, LIFE_MAX, SealedText};
use crate::secret::SecretText;
use crate::time::UnixMs;

/// Largest body, in bytes: a hundred credentials to verify, with addresses and permissions, need 30 KiB.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Largest body with what was typed for a key, in bytes: pasted networks are to be counted and told, not refused unread, so it has room
/// for [`crate::network::NETWORKS_TEXT_BYTES_MAX`] and the rest of the form.
pub const DRAFT_BYTES_MAX: usize = crate::network::NETWORKS_TEXT_BYTES_MAX + BODY_BYTES_MAX;

/// Most credentials in one verification.
pub const CHECKS_MAX: usize = 100;

/// `POST /v1/setup`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// From the link.
    pub token: SecretText,
    /// Name of the account.
    pub account_name: String,
    /// IANA name.
    pub time_zone: String,
    /// Name of the owner.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: SecretText,
    /// `en` or `ja`.
    pub language: String,
}

/// `POST /v1/session`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Address.
    pub email: String,
    /// Password.
    pub password: SecretText,
}

/// `PATCH /v1/operator/accounts/{id}`. What is left out stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountChanges {
    /// Whether it is suspended.
    #[serde(default)]
    pub suspended: Option<bool>,
    /// T of promise P1, in seconds.
    #[serde(default)]
    pub freshness_s: Option<u32>,
}

/// `POST /v1/session/step-up`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    /// Password.
    pub password: SecretText,
}

/// `POST /v1/deletions`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginDeletion {
    /// IDs.
    pub keys: Vec<String>,
}

/// `POST /v1/deletions/{id}/confirm`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmDeletion {
    /// As it was typed.
    pub code: SecretText,
}

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
    /// [`Problem::MalformedBody`] when it is not said of what, or in several forms, or when a value is not of its form.
    pub fn into_asked(self) -> Result<Asked, Problem> {
        let malformed = |detail: &str| Problem::MalformedBody { detail: detail.into() };
        let subject = match (self.credential, self.access_key, self.access_secret, self.key_id) {
            (Some(credential), None, None, None) => Subject::Credential(credential),
            (None, Some(key), Some(secret), None) => {
                Subject::Credential(SecretText::new([&key, secret.expose()].concat()))
            }
            (None, None, None, Some(id)) => Subject::KeyId(id),
            _ => return Err(malformed("give credential, or access_key and access_secret, or key_id")),
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
    /// [`Problem::MalformedBody`], also for more than [`CHECKS_MAX`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        // Told apart by the one member that only the second has, so that errors speak of the form that was meant.
        let several = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes)
            .is_ok_and(|members| members.contains_key("checks"));
        if !several {
            return parse(bytes).map(|check| Self::One(Box::new(check)));
        }
        let Checks { checks } = parse(bytes)?;
        if checks.len() > CHECKS_MAX {
            return Err(Problem::MalformedBody { detail: format!("at most {CHECKS_MAX} checks") });
        }
        Ok(Self::Several(checks.into_iter().map(|Object(check)| check).collect()))
    }
}

/// `POST /v1/sealed-keys/revoke`: the key itself, or its ID and its issuer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeSealed {
    /// The sealed key.
    pub credential: Option<SecretText>,
    /// Its ID.
    pub id: Option<SealedId>,
    /// Its issuer: a key's ID, or `service`.
    pub issuer: Option<String>,
}

impl RevokeSealed {
    /// What the ledger of `account` is asked.
    ///
    /// # Errors
    /// [`Problem::MalformedBody`]; [`Problem::NotFound`] for what is no sealed key of this account, or no ID of one that this issuer issued.
    pub fn command(&self, account: AccountId, config: &Config, now: UnixMs) -> Result<Command, Problem> {
        let malformed = |detail: &str| Problem::MalformedBody { detail: detail.into() };
        let Config { prefix, ring, .. } = config;
        match (&self.credential, self.id, &self.issuer) {
            (Some(credential), None, None) => {
                let made = SealedText::parse(credential.expose(), prefix)
                    .ok()
                    .and_then(|text| text.authenticate(prefix, ring, now))
                    .filter(|made| made.account() == account)
                    .ok_or(Problem::NotFound)?;
                let Claims { id, issuer, expires_at: until, .. } = *made.claims();
                Ok(Command::RevokeSealed { id, issuer, until })
            }
            (None, Some(id), Some(issuer)) => {
                let issuer = Issuer::parse(issuer);
                let issuer = issuer.ok_or_else(|| malformed("issuer must be a key's ID, or service"))?;
                if id.account() != account || !id.is_made(issuer, prefix, ring, now) {
                    return Err(Problem::NotFound);
                }
                // When it ends is not known: no later than this.
                let until = now.saturating_add(LIFE_MAX);
                Ok(Command::RevokeSealed { id, issuer, until })
            }
            _ => Err(malformed("give credential, or id and issuer")),
        }
    }
}

/// Checks the media type of a body (RFC 9110 §8.3.1; parameters are let through).
///
/// # Errors
/// [`Problem::UnsupportedMediaType`].
pub fn check_media_type(content_type: Option<&str>) -> Result<(), Problem> {
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Problem::UnsupportedMediaType)
    }
}

/// Parses a body.
///
/// # Errors
/// [`Problem::MalformedBody`] with the place and the kind of the fault, but no value out of the body: it may be a secret.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    match serde_json::from_slice(bytes) {
        Ok(Object(body)) => Ok(body),
        Err(error) => Err(Problem::MalformedBody { detail: describe(&error) }),
    }
}

/// A JSON object read as `T`. Without it serde would also take an array, as the members in the order of their declaration.
#[derive(Debug)]
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => {
            // serde's own words quote what it met. Only these two kinds of them name the body's structure alone.
            let text = error.to_string();
            let structural = ["unknown field", "missing field"].iter().any(|kind| text.starts_with(kind));
            let short = text.len() <= 200 && text.is_ascii();
            if structural && short {
                text
            } else {
                format!("a member has a wrong type, at line {}, column {}", error.line(), error.column())
            }
        }
        Category::Io | Category::Syntax | Category::Eof => {
            format!("not JSON, at line {}, column {}", error.line(), error.column())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::SealingGeneration;
    use crate::network::Networks;
    use crate::permission::Permissions;
    use crate::sealed::NewSealed;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;
    use serde_json::{Value, json};

    fn detail<T: DeserializeOwned + core::fmt::Debug>(json: &str) -> String {
        match parse::<T>(json.as_bytes()).unwrap_err() {
            Problem::MalformedBody { detail } => detail,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn faults_are_told_by_place_and_never_quote_a_value() {
        assert!(
            detail::<SignIn>(r#"{"email":"a","password":"hunter2","x":1}"#).starts_with("unknown field `x`")
        );
        assert!(detail::<SignIn>(r#"{"email":"a"}"#).starts_with("missing field `password`"));
        for json in [
            r#"{"email":"a","password":["hunter2"]}"#,
            r#"{"email":"a","password":12345678}"#,
            r#"{"email":"a","password":"hunter2","#,
            r#"{"email":"a","password":"hunter2"} hunter2"#,
            r#""hunter2""#,
            "hunter2",
            "",
        ] {
            let detail = detail::<SignIn>(json);
            assert!(!detail.contains("hunter2") && !detail.contains("12345678"), "{detail}");
            assert!(detail.contains("line"), "{detail}");
        }
    }

    #[test]
    fn an_array_is_no_object() {
        for json in [r#"["a","b"]"#, "[]", "null"] {
            assert!(parse::<SignIn>(json.as_bytes()).is_err(), "{json}");
        }
        assert!(Verify::parse(br#"{"checks":[["x",null,null,null,null,null]]}"#).is_err());
        assert!(Verify::parse(br#"[[]]"#).is_err());
    }

    #[test]
    fn a_repeated_member_is_refused() {
        assert!(parse::<SignIn>(br#"{"email":"a","email":"b","password":"x"}"#).is_err());
    }

    #[test]
    fn media_types_with_near_misses() {
        for good in ["application/json", "Application/JSON", "application/json; charset=utf-8"] {
            assert!(check_media_type(Some(good)).is_ok(), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "application/jsonp",
            "application/x-www-form-urlencoded",
            "text/plain, application/json",
        ] {
            assert!(check_media_type(Some(bad)).is_err(), "{bad}");
        }
        assert!(check_media_type(None).is_err());
    }

    #[test]
    fn one_or_up_to_a_hundred_checks() {
        assert!(matches!(Verify::parse(br#"{"credential":"x"}"#), Ok(Verify::One(_))));
        let many =
            |count: usize| format!(r#"{{"checks":[{}]}}"#, vec![r#"{"credential":"x"}"#; count].join(","));
        assert!(
            matches!(Verify::parse(many(100).as_bytes()), Ok(Verify::Several(checks)) if checks.len() == 100)
        );
        assert!(Verify::parse(many(101).as_bytes()).is_err());
        assert!(Verify::parse(br#"{"checks":[],"credential":"x"}"#).is_err());
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
        assert_eq!(check(r#"{"access_key":"clv_a","access_secret":"b"}"#), Ok("credential clv_ab".into()));
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

    #[test]
    fn a08_a_sealed_key_is_revoked_by_itself_or_by_its_id_in_its_own_account_alone() {
        let (config, now) = (crate::config::tests::config(), UnixMs::from_ms(1_800_000_000_000));
        let (account, other) = (AccountId::parse("a1B2c3D4").unwrap(), AccountId::parse("a1B2c3D5").unwrap());
        let made_by = (&config.prefix, &config.ring);
        let mut rng = ChaCha20Rng::seed_from_u64(6);
        let issuer = Issuer::Service;
        let id = SealedId::draw(account, issuer, SealingGeneration(0), made_by, &mut rng).unwrap();
        let claims = Claims {
            id,
            issuer,
            issued_at: now,
            expires_at: now.saturating_add(LIFE_MAX),
            networks: Networks::anywhere(),
            permissions: Permissions::none(),
        };
        let sealed = NewSealed::seal(&claims, &config.prefix, &config.ring).unwrap();
        let ask = |form: Value, account: AccountId| {
            let form: RevokeSealed = parse(form.to_string().as_bytes())?;
            form.command(account, &config, now).map(|command| serde_json::to_value(command).unwrap())
        };
        let until = claims.expires_at;
        let expected = serde_json::to_value(Command::RevokeSealed { id, issuer, until }).unwrap();
        let by_itself = |text: &str| json!({ "credential": text });
        let by_id = |id: &str, issuer: &str| json!({ "id": id, "issuer": issuer });
        assert_eq!(ask(by_itself(sealed.expose()), account), Ok(expected.clone()));
        assert_eq!(ask(by_id(id.as_str(), "service"), account), Ok(expected));
        let made_up = id.as_str().replacen("a1B2c3D4", "a1B2c3D5", 1);
        for (form, account) in [
            (by_itself(sealed.expose()), other),
            (by_itself(&sealed.expose().replacen("clvs_e", "clvs_f", 1)), account),
            (by_itself("clv_a"), account),
            (by_itself(""), account),
            (by_id(id.as_str(), "service"), other),
            (by_id(id.as_str(), "a1B2c3D47Hq0p2Zx9K"), account),
            (by_id(&made_up, "service"), other),
        ] {
            assert_eq!(ask(form.clone(), account), Err(Problem::NotFound), "{form}");
        }
        for form in [
            json!({}),
            json!({ "id": id }),
            json!({ "issuer": "service" }),
            json!({ "credential": sealed.expose(), "id": id, "issuer": "service" }),
            by_id(id.as_str(), "someone"),
        ] {
            assert!(matches!(ask(form.clone(), account), Err(Problem::MalformedBody { .. })), "{form}");
        }
    }
}
