//! Tests what the OAuth endpoints read and answer, without I/O.

use base64ct::{Base64, Encoding};

use super::*;
use crate::base::http::request::Headers;
use crate::config::settings::Config;
use crate::credential::grant::IssuerProof;
use crate::credential::issuer::{Ceiling, Issuer, Issuing, SealingGeneration};
use crate::testing::{EDGE_KEYS, account, at, config, key_id, variables};

const URL: &str = "https://api.example.com/oauth/token";
const FORM: &str = "content-type\napplication/x-www-form-urlencoded";
const ID: &str = "clv_a1B2c3D47Hq0p2Zx9K";
/// A text as long as an access secret.
const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX";

fn request<'a>(method: &'a str, url: &'a str, headers: &'a str) -> Request<'a> {
    let (url, headers) = (Url::parse(url).unwrap(), Headers::new(headers));
    Request { method, url, headers, arrived: at(0) }
}

fn basic(pair: &str) -> String {
    format!("authorization\nBasic {}", Base64::encode_string(pair.as_bytes()))
}

/// Returns the text of the key that a client presents with these headers and this body.
fn client(headers: &str, body: &str) -> Result<String, OAuthError> {
    let request = request("POST", URL, headers);
    let client = OAuthForm::parse(body.as_bytes(), &PARAMETERS)?.client(&request, &config())?;
    Ok(client.expose().to_owned())
}

#[test]
fn s16_a_request_is_a_post_of_a_form_without_a_query() {
    let check = |method, url, headers| check_head(&request(method, url, headers));
    for (method, url, headers, expected) in [
        ("POST", URL, FORM, Ok(())),
        ("POST", "https://api.example.com/oauth/token?", FORM, Ok(())),
        ("POST", URL, "content-type\nApplication/X-WWW-Form-Urlencoded; charset=utf-8", Ok(())),
        ("GET", URL, FORM, Err(OAuthError::Method)),
        ("HEAD", URL, FORM, Err(OAuthError::Method)),
        ("post", URL, FORM, Err(OAuthError::Method)),
        ("POST", "https://api.example.com/oauth/token?client_id=x", FORM, Err(OAuthError::Query)),
        ("POST", URL, "", Err(OAuthError::MediaType)),
        ("POST", URL, "content-type\napplication/json", Err(OAuthError::MediaType)),
        ("POST", URL, "content-type\nmultipart/form-data; boundary=x", Err(OAuthError::MediaType)),
    ] {
        assert_eq!(check(method, url, headers), expected, "{method} {url} {headers}");
    }
}

