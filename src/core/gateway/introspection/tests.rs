//! Tests what an introspection reads and answers, without I/O.

use base64ct::{Base64, Encoding};

use super::*;
use crate::base::http::request::{Headers, Url};
use crate::base::id::SealedId;
use crate::credential::issuer::SealingGeneration;
use crate::credential::limits::lifetime::Expiry;
use crate::testing::{at, config, key_id, limits};

const ID: &str = "clv_a1B2c3D47Hq0p2Zx9K";
/// A text as long as an access secret.
const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX";

fn form(body: &str) -> Result<OAuthForm, OAuthError> {
    OAuthForm::parse(body.as_bytes(), &PARAMETERS)
}

/// Returns the text of the key that a caller presents with these headers and this body.
fn presented(headers: &str, body: &str) -> Result<String, OAuthError> {
    let url = Url::parse("http://localhost:8787/v1/introspect").unwrap();
    let headers = Headers::new(headers);
    let request = Request { method: "POST", url, headers, arrived: at(0) };
    Ok(caller(&form(body)?, &request, &config())?.expose().to_owned())
}

#[test]
fn a_caller_authenticates_in_one_of_four_ways() {
    let key = [ID, SECRET].concat();
    let basic = |pair: &str| Base64::encode_string(pair.as_bytes());
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let pair = format!("authorization\nBasic {}", basic(&format!("{ID}:{SECRET}")));
    let escaped = format!("{}:{}", escape(ID), escape(SECRET));
    let bearer = format!("authorization\nBearer {key}");
    let own = format!("claviger-verifier\n{key}");
    let body = format!("client_id={ID}&client_secret={SECRET}");
    let named = format!("client_id={ID}");
    let ways = [(&*pair, ""), (&*bearer, ""), (&*own, ""), ("", &*body)];
    for (headers, body) in ways {
        assert_eq!(presented(headers, body).as_deref(), Ok(&*key), "{headers} {body}");
    }
    for (headers, body) in [
        (&*format!("authorization\nBasic {}", basic(&escaped)), ""),
        (&*bearer.replace("Bearer", "bearer"), ""),
        (&*format!("{own}\nauthorization\n"), ""),
        (&*format!("claviger-verifier\n\n{pair}"), "client_secret="),
        // Naming oneself again is no second way.
        (&*pair, &*named),
        (&*bearer, &*named),
        (&*own, &*named),
    ] {
        assert_eq!(presented(headers, body).as_deref(), Ok(&*key), "{headers} {body}");
    }
    // Each two ways together, and each way twice.
    for (place, (one, in_body)) in ways.iter().enumerate() {
        for (other, other_body) in &ways[place + 1..] {
            let headers = [*one, *other].join("\n").trim().to_owned();
            let body = [*in_body, *other_body].concat();
            let found = presented(&headers, &body);
            // A header that stands there twice comes joined by a comma.
            let is_joined = one.starts_with("authorization") && other.starts_with("authorization");
            let joined = headers.replace("\nauthorization\n", ", ");
            let found = if is_joined { presented(&joined, &body) } else { found };
            assert_eq!(found, Err(OAuthError::SeveralWays), "{headers} {body}");
        }
    }
    for headers in [&pair, &bearer, &own] {
        let value = headers.split('\n').nth(1).unwrap();
        let twice = presented(&format!("{headers}, {value}"), "");
        assert_eq!(twice, Err(OAuthError::SeveralWays), "{headers}");
        let other = presented(headers, "client_id=clv_a1B2c3D47Hq0p2Zx9L");
        assert_eq!(other, Err(OAuthError::SeveralWays), "{headers}");
        let half = presented(headers, "client_id=clv_a1B2c3D4");
        assert_eq!(half, Err(OAuthError::SeveralWays), "{headers}");
    }
    for (headers, body) in [
        ("", ""),
        ("", &*named),
        ("", &*format!("client_secret={SECRET}")),
        ("authorization\nBasic", ""),
        ("authorization\nBasic !", ""),
        ("authorization\nBearer", ""),
        (&*format!("authorization\n{key}"), ""),
        (&*format!("authorization\nDigest {key}"), ""),
    ] {
        assert_eq!(presented(headers, body), Err(OAuthError::Verifier), "{headers} {body}");
    }
    // What is no pair is no key either, and names nothing.
    let whole = format!("authorization\nBasic {}", basic(&format!("{key}:")));
    assert_eq!(presented(&whole, "").as_deref(), Ok(""));
    assert_eq!(presented(&whole, &named).as_deref(), Ok(""));
    assert_eq!(presented("", &format!("client_id={key}&client_secret=x")).as_deref(), Ok(""));
}

