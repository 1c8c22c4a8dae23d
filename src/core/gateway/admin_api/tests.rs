//! Tests the routes that programs may call, and the places of their credentials.

use super::*;
use crate::base::http::request::Url;
use crate::testing::{at, config};

const ID: &str = "a1B2c3D47Hq0p2Zx9K";

#[test]
fn each_route_demands_its_right_and_no_other_route_takes_a_program() {
    for (method, pattern, demanded) in ROUTES {
        assert_eq!(right(method, &pattern.replace("{id}", ID)), Some(demanded), "{pattern}");
        assert_eq!(demanded.is_write(), method != "GET" && pattern != "/v1/keys/check");
    }
    assert_eq!(right("HEAD", "/v1/keys"), Some(AdminRight::ReadKeys));
    for (method, path) in [
        ("OPTIONS", "/v1/keys"),
        ("get", "/v1/keys"),
        ("PUT", "/v1/keys"),
        ("GET", "/v1/keys/"),
        ("GET", "/v1//keys"),
        ("GET", "/v1/keys//issued"),
        ("GET", "/v2/keys"),
        ("GET", "v1/keys"),
        ("POST", "/v1/keys/a1B2c3D47Hq0p2Zx9K/reveal"),
        ("POST", "/v1/keys/a1B2c3D47Hq0p2Zx9K/disable/now"),
        ("GET", "/v1/members"),
        ("GET", "/v1/session"),
        ("GET", "/v1/account/service"),
        ("POST", "/v1/activity/export"),
        ("POST", "/v1/deletions"),
        ("GET", "/v1/operator/accounts"),
        ("GET", "/v1/counters"),
        ("GET", "/"),
    ] {
        assert_eq!(right(method, path), None, "{method} {path}");
    }
}

#[test]
fn a_credential_is_found_in_headers_alone() {
    let prefix = config().prefix;
    let key = |text: &str| Ok(Some(AdminCredential::Key(SecretText::new(text.to_owned()))));
    let basic = |pair: &str| {
        use base64ct::{Base64, Encoding};
        format!("authorization\nBasic {}", Base64::encode_string(pair.as_bytes()))
    };
    let user = TypedUser { name: "app@example.com".into(), secret: SecretText::new("pass".into()) };
    for (headers, query, expected) in [
        (String::new(), "", Ok(None)),
        (String::new(), "?access_token=clv_x&api_key=clv_x", Ok(None)),
        ("authorization\n".into(), "", Ok(None)),
        ("authorization\nBearer".into(), "", Ok(None)),
        ("authorization\nBearer clv_x".into(), "", key("clv_x")),
        ("authorization\nclv_x".into(), "", key("clv_x")),
        ("x-api-key\nclv_x".into(), "", key("clv_x")),
        ("x_api_key\nclv_x".into(), "", key("clv_x")),
        ("x-api-key\nother".into(), "", key("other")),
        ("authorization\nBearer clv_x\nx-api-key\nclv_x".into(), "", key("clv_x")),
        ("authorization\nBearer clv_x\nx-api-key\nclv_y".into(), "", Err(Ambiguous)),
        (basic("clv_a:b"), "", key("clv_ab")),
        (basic("app@example.com:pass"), "", Ok(Some(AdminCredential::User(user)))),
        (basic("app@example.com:pass") + "\nx-api-key\nclv_x", "", Err(Ambiguous)),
    ] {
        let url = format!("https://keys.localhost/v1/keys{query}");
        let request = Request {
            method: "GET",
            url: Url::parse(&url).unwrap(),
            headers: Headers::new(&headers),
            arrived: at(0),
        };
        assert_eq!(credential(&request, &prefix), expected, "{headers} {query}");
    }
}

#[test]
fn the_session_cookie_is_seen_however_it_is_sent() {
    for (headers, expected) in [
        ("", false),
        ("cookie\na=b", false),
        ("cookie\n__Host-claviger-browser=x", false),
        ("cookie\n__Host-claviger2=x", false),
        ("cookie\n__Host-claviger=x", true),
        ("cookie\n__Host-claviger", true),
        ("cookie\na=b;__Host-claviger =x; c=d", true),
        ("cookie\n__Host-claviger=x; __Host-claviger=y", true),
        ("cookie\na=b\ncookie\n__Host-claviger=x", true),
    ] {
        assert_eq!(has_session(Headers::new(headers)), expected, "{headers}");
    }
}