#[test]
fn s16_a_client_authenticates_by_basic_or_in_the_body_once() {
    let key = [ID, SECRET].concat();
    let body = format!("client_id={ID}&client_secret={SECRET}");
    let (pair, whole) = (format!("{ID}:{SECRET}"), format!("{key}:"));
    // Every character of both halves escaped, as RFC 6749 §2.3.1 allows.
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let escaped = format!("{}:{}", escape(ID), escape(SECRET));
    let halves = |id: &str, secret: &str| format!("client_id={id}&client_secret={secret}");
    let lower = format!("authorization\nbasic  {}", Base64::encode_string(pair.as_bytes()));
    let twice = format!("{}, Basic eA==", basic(&pair));
    for (headers, body, expected) in [
        (basic(&pair), String::new(), Ok(&*key)),
        (basic(&escaped), String::new(), Ok(&*key)),
        (basic(&format!("{pair}\n")), String::new(), Ok(&*key)),
        (lower, String::new(), Ok(&*key)),
        (String::new(), body.clone(), Ok(&*key)),
        (String::new(), halves(&escape(ID), &escape(SECRET)), Ok(&*key)),
        ("authorization\n".into(), body.clone(), Ok(&*key)),
        // Naming oneself again is no second way.
        (basic(&pair), format!("client_id={ID}"), Ok(&*key)),
        (basic(&pair), format!("client_id={ID}&client_secret="), Ok(&*key)),
        // Both ways, or two clients, or the header twice.
        (basic(&pair), body.clone(), Err(OAuthError::SeveralWays)),
        (basic(&pair), format!("client_secret={SECRET}"), Err(OAuthError::SeveralWays)),
        (basic(&pair), "client_id=x".into(), Err(OAuthError::SeveralWays)),
        (twice, String::new(), Err(OAuthError::SeveralWays)),
        // No way at all, half a way, or another one.
        (String::new(), String::new(), Err(OAuthError::Client)),
        (String::new(), format!("client_id={ID}"), Err(OAuthError::Client)),
        (String::new(), format!("client_secret={SECRET}"), Err(OAuthError::Client)),
        (format!("authorization\nBearer {key}"), String::new(), Err(OAuthError::Client)),
        (format!("authorization\nBearer {key}"), body.clone(), Err(OAuthError::Client)),
        (format!("authorization\n{key}"), String::new(), Err(OAuthError::Client)),
        ("authorization\nBasic".into(), String::new(), Err(OAuthError::Client)),
        ("authorization\nBasic !".into(), String::new(), Err(OAuthError::Client)),
        (basic(ID), String::new(), Err(OAuthError::Client)),
        // A text in the header or body that is no pair: it is no key either.
        (basic(&whole), String::new(), Ok("")),
        (basic(&format!(":{key}")), String::new(), Ok("")),
        (basic(&format!("{ID}:{key}")), String::new(), Ok("")),
        (basic(&format!("clvs_x:{SECRET}")), String::new(), Ok("")),
        (basic(&format!("{ID}:{SECRET}%00")), String::new(), Ok("")),
        (basic(&format!("{ID}:{SECRET}\0")), String::new(), Ok("")),
        (
            basic(&format!("{ID}:{}+", &SECRET[1..])),
            String::new(),
            Ok(
                "clv_a1B2c3D47Hq0p2Zx9K123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX ",
            ),
        ),
        (String::new(), halves(&key, "x"), Ok("")),
        (String::new(), halves(&format!("{ID}%00"), SECRET), Ok("")),
        (String::new(), halves("clv_a1B2c3D47Hq0p2Zx9", &format!("K{}", &SECRET[1..])), Ok("")),
    ] {
        assert_eq!(client(&headers, &body).as_deref(), expected.as_deref(), "{headers} {body}");
    }
    let overlong = format!("authorization\nBasic {}", "QQ".repeat(5_000));
    assert_eq!(client(&overlong, ""), Err(OAuthError::Client));
}