#[test]
fn a_form_asks_about_one_token_and_the_conditions_of_its_use() {
    for (body, address, interface, permission) in [
        ("token=x", None, Interface::Http, None),
        ("token=x&token_type_hint=a&token_type_hint=b&y", None, Interface::Http, None),
        ("token=x&interface=smtp", None, Interface::Smtp, None),
        (
            "token=x&interface=http&address=%3A%3Affff%3A10.1.2.3",
            Some("10.1.2.3"),
            Interface::Http,
            None,
        ),
        ("token=x&permission=demo%3Aread", None, Interface::Http, Some("demo:read")),
    ] {
        let check = check_request(&form(body).unwrap()).unwrap();
        let Subject::Credential(text) = &check.subject else { panic!("{body}") };
        assert_eq!(text.expose(), "x");
        assert_eq!(check.address, address.and_then(ClientAddress::parse), "{body}");
        assert_eq!(check.interface, interface, "{body}");
        let found = check.permission.map(|permission| permission.to_string());
        assert_eq!(found.as_deref(), permission, "{body}");
    }
    for name in PARAMETERS {
        assert_eq!(form(&format!("{name}=&{name}=")).unwrap_err(), OAuthError::Repeated, "{name}");
    }
    for body in ["", "token=", "token_type_hint=x", r#"{"token":"x"}"#] {
        assert_eq!(check_request(&form(body).unwrap()).unwrap_err(), OAuthError::NoToken, "{body}");
    }
    // An empty condition is no absent one: it would ask for less than its sender means.
    for (name, values) in [
        ("address", ["", "%00", "10.1.2", "10.1.2.3%00", "10.0.0.0%2F8", "localhost"]),
        ("interface", ["", "%00", "HTTP", "imap", "http,smtp", "http%00"]),
        ("permission", ["", "%00", "demo", "demo:read%00", "demo:read demo:write", "a:b:c"]),
    ] {
        for value in values {
            let body = format!("token=x&{name}={value}");
            let OAuthError::Parameter(told) = check_request(&form(&body).unwrap()).unwrap_err()
            else {
                panic!("{body}")
            };
            assert!(told.starts_with(&format!("{name} must be ")), "{body}: {told}");
        }
    }
}

#[test]
fn an_answer_about_anything_but_a_valid_credential_says_nothing_more() {
    let answer = inactive();
    assert_eq!((answer.status, &*answer.body), (200, r#"{"active":false}"#));
    for header in [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("pragma", "no-cache"),
    ] {
        assert!(answer.headers.contains(&(header.0, header.1.to_owned())), "{header:?}");
        let valid = active(&valid(AnyKeyId::Key(key_id())), &config());
        assert!(valid.headers.contains(&(header.0, header.1.to_owned())), "{header:?}");
    }
}

fn valid(key: AnyKeyId) -> Valid {
    let permissions = limits().permissions;
    let (not_before, issuer, issued_at) = (None, None, None);
    Valid { key, permissions, expires: Expiry::Never, not_before, issuer, issued_at, user: None }
}

#[test]
fn an_answer_about_a_valid_credential_names_what_is_known_of_it() {
    let config = config();
    let sealed = |issuer: Issuer| {
        let mut rng =
            <rand_chacha::ChaCha20Rng as rand_chacha::rand_core::SeedableRng>::seed_from_u64(1);
        let (account, ring) = (key_id().account(), (&config.prefix, &config.keyring));
        SealedId::draw(account, issuer, SealingGeneration(0), ring, &mut rng).unwrap()
    };
    let (by_key, by_service) = (sealed(Issuer::Key(key_id())), sealed(Issuer::Service));
    let body = |valid: &Valid| active(valid, &config).body;
    let end = r#""sub":"a1B2c3D4","iss":"http://localhost:8787""#;
    let key = valid(AnyKeyId::Key(key_id()));
    let client = format!(r#""client_id":"{ID}""#);
    let scope = r#""scope":"demo:read""#;
    assert_eq!(
        body(&key),
        format!(r#"{{"active":true,{scope},{client},"token_type":"Bearer",{end}}}"#)
    );
    let none = serde_json::from_str("[]").unwrap();
    assert_eq!(
        body(&Valid { permissions: none, ..key.clone() }),
        format!(r#"{{"active":true,{client},"token_type":"Bearer",{end}}}"#)
    );
    let several = serde_json::from_str(r#"["demo:read","jobs:*"]"#).unwrap();
    let told = body(&Valid { permissions: several, ..key.clone() });
    assert!(told.contains(r#""scope":"demo:read jobs:*","#), "{told}");
    // Whole seconds, never later than the instant itself.
    let told = body(&Valid {
        expires: Expiry::At(at(1_800_000_000_999)),
        not_before: Some(at(-1)),
        issued_at: Some(at(1_700_000_000_000)),
        issuer: Some(Issuer::Service),
        ..key.clone()
    });
    let times = r#""exp":1800000000,"nbf":-1,"iat":1700000000"#;
    assert_eq!(
        told,
        format!(r#"{{"active":true,{scope},{client},"token_type":"Bearer",{times},{end}}}"#)
    );
    // The client of a sealed key is the key that issued it; a service password is no key.
    for (id, issuer, client) in [
        (by_key, Issuer::Key(key_id()), format!("{client},")),
        (by_service, Issuer::Service, String::new()),
    ] {
        let told = body(&Valid { issuer: Some(issuer), ..valid(AnyKeyId::Sealed(id)) });
        let begin = format!(r#"{{"active":true,{scope},{client}"token_type":"Bearer""#);
        assert_eq!(told, format!(r#"{begin},{end},"jti":"{id}"}}"#));
    }
}

/// Dovecot drops arrays and objects, and takes a member `error` for a failure of the endpoint.
#[test]
fn every_member_of_an_answer_is_a_scalar_and_none_is_an_error() {
    let valid = Valid {
        expires: Expiry::At(at(1)),
        not_before: Some(at(1)),
        ..valid(AnyKeyId::Key(key_id()))
    };
    for answer in [inactive(), active(&valid, &config())] {
        let members = Json::parse(&answer.body).unwrap();
        let Json::Object(members) = members else { panic!("{}", answer.body) };
        for (name, value) in members {
            assert!(!matches!(value, Json::List(_) | Json::Object(_) | Json::Null), "{name}");
            assert_ne!(name, "error");
        }
    }
}