#[test]
fn s16_parameters_occur_once_and_unknown_ones_do_not_count() {
    let parse = |body: &[u8]| OAuthForm::parse(body, &PARAMETERS);
    let form = parse(b"resource=a&resource=b&grant_type=client_credentials&scope=").unwrap();
    assert_eq!((form.check_grant_type(), form.scope()), (Ok(()), None));
    assert_eq!(form.token(), Err(OAuthError::NoToken));
    for name in ["grant_type", "scope", "client_id", "client_secret", "token"] {
        for body in [format!("{name}=a&x=1&{name}=a"), format!("{name}=&{name}=a")] {
            assert_eq!(parse(body.as_bytes()).unwrap_err(), OAuthError::Repeated, "{body}");
        }
    }
    for (body, expected) in [
        ("", Err(OAuthError::NoGrantType)),
        ("grant_type=", Err(OAuthError::NoGrantType)),
        ("grant_type=client%5Fcredentials", Ok(())),
        ("grant_type=client_credentials%00", Err(OAuthError::GrantType)),
        ("grant_type=Client_Credentials", Err(OAuthError::GrantType)),
        ("grant_type=password", Err(OAuthError::GrantType)),
        ("grant_type=refresh_token", Err(OAuthError::GrantType)),
        (r#"{"grant_type":"client_credentials"}"#, Err(OAuthError::NoGrantType)),
    ] {
        assert_eq!(parse(body.as_bytes()).unwrap().check_grant_type(), expected, "{body}");
    }
    // Not UTF-8: it reads as characters that no value of ours has.
    assert!(parse(b"grant_type=\xff\xfe&\xff=1").unwrap().check_grant_type().is_err());
}

fn authority(permissions: &str, expires: Expiry) -> Authority {
    let ceiling = Ceiling {
        permissions: serde_json::from_str(permissions).unwrap(),
        networks: Networks::anywhere(),
        longest: None,
    };
    Authority {
        account: account(),
        proof: IssuerProof {
            issuer: Issuer::Key(key_id()),
            digest: crate::base::secret::Digest::of(b"x"),
        },
        issuing: Issuing { generation: SealingGeneration(3), ceiling },
        expires,
        is_token: true,
    }
}

#[test]
fn s16_a_scope_narrows_and_never_widens() {
    let authority = authority(r#"["admin:*","demo:read"]"#, Expiry::Never);
    let granted = |scope| {
        let granted = grant_token(&authority, scope, at(0)).map_err(|error| error.code())?;
        Ok(serde_json::to_string(&granted.permissions).unwrap())
    };
    for (scope, expected) in [
        (None, Ok(r#"["admin:*","demo:read"]"#)),
        (Some("demo:read"), Ok(r#"["demo:read"]"#)),
        (Some("demo:read admin:use demo:read"), Ok(r#"["admin:use","demo:read"]"#)),
        (Some("admin:*"), Ok(r#"["admin:*"]"#)),
        (Some("demo:write"), Err("invalid_scope")),
        (Some("demo:read demo:write"), Err("invalid_scope")),
        (Some("demo:*"), Err("invalid_scope")),
        (Some("*:*"), Err("invalid_scope")),
        (Some("claviger:verify"), Err("invalid_scope")),
        (Some(" "), Err("invalid_scope")),
        (Some("demo:read "), Err("invalid_scope")),
        (Some("demo:read  admin:use"), Err("invalid_scope")),
        (Some("\"demo:read\""), Err("invalid_scope")),
        (Some("demo:read\0"), Err("invalid_scope")),
        (Some("demo:read,admin:use"), Err("invalid_scope")),
        (Some("demo:read\nadmin:use"), Err("invalid_scope")),
        (Some("Demo:read"), Err("invalid_scope")),
    ] {
        assert_eq!(granted(scope), expected.map(str::to_owned), "{scope:?}");
    }
}

/// A pair with a reserved permission must not pass it on, and a scope must not name it.
#[test]
fn s16_no_scope_reaches_claviger_s_own_permissions() {
    let everything = authority(r#"["*:*"]"#, Expiry::Never);
    assert_eq!(
        grant_token(&everything, Some("claviger:verify"), at(0)).unwrap_err(),
        OAuthError::Scope
    );
    let permissions: Permissions =
        serde_json::from_str(r#"["claviger:verify","demo:read"]"#).unwrap();
    assert_eq!(serde_json::to_string(&permissions.unreserved()).unwrap(), r#"["demo:read"]"#);
}

#[test]
fn s16_a_token_lives_an_hour_and_never_longer_than_its_pair() {
    for (expires, expected) in [
        (Expiry::Never, Ok((3_600_000, 3_600))),
        (Expiry::At(at(3_600_001)), Ok((3_600_000, 3_600))),
        (Expiry::At(at(60_900)), Ok((60_900, 60))),
        (Expiry::At(at(1)), Ok((1, 0))),
        (Expiry::At(at(0)), Err(OAuthError::Denied(Denial::Expired))),
    ] {
        let authority = authority(r#"["demo:read"]"#, expires);
        let found = grant_token(&authority, None, at(0)).map(|granted| {
            let answer = token_answer("clvs_x", &granted, at(0));
            let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            (granted.expires.at().unwrap().as_ms(), body["expires_in"].as_u64().unwrap())
        });
        assert_eq!(found, expected, "{expires:?}");
    }
}

#[test]
fn s16_the_answer_is_what_rfc_6749_demands() {
    let granted =
        grant_token(&authority(r#"["a:b","demo:read"]"#, Expiry::Never), None, at(0)).unwrap();
    let answer = token_answer("clvs_x", &granted, at(0));
    assert_eq!(
        answer.body,
        r#"{"access_token":"clvs_x","token_type":"Bearer","expires_in":3600,"scope":"a:b demo:read"}"#
    );
    for header in [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("pragma", "no-cache"),
    ] {
        assert!(answer.headers.contains(&(header.0, header.1.to_owned())), "{header:?}");
    }
    let granted = grant_token(&authority("[]", Expiry::Never), None, at(0)).unwrap();
    assert!(!token_answer("clvs_x", &granted, at(0)).body.contains("scope"));
}

/// Programs branch on code and status, so both are part of the interface.
#[test]
fn s16_every_error_has_a_code_of_the_rfc_and_a_description_of_its_characters() {
    let denied = |denial: Denial| OAuthError::from(denial);
    let mut described = std::collections::BTreeMap::new();
    for (error, status, code) in [
        (OAuthError::Method, 405, "invalid_request"),
        (OAuthError::Query, 400, "invalid_request"),
        (OAuthError::MediaType, 400, "invalid_request"),
        (OAuthError::TooLarge, 413, "invalid_request"),
        (OAuthError::TooSlow, 408, "invalid_request"),
        (OAuthError::CutOff, 400, "invalid_request"),
        (OAuthError::Repeated, 400, "invalid_request"),
        (OAuthError::SeveralWays, 400, "invalid_request"),
        (OAuthError::NoGrantType, 400, "invalid_request"),
        (OAuthError::NoToken, 400, "invalid_request"),
        (OAuthError::GrantType, 400, "unsupported_grant_type"),
        (OAuthError::Client, 401, "invalid_client"),
        (OAuthError::Issued, 400, "unauthorized_client"),
        (OAuthError::Scope, 400, "invalid_scope"),
        (OAuthError::TooManyPermissions, 400, "invalid_scope"),
        (OAuthError::Unavailable, 503, "temporarily_unavailable"),
        (OAuthError::Parameter("address must be an IP address"), 400, "invalid_request"),
        (OAuthError::OwnKey, 400, "invalid_request"),
        (denied(Denial::Missing), 401, "invalid_client"),
        (denied(Denial::Malformed), 401, "invalid_client"),
        (denied(Denial::Unknown), 401, "invalid_client"),
        (denied(Denial::Disabled), 401, "invalid_client"),
        (denied(Denial::AccountSuspended), 401, "invalid_client"),
        (denied(Denial::NotYetValid), 401, "invalid_client"),
        (denied(Denial::Expired), 401, "invalid_client"),
        (denied(Denial::NetworkDenied), 400, "unauthorized_client"),
        (denied(Denial::InterfaceDenied), 400, "unauthorized_client"),
        (denied(Denial::PermissionDenied), 400, "unauthorized_client"),
        (denied(Denial::Unavailable), 503, "temporarily_unavailable"),
    ] {
        assert_eq!((error.status(), error.code()), (status, code), "{error:?}");
        let is_allowed = |sign: char| matches!(sign, ' '..='!' | '#'..='[' | ']'..='~');
        assert!(error.description().chars().all(is_allowed), "{error:?}");
        let same = *described.entry(error.description()).or_insert(error);
        assert_eq!(same, error, "each has a description of its own");
        let answer = error.answer("api.example.com");
        let header = |name| {
            answer.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
        };
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!(header("pragma"), Some("no-cache"));
        assert_eq!(header("retry-after"), (status == 503).then_some("2"));
        assert_eq!(header("allow"), (status == 405).then_some("POST"));
        let challenge = r#"Basic realm="api.example.com", charset="UTF-8""#;
        assert_eq!(header("www-authenticate"), (status == 401).then_some(challenge));
    }
    assert_eq!(denied(Denial::Unknown), OAuthError::Client, "one answer for all of them");
}

/// A verifier may also come with a bearer token, and its denials are those of such a token.
#[test]
fn a_verifier_learns_the_ways_to_authenticate_or_the_permission_that_it_lacks() {
    let ways = r#"Basic realm="a.example", charset="UTF-8", Bearer realm="a.example""#;
    let lacks = r#"Bearer realm="a.example", error="insufficient_scope""#;
    let permission =
        r#"Bearer realm="a.example", error="insufficient_scope", scope="claviger:verify""#;
    for (denial, status, code, challenge) in [
        (Denial::Missing, 401, "invalid_client", Some(ways)),
        (Denial::Malformed, 401, "invalid_client", Some(ways)),
        (Denial::Unknown, 401, "invalid_client", Some(ways)),
        (Denial::Disabled, 401, "invalid_client", Some(ways)),
        (Denial::AccountSuspended, 401, "invalid_client", Some(ways)),
        (Denial::MfaOff, 401, "invalid_client", Some(ways)),
        (Denial::NotYetValid, 401, "invalid_client", Some(ways)),
        (Denial::Expired, 401, "invalid_client", Some(ways)),
        (Denial::NetworkDenied, 403, "insufficient_scope", Some(lacks)),
        (Denial::InterfaceDenied, 403, "insufficient_scope", Some(lacks)),
        (Denial::PermissionDenied, 403, "insufficient_scope", Some(permission)),
        (Denial::Unavailable, 503, "temporarily_unavailable", None),
    ] {
        let error = OAuthError::of_verifier(denial.into());
        assert_eq!((error.status(), error.code()), (status, code), "{denial:?}");
        let is_allowed = |sign: char| matches!(sign, ' '..='!' | '#'..='[' | ']'..='~');
        assert!(error.description().chars().all(is_allowed), "{denial:?}");
        let answer = error.answer("a.example");
        let mut headers = answer.headers.iter();
        let found = headers.find(|(name, _)| *name == "www-authenticate");
        assert_eq!(found.map(|(_, value)| value.as_str()), challenge, "{denial:?}");
    }
    for denial in [Denial::Missing, Denial::Malformed, Denial::Unknown] {
        assert_eq!(OAuthError::of_verifier(denial.into()), OAuthError::Verifier);
    }
    let several = OAuthError::of_verifier(OAuthError::SeveralWays);
    assert_eq!(several, OAuthError::SeveralWays);
}

#[test]
fn s16_the_metadata_name_what_rules_open_on_their_host_alone() {
    let served = |rules: &str| {
        let variables =
            crate::config::settings::Variables { rules: Some(rules.into()), ..variables() };
        Config::parse(Some(&SecretText::new(EDGE_KEYS.to_owned())), &variables).unwrap()
    };
    let both = served(
        r#"[{"host":"api.example.com","path":"/token","serves":"oauth-token"},
            {"host":"api.example.com","path":"/oauth/token","serves":"oauth-token"},
            {"host":"api.example.com","path":"/oauth/revoke","serves":"oauth-revoke"},
            {"host":"other.example.com","path":"/token/","serves":"oauth-token"}]"#,
    );
    let body = |url: &str, config: &Config| {
        let answer = metadata(&request("GET", url, ""), config);
        assert_eq!(answer.status, 200);
        answer.body
    };
    assert_eq!(
        body("https://api.example.com./.well-known/oauth-authorization-server?x", &both),
        concat!(
            r#"{"issuer":"https://api.example.com","#,
            r#""token_endpoint":"https://api.example.com/oauth/token","#,
            r#""token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"],"#,
            r#""revocation_endpoint":"https://api.example.com/oauth/revoke","#,
            r#""revocation_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"],"#,
            r#""introspection_endpoint":"http://localhost:8787/v1/introspect","#,
            r#""introspection_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","Bearer"],"#,
            r#""grant_types_supported":["client_credentials"],"response_types_supported":[]}"#
        )
    );
    let other = body("https://other.example.com:8443/", &both);
    assert!(
        other.contains(r#""token_endpoint":"https://other.example.com:8443/token""#),
        "{other}"
    );
    assert!(!other.contains("revocation"), "{other}");
    for (method, status) in [("HEAD", 200), ("POST", 405), ("OPTIONS", 405)] {
        let answer = metadata(&request(method, URL, ""), &both);
        assert_eq!(answer.status, status, "{method}");
    }
}
